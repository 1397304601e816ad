import { AGGREGATES, WINDOW_FUNCTIONS } from './functions/aggregates.ts'
import { QUALITY_FUNCTIONS } from './functions/data-quality.ts'
import { GEOMETRY_FUNCTIONS } from './functions/geometry.ts'
import { MATH_FUNCTIONS } from './functions/math.ts'
import { OTHER_FUNCTIONS } from './functions/others.ts'
import type { FunctionRule } from './functions/rule.ts'
import { STATS_FUNCTIONS } from './functions/stats-agg.ts'
import { STRING_FUNCTIONS } from './functions/strings.ts'
import { TIME_FUNCTIONS } from './functions/times.ts'
import { TWO_STEP_FUNCTIONS } from './functions/two-step.ts'
import { WEIGHTED_PERCENTILE } from './functions/weighted-percentile.ts'

const byName = (rules: readonly FunctionRule[]) => new Map(rules.map((rule) => [rule.name, rule]))

const PLAIN = byName([
  ...AGGREGATES,
  ...MATH_FUNCTIONS,
  ...OTHER_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...TIME_FUNCTIONS,
  ...TWO_STEP_FUNCTIONS,
  ...STATS_FUNCTIONS,
  ...QUALITY_FUNCTIONS,
  WEIGHTED_PERCENTILE,
  ...GEOMETRY_FUNCTIONS,
])
const WINDOWED = byName([...AGGREGATES, ...WINDOW_FUNCTIONS])

const BINNED = 'Use avg(…) over date_bin(INTERVAL …, time).'
const SHA = 'Use sha256(…), or hash in the client.'
const GEOMETRY = 'Fetch the geometries and ask a geometry library in the client.'

/** Functions of CnosDB that this engine lacks, with what to do instead. */
const MISSING: ReadonlyMap<string, string> = new Map([
  ['asap_smooth', BINNED],
  ['timestamp_repair', 'Use date_bin(INTERVAL …, time) to put times on a grid.'],
  ['value_fill', "Write it alone into a SELECT list: SELECT value_fill(time, x, 'method=linear') FROM … WHERE …."],
  ['value_repair', 'Use lag(…) OVER (ORDER BY time) to find values that jump, and validity(time, …) to count them.'],
  ...['sha224', 'sha384', 'sha512'].map((name) => [name, SHA] as const),
  ...['distance', 'equals', 'contains', 'intersects', 'disjoint', 'within'].map(
    (name) => [`st_${name}`, GEOMETRY] as const,
  ),
  ['timezone', 'Times are in UTC.'],
])

/** The only functions a query may call. `over`: with an OVER clause. */
export function findFunction(name: string, over = false): FunctionRule | undefined {
  return (over ? WINDOWED : PLAIN).get(name)
}

/** What to do instead of a function of CnosDB that is not there; undefined for every other name. */
export const insteadOf = (name: string) => MISSING.get(name)

/** The known name nearest to a mistyped one. */
export function suggestFunction(name: string): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.ceil(name.length / 3)) + 1
  for (const candidate of PLAIN.keys()) {
    const distance = editDistance(name.slice(0, 40), candidate)
    if (distance < least) [best, least] = [candidate, distance]
  }
  return best
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let at = 1; at <= left.length; at += 1) {
    const next = [at]
    for (let other = 1; other <= right.length; other += 1) {
      const substitution = (row[other - 1] as number) + (left[at - 1] === right[other - 1] ? 0 : 1)
      next.push(Math.min((row[other] as number) + 1, (next[other - 1] as number) + 1, substitution))
    }
    row = next
  }
  return row[right.length] as number
}

export const functionNames = (): readonly string[] => [...new Set([...PLAIN.keys(), ...WINDOWED.keys()])]

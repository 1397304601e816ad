import { AGGREGATES, WINDOW_FUNCTIONS } from './functions/aggregates.ts'
import { GEOMETRY_FUNCTIONS } from './functions/geometry.ts'
import { MATH_FUNCTIONS } from './functions/math.ts'
import { OTHER_FUNCTIONS } from './functions/others.ts'
import type { FunctionRule } from './functions/rule.ts'
import { STRING_FUNCTIONS } from './functions/strings.ts'
import { TIME_FUNCTIONS } from './functions/times.ts'
import { TWO_STEP_FUNCTIONS } from './functions/two-step.ts'

const byName = (rules: readonly FunctionRule[]) => new Map(rules.map((rule) => [rule.name, rule]))

const PLAIN = byName([
  ...AGGREGATES,
  ...MATH_FUNCTIONS,
  ...OTHER_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...TIME_FUNCTIONS,
  ...TWO_STEP_FUNCTIONS,
  ...GEOMETRY_FUNCTIONS,
])
const WINDOWED = byName([...AGGREGATES, ...WINDOW_FUNCTIONS])

/** Functions of CnosDB that this engine lacks, so that the refusal can say so. */
const MISSING: ReadonlySet<string> = new Set([
  ...['stats_agg', 'asap_smooth', 'timestamp_repair', 'value_fill', 'value_repair'],
  ...['completeness', 'consistency', 'timeliness', 'validity'],
  ...[
    'st_distance',
    'st_equals',
    'st_contains',
    'st_intersects',
    'st_disjoint',
    'st_within',
    'sha224',
    'sha384',
    'sha512',
  ],
  ...['approx_percentile_cont_with_weight', 'timezone'],
])

/** The only functions a query may call. `over`: with an OVER clause. */
export function findFunction(name: string, over = false): FunctionRule | undefined {
  return (over ? WINDOWED : PLAIN).get(name)
}

export const isMissingFunction = (name: string) => MISSING.has(name)

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

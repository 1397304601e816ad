import { childOf, classOf, type Node, textOf } from './select-tree.ts'

interface Parts {
  readonly months: bigint
  readonly days: bigint
  readonly nanos: bigint
}

const SECOND = 1_000_000_000n

const UNITS: Readonly<Record<string, Parts>> = {
  nanosecond: { months: 0n, days: 0n, nanos: 1n },
  microsecond: { months: 0n, days: 0n, nanos: 1000n },
  millisecond: { months: 0n, days: 0n, nanos: 1_000_000n },
  second: { months: 0n, days: 0n, nanos: SECOND },
  minute: { months: 0n, days: 0n, nanos: 60n * SECOND },
  hour: { months: 0n, days: 0n, nanos: 3600n * SECOND },
  day: { months: 0n, days: 1n, nanos: 0n },
  week: { months: 0n, days: 7n, nanos: 0n },
  month: { months: 1n, days: 0n, nanos: 0n },
  year: { months: 12n, days: 0n, nanos: 0n },
}

/** What a literal interval holds; undefined when it is none, or not a simple one. */
export function intervalOf(node: Node): Parts | undefined {
  const text = intervalText(node)
  return text === undefined ? undefined : parseInterval(text)
}

/** `IntervalMonthDayNano("900000000000")` for a literal interval; undefined when it is none, or not a simple one. */
export function intervalHeading(node: Node): string | undefined {
  const parts = intervalOf(node)
  if (parts === undefined) return undefined
  const { months, days, nanos } = parts
  const packed = (BigInt.asUintN(32, months) << 96n) | (BigInt.asUintN(32, days) << 64n) | BigInt.asUintN(64, nanos)
  return `IntervalMonthDayNano("${BigInt.asIntN(128, packed)}")`
}

/** The text of INTERVAL '1 day'; INTERVAL '1' DAY is a call of `to_days` around casts of the number. */
function intervalText(node: Node): string | undefined {
  if (classOf(node) === 'CAST' && textOf(childOf(node, 'cast_type'), 'id') === 'INTERVAL') {
    return constantText(childOf(node, 'child'))
  }
  const unit = classOf(node) === 'FUNCTION' ? /^to_(\w+)s$/.exec(textOf(node, 'function_name'))?.[1] : undefined
  let inner = unit === undefined ? undefined : onlyChild(node)
  while (inner !== undefined && classOf(inner) !== 'CONSTANT') {
    inner = classOf(inner) === 'CAST' ? childOf(inner, 'child') : onlyChild(inner)
  }
  const count = inner === undefined ? undefined : constantText(inner)
  return count === undefined ? undefined : `${count} ${unit}`
}

function onlyChild(node: Node): Node | undefined {
  const { children } = node
  return Array.isArray(children) && children.length === 1 ? (children[0] as Node) : undefined
}

function constantText(node: Node): string | undefined {
  if (classOf(node) !== 'CONSTANT') return undefined
  const { value } = childOf(node, 'value')
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function parseInterval(text: string): Parts | undefined {
  const words = text.trim().toLowerCase().split(/\s+/)
  if (words.length % 2 !== 0) return undefined
  let total: Parts = { months: 0n, days: 0n, nanos: 0n }
  for (let at = 0; at < words.length; at += 2) {
    const unit = UNITS[(words[at + 1] as string).replace(/s$/, '')]
    if (unit === undefined || !/^-?\d+$/.test(words[at] as string)) return undefined
    const count = BigInt(words[at] as string)
    total = {
      months: total.months + count * unit.months,
      days: total.days + count * unit.days,
      nanos: total.nanos + count * unit.nanos,
    }
  }
  return total
}

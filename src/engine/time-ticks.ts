import type { DataType } from '../model/schema.ts'

interface TimeUnit {
  readonly nanoseconds: bigint
  /** The ticks DuckDB can store *and* print; beyond them lie its infinities and times it cannot turn into a date. */
  readonly min: bigint
  readonly max: bigint
  readonly toTicks: (expression: string) => string
  /** From a number of ticks, or an expression that yields one. */
  readonly fromTicks: (ticks: bigint | string) => string
}

const UNIT_OF: Readonly<Record<string, TimeUnit>> = {
  'TIMESTAMP(NANOSECOND)': {
    nanoseconds: 1n,
    min: -9_223_286_400_000_000_000n,
    max: 9_223_372_036_854_775_806n,
    toTicks: (expression) => `epoch_ns(${expression})`,
    fromTicks: (ticks) => `make_timestamp_ns(${ticks})`,
  },
  'TIMESTAMP(MICROSECOND)': {
    nanoseconds: 1_000n,
    min: -9_223_372_022_400_000_000n,
    max: 9_223_372_036_854_775_806n,
    toTicks: (expression) => `epoch_us(${expression})`,
    fromTicks: (ticks) => `make_timestamp(${ticks})`,
  },
  'TIMESTAMP(MILLISECOND)': {
    nanoseconds: 1_000_000n,
    min: -9_223_372_022_400_000n,
    max: 9_223_372_036_854_775n,
    toTicks: (expression) => `epoch_ms(${expression})`,
    fromTicks: (ticks) => `CAST(make_timestamp_ms(${ticks}) AS TIMESTAMP_MS)`,
  },
}

/** What DuckDB can do with a time column of this type. */
export function timeUnitOf(type: DataType): TimeUnit {
  const unit = UNIT_OF[type]
  if (!unit) throw new TypeError(`${type} is not a type of time`)
  return unit
}

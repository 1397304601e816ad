/** DuckDB's name of a type, such as `TIMESTAMP_NS`; undefined when it cannot be told without asking DuckDB. */
export type KnownType = string | undefined

export interface FunctionRule {
  /** As CnosDB spells it. */
  readonly name: string
  readonly kind: 'scalar' | 'aggregate' | 'window'
  readonly minimum: number
  readonly maximum: number
  /** DuckDB's name, where it differs and nothing else does. */
  readonly call?: string
  /**
   * DuckDB text with `$1`, `$2`… for the arguments, by their types. Undefined: there is no such overload.
   * An aggregate's text must hold its aggregate calls bare, so that FILTER can be handed down.
   */
  readonly template?: (types: readonly KnownType[]) => string | undefined
  /** Which arguments are taken as text, whatever their type; `all` or indexes. */
  readonly text?: 'all' | readonly number[]
  /** What is wrong with arguments of these types; undefined when nothing is. */
  readonly refusal?: (types: readonly KnownType[]) => string | undefined
  /** The name in column headings, where it differs. */
  readonly heading?: string
  readonly type?: (types: readonly KnownType[]) => KnownType
  /** The type a client expects, where it is not the engine's. */
  readonly clientType?: (types: readonly KnownType[]) => KnownType
}

type Details = Omit<FunctionRule, 'name' | 'kind' | 'minimum' | 'maximum'>

export const scalar = (name: string, minimum: number, maximum: number, details: Details = {}): FunctionRule => ({
  name,
  kind: 'scalar',
  minimum,
  maximum,
  ...details,
})

export const aggregate = (name: string, minimum: number, maximum: number, details: Details = {}): FunctionRule => ({
  ...scalar(name, minimum, maximum, details),
  kind: 'aggregate',
})

export const windowed = (name: string, minimum: number, maximum: number, details: Details = {}): FunctionRule => ({
  ...scalar(name, minimum, maximum, details),
  kind: 'window',
})

export const always = (type: string) => (): KnownType => type

/** The type of the first argument. */
export const first = (types: readonly KnownType[]): KnownType => types[0]
export const second = (types: readonly KnownType[]): KnownType => types[1]

const TIME_TYPES: ReadonlySet<string> = new Set(['TIMESTAMP_NS', 'TIMESTAMP', 'TIMESTAMP_MS', 'TIMESTAMP_S'])
export const isTimeType = (type: KnownType): type is string => type !== undefined && TIME_TYPES.has(type)

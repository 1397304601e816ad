import { CnosError } from '../errors/cnos-error.ts'

/** A literal as SQL writes it: `'text'`, `true`, `42`, `NULL`. */
export type OptionLiteral = string | boolean | bigint | null

/** One option as data: its parser, default, redaction, error text and reference page all come from here. */
export interface OptionSpec<T> {
  /** One sentence for the reference page. */
  readonly summary: string
  readonly type: 'string' | 'boolean' | 'integer' | 'size'
  /** Throws a CnosError named BAD_OPTION or SQL_SYNTAX; never repeats the value of a secret. */
  readonly parse: (literal: OptionLiteral, key: string) => T
  readonly default?: T
  readonly required?: true
  /** Redacted wherever a statement is logged, listed or explained. */
  readonly secret?: true
}

// biome-ignore lint/suspicious/noExplicitAny: a table of specs holds specs of any value type
export type OptionSpecs = Readonly<Record<string, OptionSpec<any>>>

type ValueOf<S> = S extends OptionSpec<infer T> ? T : never
type IsSet<S> = S extends { readonly required: true } | { readonly default: unknown } ? true : false

/** Required and defaulted options are present; any other may be undefined; a misspelt one does not compile. */
export type OptionValues<S extends OptionSpecs> = {
  readonly [K in keyof S as IsSet<S[K]> extends true ? K : never]: ValueOf<S[K]>
} & {
  readonly [K in keyof S as IsSet<S[K]> extends true ? never : K]?: ValueOf<S[K]>
}

/** Prints a literal as SQL. */
export function printLiteral(literal: OptionLiteral): string {
  if (literal === null) return 'NULL'
  return typeof literal === 'string' ? `'${literal.replaceAll("'", "''")}'` : String(literal)
}

type Declared<T, S extends Partial<OptionSpec<T>>> = OptionSpec<T> & S

/** A string option; only a single-quoted literal is accepted. */
export function stringOption<const S extends Partial<OptionSpec<string>> & { summary: string }>(
  spec: S,
): Declared<string, S> {
  return {
    type: 'string',
    parse(literal: OptionLiteral, key: string) {
      if (typeof literal === 'string') return literal
      throw new CnosError(
        'SQL_SYNTAX',
        `sql parser error: expected string value, but found : ${spec.secret ? '******' : printLiteral(literal)}`,
        { hint: `write ${key} = '…' in single quotes` },
      )
    },
    ...spec,
  } as Declared<string, S>
}

/** A boolean option; only bare `true` or `false` is accepted. */
export function booleanOption<const S extends Partial<OptionSpec<boolean>> & { summary: string }>(
  spec: S,
): Declared<boolean, S> {
  return {
    type: 'boolean',
    parse(literal: OptionLiteral, key: string) {
      if (typeof literal === 'boolean') return literal
      throw new CnosError(
        'SQL_SYNTAX',
        `sql parser error: expected boolean value, but found : ${printLiteral(literal)}`,
        {
          hint: `write ${key} = true or ${key} = false, without quotes`,
        },
      )
    },
    ...spec,
  } as Declared<boolean, S>
}

export interface ParseOptionsRequest {
  /** Such as `CONNECTION` or `FILE_FORMAT`, for messages. */
  readonly clause: string
}

/**
 * Checks `literals` against `specs`. Unknown, missing or ill-typed options throw BAD_OPTION (010003) or SQL_SYNTAX
 * (010009) with the texts of CnosDB and a hint that lists what is allowed.
 */
export function parseOptions<const S extends OptionSpecs>(
  specs: S,
  literals: ReadonlyMap<string, OptionLiteral>,
  { clause }: ParseOptionsRequest,
): OptionValues<S> {
  const values: Record<string, unknown> = {}
  for (const [key, literal] of literals) {
    const spec = Object.hasOwn(specs, key) ? specs[key] : undefined
    if (!spec) {
      throw new CnosError('BAD_OPTION', `Semantic error: Unsupported option [${key}]`, {
        hint: `${clause} knows ${Object.keys(specs).join(', ')}`,
      })
    }
    values[key] = spec.parse(literal, key)
  }
  for (const [key, spec] of Object.entries(specs)) {
    if (key in values) continue
    if (spec.required) {
      throw new CnosError('BAD_OPTION', `Semantic error: \`${key}\` must be initialized`, {
        hint: `add ${key} = '…' to ${clause} = (…)`,
      })
    }
    if (spec.default !== undefined) values[key] = spec.default
  }
  return values as OptionValues<S>
}

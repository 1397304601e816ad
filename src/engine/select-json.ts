/** DuckDB's syntax tree as JSON, with integers beyond 2^53 kept exact. Trees are never changed in place. */
export type Json = null | boolean | string | number | bigint | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

/** What `query_location` holds where DuckDB knows no position. */
export const NO_LOCATION = -1

const NO_LOCATION_TEXT = /"query_location":18446744073709551615/g
const STRING_OR_ODD_NUMBER = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN|-?\d{16,}(?![\d.eE])/g
const BIG = '$big'

/** Parses DuckDB's JSON: bare `Infinity` and `NaN` are accepted, integers of 16 and more digits become bigint. */
export function parseTree(text: string): Json {
  let hasBigIntegers = false
  const marked = text
    .replace(NO_LOCATION_TEXT, `"query_location":${NO_LOCATION}`)
    .replace(STRING_OR_ODD_NUMBER, (token) => {
      if (token.startsWith('"')) return token
      if (token === 'NaN') return 'null'
      if (token.endsWith('Infinity')) return token.startsWith('-') ? '-1e999' : '1e999'
      hasBigIntegers = true
      return `{"${BIG}":"${token}"}`
    })
  if (!hasBigIntegers) return JSON.parse(marked) as Json
  return JSON.parse(marked, (_key, value: Json) =>
    isObject(value) && typeof value[BIG] === 'string' ? BigInt(value[BIG]) : value,
  ) as Json
}

/** The JSON text of a tree, as `json_deserialize_sql` reads it. */
export function printTree(tree: Json): string {
  if (typeof tree === 'bigint') return tree.toString()
  if (tree === null || typeof tree !== 'object') return JSON.stringify(tree)
  if (isArray(tree)) return `[${tree.map(printTree).join(',')}]`
  const members = Object.entries(tree).map(([key, value]) => `"${key}":${printMember(key, value)}`)
  return `{${members.join(',')}}`
}

const printMember = (key: string, value: Json) =>
  key === 'query_location' && value === NO_LOCATION ? '18446744073709551615' : printTree(value)

export const isArray = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a member of the tree says nothing. */
export const isAbsent = (value: Json | undefined) =>
  value === null || value === undefined || value === '' || value === false || (isArray(value) && value.length === 0)

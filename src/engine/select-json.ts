/** DuckDB's syntax tree as JSON, with integers beyond 2^53 kept exact. Trees are never changed in place. */
export type Json = null | boolean | string | number | bigint | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

/** What `query_location` holds where DuckDB knows no position. */
export const NO_LOCATION = -1

const NO_LOCATION_TEXT = /"query_location":18446744073709551615/g
const STRING_OR_ODD_NUMBER = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g
const BIG = '$big'

const MAYBE_ODD = /Infinity|NaN|\d{16}/

/** Parses DuckDB's JSON: bare `Infinity` and `NaN` are accepted, integers of 16 and more digits become bigint. */
export function parseTree(text: string): Json {
  const located = text.replace(NO_LOCATION_TEXT, `"query_location":${NO_LOCATION}`)
  if (!MAYBE_ODD.test(located)) return JSON.parse(located) as Json
  let hasBigIntegers = false
  const marked = located.replace(STRING_OR_ODD_NUMBER, (token) => {
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

const PRINTED_NO_LOCATION = new RegExp(`"query_location":${NO_LOCATION}(?=[,}])`, 'g')

/** The JSON text of a tree, as `json_deserialize_sql` reads it. */
export function printTree(tree: Json): string {
  return printJson(tree).replace(PRINTED_NO_LOCATION, '"query_location":18446744073709551615')
}

/** `JSON.stringify`, which is fast and knows no bigint, where it can. */
function printJson(tree: Json): string {
  if (!hasBigInteger(tree)) return JSON.stringify(tree)
  if (typeof tree === 'bigint') return tree.toString()
  if (isArray(tree)) return `[${tree.map(printJson).join(',')}]`
  const members = Object.entries(tree as JsonObject).map(([key, value]) => `${JSON.stringify(key)}:${printJson(value)}`)
  return `{${members.join(',')}}`
}

function hasBigInteger(tree: Json): boolean {
  if (typeof tree === 'bigint') return true
  if (isArray(tree)) return tree.some(hasBigInteger)
  return isObject(tree) && Object.values(tree).some(hasBigInteger)
}

export const isArray = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a member of the tree says nothing. */
export const isAbsent = (value: Json | undefined) =>
  value === null || value === undefined || value === '' || value === false || (isArray(value) && value.length === 0)

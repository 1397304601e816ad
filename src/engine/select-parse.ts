import type { Abortable } from '../async/abort.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { Session } from './engine.ts'
import { quoteString } from './quote.ts'
import { type SelectText, type SourceText, selectError, sourceOf } from './select-errors.ts'
import { findBasedNumber, findBitString, foldIdentifiers } from './select-fold.ts'
import { isArray, isObject, type Json, type JsonObject, parseTree, printTree } from './select-json.ts'
import { childOf, childrenOf, type Node, selectAll } from './select-tree.ts'

export interface ParsedSelect {
  readonly tree: Node
  readonly source: SourceText
  /** UTC, as DuckDB prints it: what `now()` means in this statement. */
  readonly now: string
}

export interface ParseOptions extends Abortable {
  /** Put around the text, so that an expression becomes a SELECT. */
  readonly before?: string
  readonly after?: string
}

/** Parses one SELECT with DuckDB's parser, unquoted names folded. Throws SQL_SYNTAX, MULTI_STATEMENT, UNSUPPORTED. */
export async function parseSelect(
  session: Session,
  query: SelectText,
  { before = '', after = '', ...options }: ParseOptions = {},
): Promise<ParsedSelect> {
  const source = sourceOf(query, before.length)
  refuseBrokenText(query.text, source)
  const folded = `${before}${foldIdentifiers(query.text)}${after}`
  const now = "strftime(timezone('UTC', now()), '%Y-%m-%d %H:%M:%S.%f')"
  const [row] = await session.all(`SELECT json_serialize_sql(${quoteString(folded)}) AS tree, ${now} AS now`, options)
  const answer = parseTree(String(row?.tree)) as JsonObject
  if (answer.error === true) throw parseError(answer, source)
  const statements = childrenOf(answer, 'statements')
  if (statements.length > 1) throw new CnosError('MULTI_STATEMENT', 'Only one statement is allowed.')
  const [statement] = statements
  if (statement === undefined)
    throw selectError('SQL_SYNTAX', 'sql parser error: Expected a SELECT, found: EOF', source, 0)
  return { tree: childOf(statement, 'node'), source, now: String(row?.now) }
}

function refuseBrokenText(text: string, source: SourceText): void {
  const nul = text.indexOf('\0')
  if (nul >= 0) {
    const at = Buffer.byteLength(text.slice(0, nul))
    throw selectError('SQL_SYNTAX', 'sql parser error: The statement holds a NUL character', source, at)
  }
  const bits = findBitString(text)
  if (bits >= 0) {
    const hint = "Write decode('41', 'hex')."
    throw selectError('UNSUPPORTED', 'A bit string is not available.', source, Buffer.byteLength(text.slice(0, bits)), {
      hint,
    })
  }
  const based = findBasedNumber(text)
  if (based >= 0) {
    const at = Buffer.byteLength(text.slice(0, based))
    throw selectError('UNSUPPORTED', 'A number of another base is not available.', source, at, {
      hint: 'Write it with decimal digits.',
    })
  }
  if (/\p{Surrogate}/u.test(text))
    throw new CnosError('SQL_SYNTAX', 'sql parser error: The statement is not valid Unicode')
}

function parseError(answer: JsonObject, source: SourceText): CnosError {
  const message = String(answer.error_message)
  if (answer.error_type === 'not implemented') {
    const hint = 'Write one SELECT, WITH or VALUES; PIVOT and prepared parameters are not available.'
    return selectError('UNSUPPORTED', 'Only a SELECT can stand here.', source, 0, { hint })
  }
  if (/depth limit|memory exhausted/.test(message)) {
    return new CnosError('UNSUPPORTED', 'The query is nested too deeply.', { hint: 'Split it into several queries.' })
  }
  const position = Number(answer.position ?? -1)
  return selectError('SQL_SYNTAX', `sql parser error: ${message}`, source, position)
}

/** The FROM item of `SELECT … FROM item`, made by us: nothing is checked. */
export async function parseFromItem(session: Session, item: string, options: Abortable = {}): Promise<Node> {
  return childOf(await parseOwn(session, `SELECT * FROM ${item}`, options), 'from_table')
}

/** The expression of a text made by us, `$1`… for arguments: nothing is checked. */
export async function parseTemplate(session: Session, text: string, options: Abortable = {}): Promise<Node> {
  return childrenOf(await parseOwn(session, `SELECT ${text}`, options), 'select_list')[0] as Node
}

async function parseOwn(session: Session, text: string, options: Abortable): Promise<Node> {
  const [row] = await session.all(`SELECT json_serialize_sql(${quoteString(text)}) AS tree`, options)
  const answer = parseTree(String(row?.tree)) as JsonObject
  if (answer.error === true) throw new CnosError('INTERNAL', `Cannot parse ${text}: ${String(answer.error_message)}`)
  return childOf(childrenOf(answer, 'statements')[0] as Node, 'node')
}

export interface PrintedSelect {
  readonly sql: string
  /** The tree of `sql`, with its positions. */
  readonly tree: Node
}

/**
 * The text of a tree. DuckDB's printer is not trusted: the text is parsed again and must mean the same tree, else
 * UNSUPPORTED, so that neither a check can be evaded nor a result change through it.
 */
export async function printSelect(session: Session, tree: Node, options: Abortable = {}): Promise<PrintedSelect> {
  const json = printTree({ error: false, statements: [{ node: tree, named_param_map: [] }] })
  const [row] = await session.all(
    `SELECT sql, json_serialize_sql(sql) AS tree FROM (SELECT json_deserialize_sql(${quoteString(json)}) AS sql)`,
    options,
  )
  const answer = parseTree(String(row?.tree)) as JsonObject
  const statements = answer.error === true ? [] : childrenOf(answer, 'statements')
  const printed = statements.length === 1 ? childOf(statements[0] as Node, 'node') : undefined
  const difference = printed === undefined ? 'no statement' : differenceOf(printed, tree, '')
  if (printed === undefined || difference !== undefined) throw unprintable(String(row?.sql), String(difference))
  return { sql: String(row?.sql), tree: printed }
}

function unprintable(sql: string, difference: string): CnosError {
  return new CnosError('UNSUPPORTED', 'This combination of clauses cannot be run.', {
    hint: 'Write the query in a simpler form, for example with subqueries instead of nested joins.',
    cause: new Error(`The printed text differs at ${difference}: ${sql}`),
  })
}

/** Where two trees differ in anything but positions; undefined when they mean the same. */
function differenceOf(left: Json | undefined, right: Json | undefined, path: string): string | undefined {
  if (isArray(left) && isArray(right)) {
    if (left.length !== right.length) return path
    return firstOf(left.map((item, at) => () => differenceOf(item, right[at], `${path}/${at}`)))
  }
  if (!isObject(left) || !isObject(right)) return sameScalar(left, right) ? undefined : path
  if (left.type !== right.type && right.type === 'EXPRESSION_LIST') return differenceOf(unwrapValues(left), right, path)
  const keys = new Set([...Object.keys(left), ...Object.keys(right)])
  keys.delete('query_location')
  return firstOf([...keys].map((key) => () => differenceOf(left[key], right[key], `${path}/${key}`)))
}

/** DuckDB prints `VALUES …` as `(SELECT * FROM (VALUES …))`. */
function unwrapValues(item: JsonObject): Json {
  const statement = item.type === 'SUBQUERY' && isObject(item.subquery) ? item.subquery : {}
  const values = isObject(statement.node) ? statement.node.from_table : undefined
  if (!isObject(values) || values.type !== 'EXPRESSION_LIST' || values.alias !== item.alias) return null
  const isBare =
    differenceOf(statement.node, selectAll(values), '') === undefined && isEmptyList(item.column_name_alias)
  return isBare ? values : null
}

const isEmptyList = (value: Json | undefined) => isArray(value) && value.length === 0

const sameScalar = (left: Json | undefined, right: Json | undefined) =>
  left === right || ((left ?? null) === null && (right ?? null) === null)

/** Where a byte offset of the printed text came from: the location of the same node in the tree that was printed. */
export function originOf(printed: Json | undefined, origin: Json | undefined, position: number): number | undefined {
  if (isArray(printed))
    return firstOf(printed.map((item, at) => () => originOf(item, isArray(origin) ? origin[at] : undefined, position)))
  if (!isObject(printed) || !isObject(origin)) return undefined
  if (printed.query_location === position && typeof origin.query_location === 'number' && origin.query_location >= 0) {
    return origin.query_location
  }
  return firstOf(Object.keys(printed).map((key) => () => originOf(printed[key], origin[key], position)))
}

function firstOf<T>(candidates: readonly (() => T | undefined)[]): T | undefined {
  for (const candidate of candidates) {
    const found = candidate()
    if (found !== undefined) return found
  }
  return undefined
}

/** What DuckDB's binder has against a text; undefined when it has nothing. */
export interface BindFault {
  readonly message: string
  /** Byte offset into the text; -1 when unknown. */
  readonly position: number
}

export async function findBindFault(
  session: Session,
  sql: string,
  options: Abortable = {},
): Promise<BindFault | undefined> {
  const [row] = await session.all(`SELECT json_serialize_plan(${quoteString(sql)}) AS plan`, options)
  const answer = parseTree(String(row?.plan)) as JsonObject
  if (answer.error !== true) return undefined
  return { message: String(answer.error_message), position: Number(answer.position ?? -1) }
}

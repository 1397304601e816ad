import type { ColumnDefinition } from '../ast.ts'
import {
  atSymbol,
  type Cursor,
  expected,
  expectSymbol,
  parseList,
  take,
  takeSymbol,
  takeWords,
  wordOf,
} from './cursor.ts'
import { parseIdentifier } from './name.ts'

const MODIFIERS: readonly (readonly string[])[] = [
  ['unsigned'],
  ['precision'],
  ['varying'],
  ['with', 'time', 'zone'],
  ['without', 'time', 'zone'],
]

function parseTypeArgument(cursor: Cursor): string {
  const { token, sql } = cursor
  if (token.kind !== 'word' && token.kind !== 'number') return expected(cursor, 'a type argument')
  take(cursor)
  return sql.slice(token.start, token.end).toUpperCase()
}

/** A data type as text: `BIGINT UNSIGNED`, `GEOMETRY(POINT, 0)`, `DECIMAL(10,6)`. Which ones exist is the planner's to say. */
function parseDataType(cursor: Cursor): string {
  if (cursor.token.kind !== 'word') expected(cursor, 'a data type name')
  let type = wordOf(cursor, take(cursor)).toUpperCase()
  if (atSymbol(cursor, '(')) {
    const parts = parseList(cursor, () => parseTypeArgument(cursor))
    type += `(${parts.join(type === 'GEOMETRY' ? ', ' : ',')})`
  }
  for (const words of MODIFIERS) if (takeWords(cursor, ...words)) type += ` ${words.join(' ').toUpperCase()}`
  return type
}

/** `CODEC(name)`, behind the keyword. */
export function parseCodec(cursor: Cursor): string {
  expectSymbol(cursor, '(')
  const codec = parseIdentifier(cursor, 'a codec name').toUpperCase()
  expectSymbol(cursor, ')')
  return codec
}

/** `name TYPE [CODEC(c)]`, a field of a time-series table. */
export function parseField(cursor: Cursor): ColumnDefinition {
  const name = parseIdentifier(cursor, 'a column name')
  const type = parseDataType(cursor)
  return takeWords(cursor, 'codec') ? { name, type, codec: parseCodec(cursor) } : { name, type }
}

/** `name TYPE [NOT NULL]`, a column of an external or stream table. */
export function parsePlainColumn(cursor: Cursor): ColumnDefinition {
  const name = parseIdentifier(cursor, 'a column name')
  const type = parseDataType(cursor)
  if (takeWords(cursor, 'not', 'null')) return { name, type, notNull: true }
  takeWords(cursor, 'null')
  return { name, type }
}

/** `( [item, …] [,] )`: CnosDB lets these lists be empty or end in a comma. */
export function parseLooseList<T>(cursor: Cursor, parseItem: () => T): T[] {
  const items: T[] = []
  expectSymbol(cursor, '(')
  while (!takeSymbol(cursor, ')')) {
    items.push(parseItem())
    if (takeSymbol(cursor, ',')) continue
    if (!takeSymbol(cursor, ')')) expected(cursor, ', or )')
    break
  }
  return items
}

import type { ColumnDefinition, Statement } from '../ast.ts'
import { syntaxError } from '../syntax-error.ts'
import { parseCodec, parseField, parseLooseList } from './column.ts'
import {
  atSymbol,
  atWords,
  type Cursor,
  expected,
  expectOneOf,
  expectSymbol,
  expectWords,
  peek,
  take,
  takeIfExists,
  takeIfNotExists,
  takeSymbol,
} from './cursor.ts'
import { parseIdentifier, parseNewObjectName, parseObjectName } from './name.ts'

interface TableColumns {
  readonly fields: readonly ColumnDefinition[]
  readonly tags: readonly string[]
}

/** `(f TYPE [CODEC(c)], …, TAGS (a, b))`: the tags, possibly none, come last. */
function parseTableColumns(cursor: Cursor): TableColumns {
  const fields: ColumnDefinition[] = []
  const { start } = cursor.token
  let tags: readonly string[] = []
  expectSymbol(cursor, '(')
  do {
    if (atWords(cursor, 'tags') && atSymbol(cursor, '(', peek(cursor, 1))) {
      take(cursor)
      tags = parseLooseList(cursor, () => parseIdentifier(cursor, 'a tag name'))
      if (atSymbol(cursor, ',')) expected(cursor, ')', { hint: 'TAGS (…) comes last' })
      break
    }
    fields.push(parseField(cursor))
  } while (takeSymbol(cursor, ','))
  if (!takeSymbol(cursor, ')')) expected(cursor, ', or )')
  if (fields.length === 0) throw syntaxError(cursor.sql, start, 'Expected at least one field besides the tags')
  return { fields, tags }
}

/** `CREATE TABLE [IF NOT EXISTS] t (…)`; the cursor is behind TABLE. */
export function parseCreateTable(cursor: Cursor): Statement {
  const ifNotExists = takeIfNotExists(cursor)
  const table = parseNewObjectName(cursor, 'a table name')
  return { kind: 'create-table', table, ifNotExists, ...parseTableColumns(cursor) }
}

type AlterAction = Extract<Statement, { readonly kind: 'alter-table' }>['action']

function parseAlterAction(cursor: Cursor): AlterAction {
  const verb = expectOneOf(cursor, ['add', 'alter', 'drop', 'rename'])
  if (verb === 'add') {
    if (expectOneOf(cursor, ['field', 'tag']) === 'field') return { kind: 'add-field', column: parseField(cursor) }
    return { kind: 'add-tag', name: parseIdentifier(cursor, 'a tag name') }
  }
  if (verb === 'alter') {
    const name = parseIdentifier(cursor, 'a column name')
    expectWords(cursor, 'set', 'codec')
    return { kind: 'set-codec', name, codec: parseCodec(cursor) }
  }
  if (verb === 'drop') {
    return { kind: 'drop-column', name: parseIdentifier(cursor, 'a column name') }
  }
  expectWords(cursor, 'column')
  const from = parseIdentifier(cursor, 'a column name')
  expectWords(cursor, 'to')
  return { kind: 'rename-column', from, to: parseIdentifier(cursor, 'a column name') }
}

/** `ALTER TABLE t …`; the cursor is behind TABLE. */
export function parseAlterTable(cursor: Cursor): Statement {
  const table = parseObjectName(cursor, 'a table name')
  return { kind: 'alter-table', table, action: parseAlterAction(cursor) }
}

/** `DROP TABLE [IF EXISTS] t`; the cursor is behind TABLE. */
export function parseDropTable(cursor: Cursor): Statement {
  const ifExists = takeIfExists(cursor)
  return { kind: 'drop-table', table: parseObjectName(cursor, 'a table name'), ifExists }
}

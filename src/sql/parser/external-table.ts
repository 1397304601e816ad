import type { ColumnDefinition, Expression, Options, Statement } from '../ast.ts'
import { syntaxError } from '../syntax-error.ts'
import { parseLooseList, parsePlainColumn } from './column.ts'
import {
  atSymbol,
  type Cursor,
  expectString,
  expectSymbol,
  expectWords,
  parseList,
  takeIfNotExists,
  takeSymbol,
  takeWords,
} from './cursor.ts'
import { parseIdentifier, parseNewObjectName } from './name.ts'
import { parseOptionList } from './option-list.ts'
import { takeVerbatim } from './verbatim.ts'

interface Clauses {
  fileType?: string
  hasHeader?: true
  delimiter?: string
  compression?: string
  partitionedBy?: readonly string[]
  order?: Expression
  options?: Options
  location?: string
}

interface ClauseParser<K extends keyof Clauses> {
  readonly words: readonly string[]
  readonly parse: (cursor: Cursor) => NonNullable<Clauses[K]>
}

function parseOrder(cursor: Cursor): Expression {
  expectSymbol(cursor, '(')
  const order = takeVerbatim(cursor, 'an expression', { parenthesis: true })
  expectSymbol(cursor, ')')
  return order
}

/** The clauses in the order they are printed in. */
const CLAUSES: { readonly [K in keyof Required<Clauses>]: ClauseParser<K> } = {
  fileType: { words: ['stored', 'as'], parse: (cursor) => parseIdentifier(cursor, 'a file type').toUpperCase() },
  hasHeader: { words: ['with', 'header', 'row'], parse: () => true },
  delimiter: { words: ['delimiter'], parse: (cursor) => expectString(cursor) },
  compression: {
    words: ['compression', 'type'],
    parse: (cursor) => parseIdentifier(cursor, 'a compression type').toUpperCase(),
  },
  partitionedBy: {
    words: ['partitioned', 'by'],
    parse: (cursor) => parseList(cursor, () => parseIdentifier(cursor, 'a column name')),
  },
  order: { words: ['with', 'order'], parse: parseOrder },
  options: { words: ['options'], parse: parseOptionList },
  location: { words: ['location'], parse: (cursor) => expectString(cursor, 'a path in single quotes') },
}

function parseClause<K extends keyof Clauses>(cursor: Cursor, clauses: Clauses, key: K): boolean {
  const { words, parse }: ClauseParser<K> = CLAUSES[key]
  const { start } = cursor.token
  if (!takeWords(cursor, ...words)) return false
  if (clauses[key] !== undefined) {
    throw syntaxError(cursor.sql, start, `${words.join(' ').toUpperCase()} specified more than once`)
  }
  clauses[key] = parse(cursor)
  return true
}

function parseClauses(cursor: Cursor): Clauses {
  const clauses: Clauses = {}
  const keys = Object.keys(CLAUSES) as (keyof Clauses)[]
  while (keys.some((key) => parseClause(cursor, clauses, key)));
  return clauses
}

/** `CREATE EXTERNAL TABLE …`; the cursor is behind TABLE. */
export function parseCreateExternalTable(cursor: Cursor): Statement {
  const ifNotExists = takeIfNotExists(cursor)
  const table = parseNewObjectName(cursor, 'a table name')
  const columns = atSymbol(cursor, '(') ? parseLooseList(cursor, () => parsePlainColumn(cursor)) : []
  const {
    fileType,
    hasHeader = false,
    delimiter,
    compression,
    partitionedBy = [],
    order,
    options,
    location,
  } = parseClauses(cursor)
  const missing = fileType === undefined ? 'STORED AS' : 'LOCATION'
  if (fileType === undefined || location === undefined) {
    throw syntaxError(cursor.sql, cursor.token.start, `Missing ${missing} clause in CREATE EXTERNAL TABLE statement`)
  }
  return {
    kind: 'create-external-table',
    table,
    ifNotExists,
    columns,
    fileType,
    hasHeader,
    delimiter,
    compression,
    partitionedBy,
    options: options ?? new Map(),
    ...(order && { order }),
    location,
  }
}

/** `CREATE STREAM TABLE [IF NOT EXISTS] t [(…)] WITH (…) ENGINE = name`; the cursor is behind TABLE. */
export function parseCreateStreamTable(cursor: Cursor): Statement {
  const ifNotExists = takeIfNotExists(cursor)
  const table = parseNewObjectName(cursor, 'a table name')
  const columns: readonly ColumnDefinition[] = atSymbol(cursor, '(')
    ? parseLooseList(cursor, () => parsePlainColumn(cursor))
    : []
  expectWords(cursor, 'with')
  const options = parseOptionList(cursor)
  expectWords(cursor, 'engine')
  takeSymbol(cursor, '=')
  const engine = parseIdentifier(cursor, 'an engine name')
  return { kind: 'create-stream-table', table, ifNotExists, columns, options, engine }
}

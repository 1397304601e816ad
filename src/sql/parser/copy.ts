import type { CopyLocationClauses, Options, Statement } from '../ast.ts'
import { tokenText } from '../tokenizer.ts'
import {
  atSymbol,
  atWords,
  type Cursor,
  expected,
  expectSymbol,
  expectWords,
  parseList,
  peek,
  take,
  takeSymbol,
  takeWords,
} from './cursor.ts'
import { parseIdentifier, parseObjectName } from './name.ts'
import { parseOptionList } from './option-list.ts'
import { parseUnsupported } from './unsupported.ts'
import { parseQuery } from './verbatim.ts'

const CLAUSES = ['connection', 'file_format', 'copy_options'] as const
type Clause = (typeof CLAUSES)[number]

/** `CONNECTION = (…)`, `FILE_FORMAT = (…)`, `COPY_OPTIONS = (…)` in any order; a repeated clause replaces the earlier. */
function parseClauses(cursor: Cursor, path: string): CopyLocationClauses {
  const clauses: Partial<Record<Clause, Options>> = {}
  for (;;) {
    const clause = CLAUSES.find((word) => atWords(cursor, word))
    if (clause === undefined) break
    take(cursor)
    takeSymbol(cursor, '=')
    if (!atSymbol(cursor, '(')) expected(cursor, '= or (')
    clauses[clause] = parseOptionList(cursor)
  }
  return {
    path,
    connection: clauses.connection,
    fileFormat: clauses.file_format,
    copyOptions: clauses.copy_options,
  }
}

function parseExport(cursor: Cursor): Statement {
  const path = tokenText(cursor.sql, take(cursor))
  expectWords(cursor, 'from')
  if (!takeSymbol(cursor, '(')) {
    const table = parseObjectName(cursor, 'a table name or a query in parentheses')
    return { kind: 'copy-into-location', source: { kind: 'table', table }, location: parseClauses(cursor, path) }
  }
  const query = parseQuery(cursor, { parenthesis: true })
  expectSymbol(cursor, ')')
  return { kind: 'copy-into-location', source: { kind: 'query', query }, location: parseClauses(cursor, path) }
}

/** `(a, TAGS(b, c), d)`, flattened to a, b, c, d as CnosDB's documentation means it. */
function parseColumns(cursor: Cursor): readonly string[] {
  const isTags = () => atWords(cursor, 'tags') && atSymbol(cursor, '(', peek(cursor, 1))
  const columns = parseList(cursor, () => {
    if (!isTags()) return [parseIdentifier(cursor)]
    take(cursor)
    return parseList(cursor, () => parseIdentifier(cursor))
  })
  return columns.flat()
}

/** The path of an import: in single or double quotes, or one bare word. */
function parsePath(cursor: Cursor): string {
  const { kind } = cursor.token
  if (kind !== 'string' && kind !== 'quoted' && kind !== 'word') {
    return expected(cursor, 'a path in single quotes', {
      hint: "COPY INTO table FROM 'path' imports; COPY INTO 'path' FROM (SELECT …) exports",
    })
  }
  return tokenText(cursor.sql, take(cursor))
}

function parseImport(cursor: Cursor): Statement {
  const table = parseObjectName(cursor, 'a table name or a path in single quotes')
  const columns = atSymbol(cursor, '(') ? parseColumns(cursor) : undefined
  expectWords(cursor, 'from')
  const path = parsePath(cursor)
  return { kind: 'copy-into-table', table, columns, location: parseClauses(cursor, path) }
}

/** COPY INTO, both ways: a single-quoted string behind INTO is a location to export to, anything else a table. */
export function parseCopy(cursor: Cursor): Statement {
  take(cursor)
  if (atWords(cursor, 'vnode')) return parseUnsupported(cursor, 'COPY VNODE')
  if (!takeWords(cursor, 'into')) expected(cursor, 'INTO or VNODE after COPY')
  return cursor.token.kind === 'string' ? parseExport(cursor) : parseImport(cursor)
}

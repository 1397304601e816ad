import { foldIdentifier, nextToken, type Token, tokenText } from '../sql/tokenizer.ts'

/** One cell of a VALUES list, as written. */
export type LiteralCell =
  | { readonly kind: 'string'; readonly text: string }
  /** Digits with an optional sign, point and exponent. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'boolean'; readonly text: 'true' | 'false' }
  | { readonly kind: 'null' }

export interface LiteralRow {
  readonly cells: readonly LiteralCell[]
  /** Where the row starts in the text. */
  readonly start: number
}

const NULL_CELL: LiteralCell = { kind: 'null' }
const TRUE_CELL: LiteralCell = { kind: 'boolean', text: 'true' }
const FALSE_CELL: LiteralCell = { kind: 'boolean', text: 'false' }

const WORDS: ReadonlyMap<string, LiteralCell> = new Map<string, LiteralCell>([
  ['null', NULL_CELL],
  ['true', TRUE_CELL],
  ['false', FALSE_CELL],
])

/** Reads a text token by token. */
class Cursor {
  readonly #sql: string
  token: Token

  constructor(sql: string) {
    this.#sql = sql
    this.token = nextToken(sql, 0)
  }

  text(): string {
    return tokenText(this.#sql, this.token)
  }

  advance(): void {
    this.token = nextToken(this.#sql, this.token.end)
  }

  takeSymbol(symbol: string): boolean {
    if (this.token.kind !== 'symbol' || this.text() !== symbol) return false
    this.advance()
    return true
  }

  takeWord(word: string): boolean {
    if (this.token.kind !== 'word' || foldIdentifier(this.text()) !== word) return false
    this.advance()
    return true
  }
}

/**
 * The rows of `VALUES (…), (…)` when every cell is a literal: a string, a number, true, false, NULL or TIMESTAMP '…'.
 * Undefined for anything else, which the engine then has to evaluate. Literals are read here because the engine would
 * give the cells of one column a common type first and lose digits on the way.
 */
export function parseLiteralRows(text: string): readonly LiteralRow[] | undefined {
  const cursor = new Cursor(text)
  if (!cursor.takeWord('values')) return undefined
  const rows: LiteralRow[] = []
  do {
    const row = takeRow(cursor)
    if (!row) return undefined
    rows.push(row)
  } while (cursor.takeSymbol(','))
  return cursor.token.kind === 'end' ? rows : undefined
}

function takeRow(cursor: Cursor): LiteralRow | undefined {
  const { start } = cursor.token
  if (!cursor.takeSymbol('(')) return undefined
  const cells: LiteralCell[] = []
  do {
    const cell = takeCell(cursor)
    if (!cell) return undefined
    cells.push(cell)
  } while (cursor.takeSymbol(','))
  return cursor.takeSymbol(')') ? { cells, start } : undefined
}

function takeCell(cursor: Cursor): LiteralCell | undefined {
  if (cursor.takeSymbol('-')) return takeNumber(cursor, '-')
  if (cursor.takeSymbol('+')) return takeNumber(cursor, '')
  const { kind } = cursor.token
  if (kind === 'number') return takeNumber(cursor, '')
  if (kind === 'string') return takeString(cursor)
  if (kind !== 'word') return undefined
  if (cursor.takeWord('timestamp')) return takeString(cursor)
  const cell = WORDS.get(foldIdentifier(cursor.text()))
  if (cell) cursor.advance()
  return cell
}

function takeNumber(cursor: Cursor, sign: string): LiteralCell | undefined {
  if (cursor.token.kind !== 'number') return undefined
  const text = sign + cursor.text()
  cursor.advance()
  return { kind: 'number', text }
}

function takeString(cursor: Cursor): LiteralCell | undefined {
  if (cursor.token.kind !== 'string') return undefined
  const text = cursor.text()
  cursor.advance()
  return { kind: 'string', text }
}

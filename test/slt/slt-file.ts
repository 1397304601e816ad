/** Who runs the records that follow. */
export interface SltConnection {
  readonly user: string
  readonly password: string
  readonly tenant: string
  readonly database: string
}

/** A piece of an .slt file. `line` is where it starts, counted from 1. */
export type SltRecord = { readonly line: number } & (
  | { readonly kind: 'statement'; readonly sql: string; readonly error: ExpectedError | undefined }
  | {
      readonly kind: 'query'
      readonly sql: string
      /** One letter a column: I integer, R number with a fraction, T text, B boolean, D time, ? anything. */
      readonly types: string
      readonly isSorted: boolean
      readonly rows: readonly string[]
    }
  | { readonly kind: 'connection'; readonly connection: SltConnection }
  | { readonly kind: 'file'; readonly path: string; readonly content: string }
  | { readonly kind: 'restart' }
)

export interface ExpectedError {
  /** A name or number of errors/codes.ts. */
  readonly code: string
  /** Part of the message; empty when any will do. */
  readonly text: string
}

export const ROOT: SltConnection = { user: 'root', password: 'slt-root', tenant: 'cnosdb', database: 'public' }
const SEPARATOR = '----'
const TYPES = /^[IRTBD?]+$/

interface Lines {
  readonly path: string
  readonly lines: readonly string[]
  at: number
}

function refuse({ path }: Lines, line: number, text: string): never {
  throw new Error(`${path}:${line}: ${text}`)
}

/** The lines up to `isEnd`, joined; the line that ends them is taken as well. */
function takeUntil(lines: Lines, isEnd: (line: string) => boolean): string[] {
  const taken: string[] = []
  for (; lines.at < lines.lines.length; lines.at += 1) {
    const line = lines.lines[lines.at] ?? ''
    if (isEnd(line)) {
      lines.at += 1
      break
    }
    taken.push(line)
  }
  return taken
}

const isBlank = (line: string) => line.trim() === ''

function parseConnection(lines: Lines, line: number, words: readonly string[]): SltConnection {
  const connection: Record<string, string> = { ...ROOT }
  for (const word of words) {
    const [key = '', value] = word.split('=')
    if (!(key in ROOT) || value === undefined) refuse(lines, line, `unknown connection setting ${word}`)
    connection[key] = value
  }
  return connection as unknown as SltConnection
}

function parseStatement(lines: Lines, line: number, [outcome, code = '', ...text]: readonly string[]): SltRecord {
  if (outcome !== 'ok' && (outcome !== 'error' || code === ''))
    refuse(lines, line, 'statement ok | statement error CODE [text]')
  const sql = takeUntil(lines, isBlank).join('\n')
  if (isBlank(sql)) refuse(lines, line, 'statement without SQL')
  return { line, kind: 'statement', sql, error: outcome === 'ok' ? undefined : { code, text: text.join(' ') } }
}

function parseQuery(lines: Lines, line: number, [types = '', ...options]: readonly string[]): SltRecord {
  if (!TYPES.test(types)) refuse(lines, line, 'query TYPES [rowsort]; types are I R T B D ?')
  if (options.some((option) => option !== 'rowsort')) refuse(lines, line, `unknown option in: ${options.join(' ')}`)
  const sql = takeUntil(lines, (text) => text === SEPARATOR).join('\n')
  if (isBlank(sql) || lines.lines[lines.at - 1] !== SEPARATOR) refuse(lines, line, `query without SQL or ${SEPARATOR}`)
  return { line, kind: 'query', sql, types, isSorted: options.includes('rowsort'), rows: takeUntil(lines, isBlank) }
}

function parseRecord(lines: Lines): SltRecord {
  const line = lines.at + 1
  const [word = '', ...words] = (lines.lines[lines.at] ?? '').split(/\s+/)
  lines.at += 1
  if (word === 'statement') return parseStatement(lines, line, words)
  if (word === 'query') return parseQuery(lines, line, words)
  if (word === 'connection') return { line, kind: 'connection', connection: parseConnection(lines, line, words) }
  if (word === 'restart') return { line, kind: 'restart' }
  if (word === 'file' && words[0]) {
    const content = takeUntil(lines, (text) => text === SEPARATOR)
    return { line, kind: 'file', path: words[0], content: content.map((text) => `${text}\n`).join('') }
  }
  return refuse(lines, line, `unknown record: ${word}`)
}

/**
 * Reads a sqllogictest file. Records are parted by blank lines, `#` starts a comment line.
 *
 * - `statement ok`, `statement error CODE [part of the message]`, then SQL.
 * - `query TYPES [rowsort]`, SQL, `----`, one line a row.
 * - `connection [user=u] [password=p] [tenant=t] [database=d]`: for what follows; what is not named is root's.
 * - `file PATH`, content, `----`: writes a file below the directory that `$TMP` stands for.
 * - `restart`: closes the database and opens it again.
 *
 * Throws with path and line when the file cannot be read as that.
 */
export function parseSltFile(path: string, text: string): readonly SltRecord[] {
  const lines: Lines = { path, lines: text.split('\n'), at: 0 }
  const records: SltRecord[] = []
  while (lines.at < lines.lines.length) {
    const line = lines.lines[lines.at] ?? ''
    if (isBlank(line) || line.startsWith('#')) lines.at += 1
    else records.push(parseRecord(lines))
  }
  return records
}

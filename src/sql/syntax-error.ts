import { CnosError } from '../errors/cnos-error.ts'
import { findSecrets, sliceRedacted } from './redact.ts'

const EXCERPT_WIDTH = 100
const EXCERPT_HEAD = 60
const FOUND_WIDTH = 60
/** More of the text than is ever shown need not be looked at. */
const NEARBY = 400

/** A place in a text, both counted from 1; a column is one character, whatever its width in bytes. */
export interface Place {
  readonly line: number
  readonly column: number
}

export function placeOf(text: string, offset: number): Place {
  const lineStart = lineStartOf(text, offset)
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < lineStart; at = text.indexOf('\n', at + 1)) line += 1
  let column = 1
  for (let at = lineStart; at < offset; at += 1) {
    const isSecondHalf = (text.charCodeAt(at) & 0xfc00) === 0xdc00
    if (!isSecondHalf) column += 1
  }
  return { line, column }
}

function lineStartOf(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1
}

/** The piece of SQL at fault, safe to show: secrets masked, long text cut, `EOF` at the end. */
export function describeFound(sql: string, start: number, end: number): string {
  if (start >= sql.length) return 'EOF'
  const shown = [...sliceRedacted(sql, findSecrets(sql), start, Math.min(end, start + NEARBY)).replace(/\s+/g, ' ')]
  return shown.length > FOUND_WIDTH ? `${shown.slice(0, FOUND_WIDTH).join('')}…` : shown.join('')
}

/** The faulty line, cut around the fault, with a caret below it. */
function excerpt(sql: string, offset: number): string {
  const secrets = findSecrets(sql)
  const newline = sql.indexOf('\n', offset)
  const lineEnd = newline === -1 ? sql.length : newline
  const safe = (from: number, to: number) => [...sliceRedacted(sql, secrets, from, to).replace(/\s/g, ' ')]
  const inside = secrets.find((secret) => secret.start < offset && offset < secret.end)
  const fault = inside?.start ?? offset
  const before = safe(Math.max(lineStartOf(sql, fault), fault - NEARBY), fault)
  const after = safe(fault, Math.min(lineEnd, fault + NEARBY))
  const head = before.slice(-EXCERPT_HEAD)
  const tail = after.slice(0, EXCERPT_WIDTH - head.length)
  const left = head.length < before.length ? '…' : ''
  const right = tail.length < after.length ? '…' : ''
  return `  ${left}${head.join('')}${tail.join('').trimEnd()}${right}\n  ${' '.repeat(left.length + head.length)}^`
}

export interface SyntaxErrorOptions {
  readonly hint?: string | undefined
}

/**
 * A SQL_SYNTAX error at `offset`: CnosDB's one-line text first, then line, column and the faulty line with a caret.
 * Secrets are masked.
 */
export function syntaxError(sql: string, offset: number, text: string, { hint }: SyntaxErrorOptions = {}): CnosError {
  const { line, column } = placeOf(sql, offset)
  const where = sql.trim() === '' ? '' : `\nline ${line}, column ${column}:\n${excerpt(sql, offset)}`
  return new CnosError('SQL_SYNTAX', `sql parser error: ${text}${where}`, {
    context: { line, position: Buffer.byteLength(sql.slice(0, offset)) },
    ...(hint === undefined ? {} : { hint }),
  })
}

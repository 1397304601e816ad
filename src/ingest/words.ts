import type { TextsBuilder } from '../engine/texts.ts'
import { APOSTROPHE, BACKSLASH, COMMA, EQUALS, QUOTE, SPACE } from './bytes.ts'
import { faultAt } from './parse-fault.ts'

/**
 * Where the name or tag value at `start` ends: at the first comma, blank, or `=` when that ends it, that is not escaped,
 * or at `end`. Throws LINE_PROTOCOL_SYNTAX for an escape CnosDB does not know.
 */
export function wordEnd(body: Buffer, start: number, end: number, stopsAtEquals: boolean): number {
  for (let at = start; at < end; at += 1) {
    const byte = body[at]
    if (byte === COMMA || byte === SPACE || (byte === EQUALS && stopsAtEquals)) return at
    if (byte !== BACKSLASH) continue
    at += 1
    if (at < end && isEscapable(body[at], stopsAtEquals)) continue
    throw faultAt(body, at - 1, 'a backslash stands before a character that cannot be escaped', {
      hint: 'write \\\\ for a backslash; only comma, blank, =, \\, " and \' are escaped',
    })
  }
  return end
}

function isEscapable(byte: number | undefined, mayBeEquals: boolean): boolean {
  if (byte === EQUALS) return mayBeEquals
  return byte === COMMA || byte === SPACE || byte === BACKSLASH || byte === QUOTE || byte === APOSTROPHE
}

/** As CnosDB does: the backslash goes before comma, blank and `=`; `\\`, `\"` and `\'` stay two characters. */
export function unescapeWord(text: string): string {
  return text.includes('\\') ? text.replace(/\\(?:([, =])|([\\"']))/g, (whole, kept) => kept ?? whole) : text
}

/** Puts the word between `start` and `end` among `texts`, unescaped. */
export function putWord(texts: TextsBuilder, row: number, body: Buffer, start: number, end: number): void {
  let at = start
  while (at < end && body[at] !== BACKSLASH) at += 1
  if (at < end) {
    const word = Buffer.from(unescapeWord(body.toString('utf8', start, end)))
    texts.put(row, word, 0, word.length)
  } else texts.put(row, body, start, end)
}

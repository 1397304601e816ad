/**
 * Unquoted identifiers are lower case in CnosDB, while DuckDB keeps their case: this lowers every letter that stands
 * outside of strings, quoted identifiers and comments. Each character keeps its place, so positions stay true.
 * The two-word type names of CnosDB become DuckDB's, padded with blanks to the same length.
 */
export function foldIdentifiers(text: string): string {
  let folded = ''
  let start = 0
  for (let at = 0; at < text.length; ) {
    const end = endOfVerbatim(text, at)
    if (end === at) {
      at += 1
      continue
    }
    folded += foldCode(text.slice(start, at)) + text.slice(at, end)
    at = end
    start = end
  }
  return folded + foldCode(text.slice(start))
}

/** Where a bit string such as `X'41'` starts, which DuckDB's parser takes for the text `x41`; -1 when there is none. */
export function findBitString(text: string): number {
  for (let at = 0; at < text.length; ) {
    if (text[at] === "'" && isPrefixed(text, at, /[xXbB]/)) return at - 1
    at = Math.max(at + 1, endOfVerbatim(text, at))
  }
  return -1
}

/** Where a number such as `0x1F` starts, which DuckDB's parser takes for a 0 named `x1f`; -1 when there is none. */
export function findBasedNumber(text: string): number {
  for (let at = 0; at < text.length; ) {
    const isBased = text[at] === '0' && /^0[xXoObB][0-9a-fA-F]/.test(text.slice(at, at + 3))
    if (isBased && !/[A-Za-z0-9_$.\u0080-\uffff]/.test(text[at - 1] ?? '')) return at
    at = Math.max(at + 1, endOfVerbatim(text, at))
  }
  return -1
}

function foldCode(code: string): string {
  const lower = code.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
  return lower.replace(/\b(tinyint|smallint|int|integer|bigint)\s+unsigned\b/g, (words, type: string) =>
    (type.startsWith('int') ? 'uinteger' : `u${type}`).padEnd(words.length),
  )
}

/** Where the string, quoted identifier or comment that starts at `at` ends; `at` itself when none starts there. */
function endOfVerbatim(text: string, at: number): number {
  switch (text[at]) {
    case "'":
      return isEscapeString(text, at) ? endOfEscapeString(text, at) : endOfQuoted(text, at, "'")
    case '"':
      return endOfQuoted(text, at, '"')
    case '-':
      return text[at + 1] === '-' ? endOr(text.indexOf('\n', at), text) : at
    case '/':
      return text[at + 1] === '*' ? endOfComment(text, at) : at
    case '$':
      return endOfDollarQuoted(text, at)
    default:
      return at
  }
}

const endOr = (index: number, text: string) => (index < 0 ? text.length : index)

function endOfQuoted(text: string, at: number, quote: string): number {
  const end = text.indexOf(quote, at + 1)
  return end < 0 ? text.length : end + 1
}

const isEscapeString = (text: string, at: number) => isPrefixed(text, at, /[eE]/)

function isPrefixed(text: string, at: number, letter: RegExp): boolean {
  return letter.test(text[at - 1] ?? '') && !/[A-Za-z0-9_$\u0080-\uffff]/.test(text[at - 2] ?? '')
}

function endOfEscapeString(text: string, at: number): number {
  let index = at + 1
  while (index < text.length && text[index] !== "'") index += text[index] === '\\' ? 2 : 1
  return Math.min(index + 1, text.length)
}

function endOfComment(text: string, at: number): number {
  let depth = 0
  for (let index = at; index < text.length; index += 1) {
    if (text.startsWith('/*', index)) {
      depth += 1
      index += 1
    } else if (text.startsWith('*/', index)) {
      depth -= 1
      index += 1
      if (depth === 0) return index + 1
    }
  }
  return text.length
}

function endOfDollarQuoted(text: string, at: number): number {
  if (/[A-Za-z0-9_$\u0080-\uffff]/.test(text[at - 1] ?? '')) return at
  const tag = /^\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/.exec(text.slice(at, at + 128))?.[0]
  if (tag === undefined) return at
  const end = text.indexOf(tag, at + tag.length)
  return end < 0 ? text.length : end + tag.length
}

import { CnosError } from '../errors/cnos-error.ts'
import type { ErrorName } from '../errors/codes.ts'

/** SELECT, WITH, VALUES or UNION text; `offset` is where it starts in the user's statement. */
export interface SelectText {
  readonly text: string
  readonly offset: number
  /** The whole statement, so that errors can name the line and column of what the user sent. Default: `text`. */
  readonly statement?: string
}

/** Translates DuckDB's byte offsets into `text` to the user's statement. */
export interface SourceText {
  readonly query: SelectText
  /** UTF-16 index into the statement for a byte offset into `query.text`. */
  indexOf(byteOffset: number): number
}

/** `skipped`: bytes that were put before the text for the parser's sake. */
export function sourceOf(query: SelectText, skipped = 0): SourceText {
  const bytes = Buffer.from(query.text, 'utf8')
  const isAscii = bytes.length === query.text.length
  return {
    query,
    indexOf: (byteOffset) => {
      const at = Math.min(Math.max(0, byteOffset - skipped), bytes.length)
      return query.offset + (isAscii ? at : bytes.subarray(0, at).toString('utf8').length)
    },
  }
}

export interface SelectErrorOptions {
  readonly hint?: string
  /** The column it is about. */
  readonly column?: string
  readonly cause?: unknown
}

/** An error at a byte offset of the parsed text; with a negative offset only the message is given. */
export function selectError(
  name: ErrorName,
  message: string,
  source: SourceText,
  byteOffset: number,
  { hint, column, cause }: SelectErrorOptions = {},
): CnosError {
  const about = column === undefined ? {} : { column }
  const rest = { ...(hint === undefined ? {} : { hint }), ...(cause === undefined ? {} : { cause }) }
  if (byteOffset < 0) return new CnosError(name, message, { ...rest, context: about })
  const index = source.indexOf(byteOffset)
  const place = placeIn(source, index)
  return new CnosError(name, `${message}\nline ${place.line}, column ${place.column}:\n${place.excerpt}`, {
    ...rest,
    context: { ...about, position: place.position, line: place.line },
  })
}

/** Only the query itself is ever shown: the statement around it may hold credentials. */
function placeIn({ query }: SourceText, index: number) {
  const { text, offset, statement = text } = query
  const start = query.statement === undefined ? 0 : offset
  const at = start + index - offset
  const before = statement.slice(0, at)
  const lineStart = before.lastIndexOf('\n') + 1
  const head = [...before.slice(Math.max(lineStart, start))]
  const tail = text.slice(at - start).split('\n', 1)[0] ?? ''
  return {
    line: before.split('\n').length,
    column: [...before.slice(lineStart)].length + 1,
    excerpt: excerptOf(head, [...tail]),
    position: query.statement === undefined ? index : Buffer.byteLength(before),
  }
}

const HEAD_WIDTH = 60
const WIDTH = 100

function excerptOf(head: readonly string[], tail: readonly string[]): string {
  const shownHead = head.slice(-HEAD_WIDTH)
  const shownTail = tail.slice(0, WIDTH - shownHead.length)
  const left = shownHead.length < head.length ? '…' : ''
  const right = shownTail.length < tail.length ? '…' : ''
  const line = `${left}${shownHead.join('')}${shownTail.join('').trimEnd()}${right}`.replace(/\s/g, ' ')
  return `  ${line}\n  ${' '.repeat(left.length + shownHead.length)}^`
}

/** A name that is no column, told as DataFusion tells it. `column` of the context is the name. */
export function unknownField(
  name: string,
  fields: readonly string[],
  source: SourceText,
  byteOffset: number,
  cause?: unknown,
): CnosError {
  const valid = fields.length === 0 ? '' : ` Valid fields are ${fields.join(', ')}.`
  const message = `Datafusion: Schema error: No field named ${name}.${valid}`
  return selectError('PLANNING', message, source, byteOffset, { column: name, cause })
}

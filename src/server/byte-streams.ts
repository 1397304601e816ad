import { type Duplex, Readable } from 'node:stream'

/** What `stream` makes of `source`; both are closed when the loop is left. */
export async function* through(source: AsyncIterable<Uint8Array>, stream: Duplex): AsyncIterable<Uint8Array> {
  const input = Readable.from(source, { objectMode: false })
  input.on('error', (error) => stream.destroy(error)).pipe(stream)
  try {
    for await (const chunk of stream) yield chunk as Uint8Array
  } finally {
    input.destroy()
    stream.destroy()
  }
}

/** The UTF-8 of `pieces` in buffers of at least `minBytes`, but for the last. */
export async function* gatherBytes(pieces: AsyncIterable<string>, minBytes: number): AsyncIterable<Uint8Array> {
  let waiting: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    const buffer = Buffer.from(piece)
    waiting.push(buffer)
    bytes += buffer.length
    if (bytes < minBytes) continue
    yield waiting.length === 1 ? buffer : Buffer.concat(waiting, bytes)
    waiting = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(waiting, bytes)
}

export interface Peeked {
  /** Set when the source has ended: all of it. */
  readonly whole: Uint8Array | undefined
  /** The source from its beginning. Read it, or call `close`. */
  readonly all: AsyncIterable<Uint8Array>
}

/** Waits until `source` has given two buffers or ended, so that a failure before that is found before anything is sent. */
export async function peek(source: AsyncIterable<Uint8Array>): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  for (let isDone = false; !isDone; isDone = head.length === 2) {
    const next = await iterator.next()
    if (next.done) return { whole: head[0] ?? new Uint8Array(), all: replay(head, undefined) }
    head.push(next.value)
  }
  return { whole: undefined, all: replay(head, iterator) }
}

async function* replay(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array> | undefined,
): AsyncIterable<Uint8Array> {
  try {
    yield* head
    for (let next = await rest?.next(); next && !next.done; next = await rest?.next()) yield next.value
  } finally {
    await rest?.return?.()
  }
}

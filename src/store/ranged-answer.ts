import { CnosError } from '../errors/cnos-error.ts'
import type { GetOptions, ObjectMeta } from './object-store.ts'
import { objectUrl } from './store-error.ts'

/** The Range header of a half-open range: HTTP counts the last byte in. */
export function rangeHeader(range: GetOptions['range']): string | undefined {
  return range && `bytes=${range.start}-${range.end - 1}`
}

/** An etag without the quotes of HTTP. */
export function bareEtag(etag: string | undefined): string | undefined {
  return etag?.replace(/^W\//, '').replace(/^"(.*)"$/, '$1')
}

export interface AnsweredFields {
  readonly size: number | undefined
  readonly modified: Date | undefined
  readonly etag: string | undefined
}

/** ObjectMeta from what a store answered. */
export function answeredMeta(path: string, { size, modified, etag }: AnsweredFields): ObjectMeta {
  return { path, sizeBytes: size ?? 0, lastModified: modified ?? new Date(0), etag: bareEtag(etag) }
}

export interface RangedAnswer {
  readonly range: GetOptions['range']
  readonly ifMatch: string | undefined
  readonly contentRange: string | undefined
  /** Content-Length. */
  readonly length: number | undefined
  readonly etag: string | undefined
}

export interface RangedObject {
  readonly label: string
  readonly path: string
  /** Frees the connection when the answer is refused. */
  readonly discard: () => void
}

/**
 * What part of which object a GET answered with. A store that ignores the range, or answers with another object than
 * `ifMatch` although it was told not to, is refused.
 */
export function expectRange(
  answer: RangedAnswer,
  object: RangedObject,
): { readonly start: number; readonly end: number; readonly size: number } {
  const { range, ifMatch } = answer
  if (ifMatch !== undefined && answer.etag !== undefined && bareEtag(answer.etag) !== ifMatch) {
    throw refuse(object, 'STORE_PRECONDITION', 'the object changed while it was read')
  }
  const parts = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.contentRange ?? '')
  if (range === undefined) {
    if (answer.length === undefined) throw refuse(object, 'STORE_BAD_REQUEST', 'the answer does not say how long it is')
    return { start: 0, end: answer.length, size: answer.length }
  }
  const [start, last, size] = parts ? parts.slice(1).map(Number) : []
  if (start === undefined || last === undefined || size === undefined || start !== range.start) {
    throw refuse(object, 'STORE_BAD_REQUEST', 'the store ignored the range that was asked for')
  }
  if (last + 1 !== Math.min(range.end, size)) {
    throw refuse(object, 'STORE_UNAVAILABLE', `the store answered with bytes ${start} to ${last} of ${size}`)
  }
  return { start, end: last + 1, size }
}

function refuse(
  object: RangedObject,
  name: 'STORE_PRECONDITION' | 'STORE_BAD_REQUEST' | 'STORE_UNAVAILABLE',
  text: string,
): CnosError {
  object.discard()
  const { label, path } = object
  return new CnosError(name, `object store error: GET ${objectUrl(label, path)}: ${text}`, {
    context: { store: label, path },
    ...(name === 'STORE_PRECONDITION' ? { hint: 'run the statement again when nothing writes there' } : {}),
  })
}

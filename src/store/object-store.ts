import type { Abortable } from '../async/abort.ts'

export interface ObjectMeta {
  /** The key inside the store, decoded, without a leading slash. */
  readonly path: string
  readonly sizeBytes: number
  readonly lastModified: Date
  readonly etag?: string | undefined
}

export interface PutResult {
  readonly etag?: string | undefined
}

export interface GetOptions extends Abortable {
  /** `end` is exclusive. */
  readonly range?: { readonly start: number; readonly end: number } | undefined
  /** Refuse with STORE_PRECONDITION when the object is no longer this one. */
  readonly ifMatch?: string | undefined
}

export interface PutMultipartOptions extends Abortable {
  /** The expected size, when known: parts grow so that the store's limit on their number is kept. */
  readonly sizeBytes?: number | undefined
}

export interface GetResult {
  readonly meta: ObjectMeta
  /** Leaving the loop early frees the connection. Ends short of the promised length only by throwing. */
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * Bytes under paths, as in the `object_store` crate. Stateless: no cursors, no directories, no append.
 * Every method rejects with a CnosError whose context names store, path, status, remote code and request id, never a
 * secret; OBJECT_NOT_FOUND when the object or bucket is missing; `signal.reason` when aborted.
 */
export interface ObjectStore {
  /** `s3://bucket`, for messages and logs. Never holds a credential. */
  readonly label: string
  head(path: string, options?: Abortable): Promise<ObjectMeta>
  get(path: string, options?: GetOptions): Promise<GetResult>
  /**
   * All or nothing: no reader ever sees half an object. Replaces what was there. Resolves after the object's size and
   * the store's checksum agreed with what was sent. After a failure that is retryable the object may still have arrived
   * whole: whoever chose a fresh name for it deletes it.
   */
  put(path: string, bytes: Uint8Array, options?: Abortable): Promise<PutResult>
  putMultipart(path: string, options?: PutMultipartOptions): Promise<MultipartUpload>
  /**
   * Every object whose path starts with `prefix`, by ascending path (bytes of its UTF-8); an empty prefix lists
   * everything. Zero-byte folder markers (paths that end in `/`) are objects and listed.
   */
  list(prefix: string, options?: Abortable): AsyncIterable<ObjectMeta>
  /** Succeeds when there is nothing to delete. */
  delete(path: string, options?: Abortable): Promise<void>
  /** Only the local store has it: the engine may read such objects in place, and finished files may be moved in. */
  readonly files?: FileAccess | undefined
}

/** The short cut around copying bytes where objects are files of this machine. */
export interface FileAccess {
  /** The absolute path of the file behind `path`; PATH_NOT_ALLOWED when it lies outside the permitted roots. */
  filePath(path: string): Promise<string>
  /**
   * Makes the finished file `from` the object `path`, all or nothing and durable; `from` is gone afterwards.
   * A rename on one file system, a copy otherwise.
   */
  adopt(path: string, from: string, options?: Abortable): Promise<PutResult>
}

export interface MultipartUpload {
  /** Every part but the last has exactly this size. */
  readonly partSizeBytes: number
  /** 1 when the store wants parts in order. */
  readonly maxConcurrentParts: number
  /** Parts are numbered from 1; a failed part may be sent again. */
  putPart(partNumber: number, bytes: Uint8Array, options?: Abortable): Promise<void>
  /** The object appears here, whole, after its size and the store's checksum agreed with what was sent. */
  complete(options?: Abortable): Promise<PutResult>
  /**
   * Leaves nothing that can be listed or read, and frees what the store lets us free; never rejects.
   * Takes no signal: cleaning up is not cancelled.
   */
  abort(): Promise<void>
}

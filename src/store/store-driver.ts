import type { Clock } from '../async/clock.ts'
import type { OptionSpecs, OptionValues } from '../options/option-spec.ts'
import type { ObjectStore } from './object-store.ts'

/** `scheme://bucket/path`, decoded. For local files the bucket is empty and the path absolute. */
export interface StoreUrl {
  readonly scheme: string
  readonly bucket: string
  readonly path: string
}

/** How long a store keeps trying. Every field has a default; tests shorten them. */
export interface Patience {
  /** Tries of one request, the first included. Default 10. */
  readonly maxTries: number
  /** No new try starts when this much time has gone by. Default 180 000. */
  readonly maxElapsedMs: number
  /** The first pause is at most this long; each next bound doubles. Default 100. */
  readonly baseDelayMs: number
  /** Upper bound of a pause of our own; a longer Retry-After is obeyed while `maxElapsedMs` permits. Default 15 000. */
  readonly maxDelayMs: number
  /** A request or body that moves no byte for this long has failed and may be tried again. Default 30 000. */
  readonly stallMs: number
}

/** What a store is given from outside; tests replace all of it. */
export interface StoreContext {
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether a store may look for credentials outside the statement: environment, profile, instance, workload identity. */
  readonly ambientCredentials: boolean
  /** Throws PATH_NOT_ALLOWED when the statement's user may not reach this host. Called before the first request. */
  readonly checkEndpoint: (endpoint: URL) => void
  readonly warn: (message: string) => void
  /** The directories local files may lie in, symbolic links resolved. Absent: every path; empty: none. */
  readonly localRoots?: readonly string[] | undefined
  readonly patience?: Partial<Patience> | undefined
}

export interface StoreDriver<S extends OptionSpecs = OptionSpecs> {
  readonly schemes: readonly [string, ...string[]]
  /** The keys of CONNECTION = (…): parsed, defaulted, redacted and documented from here. */
  readonly connection: S
  /** Checks the options together and opens without I/O; the first request finds out whether the bucket is there. */
  open(url: StoreUrl, connection: OptionValues<S>, context: StoreContext): ObjectStore
}

/** Keeps the option types inside the driver, forgets them outside, so that one list can hold every driver. */
export function defineStoreDriver<const S extends OptionSpecs>(driver: StoreDriver<S>): StoreDriver {
  return driver as unknown as StoreDriver
}

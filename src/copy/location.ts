import { CnosError } from '../errors/cnos-error.ts'
import type { FileFormat } from '../format/file-format.ts'
import type { OptionLiteral, OptionSpecs, OptionValues } from '../options/option-spec.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { StoreContext } from '../store/store-driver.ts'

/** The location end of a COPY INTO, as the parser gives it: keys folded, the last repeat kept. */
export interface CopyLocationClauses {
  readonly path: string
  readonly connection: ReadonlyMap<string, OptionLiteral> | undefined
  readonly fileFormat: ReadonlyMap<string, OptionLiteral> | undefined
  readonly copyOptions: ReadonlyMap<string, OptionLiteral> | undefined
}

/** `load` reads files into a table, `unload` writes rows to files. */
export type CopyDirection = 'load' | 'unload'

/** What the statement's user may reach. */
export interface CopyAccess {
  /** An administrator may name any local path; others only what lies below `copyRoots`. */
  readonly isAdministrator: boolean
  readonly copyRoots: readonly string[]
  /** Its `checkEndpoint` decides about hosts. */
  readonly storeContext: StoreContext
  /** What a relative path starts from. */
  readonly cwd: string
}

/** A place on this machine. */
export interface LocalPlace {
  readonly kind: 'local'
  /** Absolute and normalised; for a glob, the directory before the first glob segment. */
  readonly path: string
  /** Written with a trailing slash. */
  readonly isDirectory: boolean
  /** The rest of the path after `path`, when the user wrote `*`, `?` or `[`. */
  readonly glob?: string | undefined
  /** Throws PATH_NOT_ALLOWED unless the user may reach `path` once symlinks are resolved. */
  readonly check: (path: string) => void
}

/** A place in an object store. */
export interface StorePlace {
  readonly kind: 'store'
  readonly store: ObjectStore
  /** Decoded, without leading or trailing slash; may be empty. */
  readonly path: string
  readonly isDirectory: boolean
}

/** One end of a COPY: a place, and a format with its checked options. */
export interface CopyLocation {
  /** As the user wrote it, for messages. Holds no credential. */
  readonly url: string
  readonly place: LocalPlace | StorePlace
  readonly format: FileFormat
  readonly formatOptions: OptionValues<OptionSpecs>
  /** COPY_OPTIONS = (auto_infer_schema = …); only loading looks at it. */
  readonly autoInferSchema: boolean
}

/** What a COPY did. */
export interface CopyStats {
  readonly files: number
  readonly rows: bigint
  /** Of the files as they lie at the location. */
  readonly bytes: number
}

/**
 * Checks every clause and opens the location without a request to a store. The one place where local paths and hosts
 * are admitted. Options of another format are ignored with a warning. Throws BAD_OPTION, SQL_SYNTAX, UNSUPPORTED,
 * PATH_NOT_ALLOWED.
 */
export function openLocation(
  _clauses: CopyLocationClauses,
  _direction: CopyDirection,
  _access: CopyAccess,
): CopyLocation {
  throw new CnosError('INTERNAL', 'openLocation is being written')
}

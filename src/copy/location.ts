import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { CnosError } from '../errors/cnos-error.ts'
import type { FileFormat } from '../format/file-format.ts'
import { fileFormats, findFormat } from '../format/registry.ts'
import {
  booleanOption,
  type OptionLiteral,
  type OptionSpecs,
  type OptionValues,
  parseOptions,
  stringOption,
} from '../options/option-spec.ts'
import { isInside, pathOf } from '../store/local-path.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { openStore } from '../store/registry.ts'
import type { StoreContext } from '../store/store-driver.ts'
import { globToRegExp } from './glob.ts'
import { type LocationUrl, parseLocationUrl } from './location-url.ts'

type Literals = ReadonlyMap<string, OptionLiteral>

/** The location end of a COPY INTO, as the parser gives it: keys folded, the last repeat kept. */
export interface CopyLocationClauses {
  readonly path: string
  readonly connection: Literals | undefined
  readonly fileFormat: Literals | undefined
  readonly copyOptions: Literals | undefined
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

/** One end of a COPY: an opened store, a path in it, and a format with its checked options. */
export interface CopyLocation {
  /** As the user wrote it, for messages. Holds no credential. */
  readonly url: string
  readonly store: ObjectStore
  /** Decoded, without leading or trailing slash; may be empty. */
  readonly path: string
  /** Written with a trailing slash, or with a pattern: never one single file. */
  readonly isDirectory: boolean
  /** What the path below `path` must match, when a pattern was written. */
  readonly glob: RegExp | undefined
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

const NO_OPTIONS: Literals = new Map()

const copyOptionSpecs = {
  auto_infer_schema: booleanOption({
    summary: "Only when loading: go by the files' own columns instead of the table's.",
    default: false,
  }),
} as const

/**
 * Checks every clause and opens the location without a request to a store. The one place where local paths and hosts
 * are admitted. Options of another format are ignored with a warning. Throws BAD_OPTION, SQL_SYNTAX, UNSUPPORTED,
 * PATH_NOT_ALLOWED.
 */
export function openLocation(clauses: CopyLocationClauses, direction: CopyDirection, access: CopyAccess): CopyLocation {
  const { format, formatOptions } = openFormat(clauses.fileFormat ?? NO_OPTIONS, access.storeContext.warn)
  const copyOptions = parseOptions(copyOptionSpecs, clauses.copyOptions ?? NO_OPTIONS, { clause: 'COPY_OPTIONS' })
  const url = parseLocationUrl(clauses.path, { cwd: access.cwd, takesGlob: direction === 'load' })
  return {
    url: clauses.path,
    ...openPlace(url, clauses.connection ?? NO_OPTIONS, access),
    isDirectory: url.isDirectory,
    format,
    formatOptions,
    autoInferSchema: copyOptions.auto_infer_schema,
  }
}

/** Given for another TYPE these are ignored: CnosDB's own examples give DELIMITER with PARQUET and JSON. */
const IGNORABLE: ReadonlySet<string> = new Set(['delimiter', 'with_header', 'file_compression_type'])

const typeLiteral = stringOption({ summary: '' }).parse

function openFormat(
  literals: Literals,
  warn: (message: string) => void,
): { readonly format: FileFormat; readonly formatOptions: OptionValues<OptionSpecs> } {
  const type = literals.get('type')
  const format = type === undefined ? fileFormats[0] : findFormat(typeLiteral(type, 'type'))
  const own = new Map<string, OptionLiteral>()
  for (const [key, literal] of literals) {
    if (key === 'type') continue
    if (IGNORABLE.has(key) && !Object.hasOwn(format.options, key)) {
      warn(`FILE_FORMAT: ${key} means nothing for TYPE = '${format.names[0]}' and is ignored`)
    } else own.set(key, literal)
  }
  return { format, formatOptions: parseOptions(format.options, own, { clause: 'FILE_FORMAT' }) }
}

function openPlace(
  url: LocationUrl,
  connection: Literals,
  { isAdministrator, copyRoots, storeContext }: CopyAccess,
): Pick<CopyLocation, 'store' | 'path' | 'glob'> {
  if (url.kind === 'store') {
    return { store: openStore(url, connection, storeContext), path: url.path, glob: undefined }
  }
  if (!isAdministrator) admitFile(url.file, copyRoots)
  const localRoots = isAdministrator ? undefined : copyRoots
  const path = pathOf(url.file).replace(/\/+$/, '')
  const store = openStore({ scheme: 'file', bucket: '', path: url.file }, NO_OPTIONS, { ...storeContext, localRoots })
  return { store, path, glob: url.glob === undefined ? undefined : globToRegExp(url.glob) }
}

/** Throws PATH_NOT_ALLOWED unless `file` lies below a root once symbolic links are followed. The store checks again. */
function admitFile(file: string, roots: readonly string[]): void {
  const real = realpathOfExistingPart(file)
  if (roots.some((root) => isInside(real, realpathOfExistingPart(resolve(root))))) return
  throw new CnosError('PATH_NOT_ALLOWED', `the server does not let you reach ${file}`, {
    context: { path: file },
    hint:
      roots.length > 0
        ? `use a path below ${roots.join(' or ')}`
        : 'only an administrator may name local paths here; the server can be started with --copy-root DIR',
  })
}

function realpathOfExistingPart(file: string): string {
  try {
    return realpathSync(file)
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (isMissing && dirname(file) !== file) return join(realpathOfExistingPart(dirname(file)), basename(file))
    throw new CnosError('PATH_NOT_ALLOWED', `the server cannot tell where ${file} leads`, {
      cause: error,
      context: { path: file },
    })
  }
}

import { createHash } from 'node:crypto'
import type { Abortable } from '../async/abort.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ColumnInfo } from './cluster-metadata.ts'

/** Raised with every change an older reader would misunderstand. */
export const MANIFEST_VERSION = 1

export type DataFormat = 'parquet' | 'csv' | 'json'

/** A data file: its name below the unit's directory. `sha256` where the tool read it, `etag` where the store told it. */
export interface FileRecord {
  readonly name: string
  readonly sizeBytes: number
  readonly sha256?: string
  readonly etag?: string
}

/** Of the rows in the unit; `min` and `max` as CnosDB's CSV prints them, absent when every value is null. */
export interface ColumnStats {
  readonly nulls: string
  readonly min?: string
  readonly max?: string
}

export interface UnitRecord {
  readonly tenant: string
  readonly database: string
  readonly table: string
  /** Nanoseconds as decimal text; absent for a whole table. */
  readonly window?: { readonly fromNs: string; readonly toNs: string }
  /** Below the backup's location. */
  readonly directory: string
  readonly rows: string
  /** Absent when the node's disk is out of the tool's reach. */
  readonly files?: readonly FileRecord[]
  /** Absent when rows were written to the window while it was copied. */
  readonly columns?: Readonly<Record<string, ColumnStats>>
  readonly elapsedMs: number
}

interface TableRecord {
  readonly tenant: string
  readonly database: string
  readonly table: string
  readonly columns: readonly ColumnInfo[]
}

/** A backup without a manifest is not a backup: it is written last. */
export interface Manifest {
  readonly formatVersion: typeof MANIFEST_VERSION
  readonly source: string
  readonly serverVersion: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly format: DataFormat
  /** `--from` and `--to`, where given. */
  readonly range?: { readonly fromNs?: string; readonly toNs?: string }
  /** Where the backup is one of a part of the cluster: `--include`, `--exclude`, `--schema-only`, `--data-only`. */
  readonly part?: { readonly include: readonly string[]; readonly exclude: readonly string[]; readonly content: string }
  /** SHA-256 of the two metadata files. */
  readonly metadata: { readonly meta: string; readonly schema: string }
  readonly tables: readonly TableRecord[]
  readonly units: readonly UnitRecord[]
  readonly notCarried: readonly string[]
}

const MANIFEST_NAME = 'manifest.json'

export const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

/** The body, and a checksum of the body on the last line, so that a cut or edited manifest is noticed. */
function printManifest(manifest: Manifest): string {
  const body = JSON.stringify(manifest, undefined, 1)
  return `${body}\n${JSON.stringify({ sha256: sha256(body) })}\n`
}

/** Throws BACKUP_INVALID when the text is cut, changed, or written by a newer version. */
function parseManifest(text: string, where: string): Manifest {
  const end = text.lastIndexOf('\n', text.length - 2)
  const body = text.slice(0, end)
  const seal = /^\{"sha256":"([0-9a-f]{64})"\}\n$/.exec(text.slice(end + 1))
  if (!seal || seal[1] !== sha256(body)) {
    throw new CnosError('BACKUP_INVALID', `${where}: the manifest is cut short or was changed`, {
      hint: 'take the manifest from another copy of the backup; without it the backup cannot be trusted',
    })
  }
  const manifest = JSON.parse(body) as Manifest
  if (manifest.formatVersion !== MANIFEST_VERSION) {
    throw new CnosError(
      'BACKUP_INVALID',
      `${where}: written in format ${manifest.formatVersion}, this program reads ${MANIFEST_VERSION}`,
      {
        hint: 'use the version of cnosdb-imexport that wrote it, or a newer one',
      },
    )
  }
  return manifest
}

/** Undefined when there is none: the backup was not finished, or was written by the old closed tool. */
export async function readManifest(
  store: ObjectStore,
  prefix: string,
  { signal }: Abortable,
): Promise<Manifest | undefined> {
  const path = `${prefix}${MANIFEST_NAME}`
  const bytes = await readObject(store, path, { signal })
  return bytes && parseManifest(bytes.toString('utf8'), `${store.label}/${path}`)
}

export async function writeManifest(
  store: ObjectStore,
  prefix: string,
  manifest: Manifest,
  { signal }: Abortable,
): Promise<void> {
  await store.put(`${prefix}${MANIFEST_NAME}`, Buffer.from(printManifest(manifest)), { signal })
}

/** Removed first when a backup is written again into the same place. */
export async function removeManifest(store: ObjectStore, prefix: string, { signal }: Abortable): Promise<void> {
  await store.delete(`${prefix}${MANIFEST_NAME}`, { signal })
}

/** A small object whole, or undefined when there is none. */
export async function readObject(store: ObjectStore, path: string, { signal }: Abortable): Promise<Buffer | undefined> {
  try {
    const { body } = await store.get(path, { signal })
    const chunks: Uint8Array[] = []
    for await (const chunk of body) chunks.push(chunk)
    return Buffer.concat(chunks)
  } catch (error) {
    if (isCnosError(error, 'OBJECT_NOT_FOUND')) return undefined
    throw error
  }
}

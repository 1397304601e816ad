import { randomBytes } from 'node:crypto'
import { rmdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Abortable } from '../async/abort.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import type { Options, Statement } from '../sql/ast.ts'
import { parseStatement } from '../sql/parser.ts'
import { printStatement } from '../sql/printer.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { openStore } from '../store/registry.ts'
import type { StoreContext } from '../store/store-driver.ts'
import type { DataFormat } from './manifest.ts'

/** Where a backup lives: as the cluster is told, and as the tool itself reaches it. */
export interface BackupPlace {
  /** Without a final slash, such as `file:///backup/monday` or `s3://bucket/monday`. */
  readonly url: string
  readonly connection: Options | undefined
  /** The tool's own way to the same bytes; for `file://` this machine's disk. */
  readonly store: ObjectStore
  /** Of the backup inside the store; empty or ending in `/`. */
  readonly prefix: string
  readonly isLocal: boolean
}

/**
 * Reads `--path` and `--conn`. A bare path is made an absolute `file://` URL. `conn` is the inside of CONNECTION = (…).
 * Throws USAGE, BAD_OPTION or SQL_SYNTAX; never repeats a secret.
 */
export function openPlace(path: string, conn: string | undefined, context: StoreContext): BackupPlace {
  const url = (/^[a-z0-9]+:\/\//i.test(path) ? path : pathToFileURL(resolve(path)).href).replace(/\/+$/, '')
  const connection = conn === undefined ? undefined : parseConnection(conn)
  const parsed = /^([a-z0-9]+):\/\/([^/]*)(.*)$/is.exec(url)
  if (!parsed)
    throw new CnosError('USAGE', `--path ${path}: not a location`, {
      hint: 'write file:///dir, s3://bucket/dir, gcs://bucket/dir or azblob://container/dir',
    })
  const scheme = (parsed[1] as string).toLowerCase()
  const inside = decodePath(parsed[3] ?? '', path)
  const isLocal = scheme === 'file'
  const key = inside.replace(/^\/+/, '')
  const bucket = isLocal ? '' : (parsed[2] ?? '')
  const store = openStore({ scheme, bucket, path: key }, connection ?? new Map(), context)
  return { url, connection, store, prefix: key === '' ? '' : `${key}/`, isLocal }
}

function decodePath(text: string, path: string): string {
  try {
    if (!/[?#]/.test(text)) return decodeURIComponent(text)
  } catch {
    // A % that begins no code.
  }
  throw new CnosError('USAGE', `--path ${path}: not a URL`, {
    hint: 'write %25 for %, %3F for ? and %23 for # in a name',
  })
}

function parseConnection(conn: string): Options {
  try {
    const statement = parseStatement(`COPY INTO t FROM 's3://b/' CONNECTION = (${conn})`)
    if (statement.kind === 'copy-into-table' && statement.location.connection) return statement.location.connection
  } catch (error) {
    if (!isCnosError(error)) throw error
  }
  throw new CnosError('USAGE', '--conn cannot be read', {
    hint: `write it as in CONNECTION = (…), for example --conn "region = 'us-east-1', access_key_id = '…', secret_key = '…'"`,
  })
}

const quoteName = (name: string) => `"${name.replaceAll('"', '""')}"`

const fileFormatOf = (format: DataFormat) => new Map([['type', format.toUpperCase()]])

/** The COPY INTO that writes `select` into `directory` of the place. */
export function exportStatement(place: BackupPlace, directory: string, select: string, format: DataFormat): string {
  const statement: Statement = {
    kind: 'copy-into-location',
    location: {
      path: `${place.url}/${directory}/`,
      connection: place.connection,
      fileFormat: fileFormatOf(format),
      copyOptions: undefined,
    },
    source: { kind: 'query', query: { text: select, offset: 0 } },
  }
  return printStatement(statement)
}

/** The COPY INTO that reads a unit's directory back. */
export function importStatement(
  place: BackupPlace,
  directory: string,
  target: { readonly database: string; readonly table: string; readonly columns: readonly string[] },
  format: DataFormat,
): string {
  const statement: Statement = {
    kind: 'copy-into-table',
    table: { parts: [target.database, target.table] },
    columns: target.columns,
    location: {
      path: `${place.url}/${directory}/`,
      connection: place.connection,
      fileFormat: fileFormatOf(format),
      copyOptions: undefined,
    },
  }
  return printStatement(statement)
}

export const quoteColumns = (names: readonly string[]) => names.map(quoteName).join(', ')
export const quoteTable = (database: string, table: string) => `${quoteName(database)}.${quoteName(table)}`

/**
 * Whether the tool sees what this node writes: exports one row and looks for the file. For a local path on another
 * machine it does not, and the files, checksums and manifest live on different disks. Rejects when the node cannot
 * write there at all.
 */
export async function isShared(place: BackupPlace, client: ClusterClient, { signal }: Abortable): Promise<boolean> {
  const directory = `probe-${randomBytes(8).toString('hex')}`
  try {
    await client.query(exportStatement(place, directory, 'SELECT 1 AS probe', 'csv'), { signal })
  } catch (error) {
    if (!isCnosError(error, 'CLUSTER_REFUSED')) throw error
    const { message, context } = error
    throw new CnosError('CLUSTER_REFUSED', `${client.label} cannot write to ${place.url}: ${message}`, {
      cause: error,
      context,
      hint: 'check that the node may write there, or let the rows pass through this machine with --mode client',
    })
  }
  const written: string[] = []
  for await (const { path } of place.store.list(`${place.prefix}${directory}/`, { signal })) written.push(path)
  for (const path of written) await place.store.delete(path)
  // The node made the directory: the store removes only those of its own.
  if (place.isLocal) await rmdir(`/${place.prefix}${directory}`).catch(() => undefined)
  return written.length > 0
}

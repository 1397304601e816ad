import { resolve } from 'node:path'
import type { Abortable } from '../async/abort.ts'
import { mapLimited } from '../async/limit.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { openStore } from '../store/registry.ts'
import type { StoreContext } from '../store/store-driver.ts'
import type { MetadataStatement, TableInfo } from './cluster-metadata.ts'
import { META_FILE, parseDdl, readDdlFile, SCHEMA_FILE } from './ddl-files.ts'
import type { JournalPlace } from './journal.ts'
import { type DataFormat, type Manifest, readManifest, readObject, sha256, type UnitRecord } from './manifest.ts'
import type { BackupPlace } from './place.ts'
import { checkUnitFiles } from './unit-files.ts'

/** A backup as read: checked for completeness, its metadata parsed, nothing of the target touched. */
export interface Backup {
  readonly meta: readonly MetadataStatement[]
  readonly schema: readonly MetadataStatement[]
  readonly format: DataFormat
  readonly units: readonly BackupUnit[]
  /** Absent for a backup of the old closed tool. */
  readonly manifest: Manifest | undefined
  /** What the backup lacks, one sentence each. */
  readonly notCarried: readonly string[]
}

/** A unit whose row count is unknown in backups of the old tool. */
export type BackupUnit = Omit<UnitRecord, 'rows'> & { readonly rows: string | undefined }

export interface ReadBackupOptions {
  readonly place: BackupPlace
  readonly metaDirectory: string
  /** For backups of the old tool, whose files do not tell. */
  readonly format: DataFormat | undefined
  readonly storeContext: StoreContext
}

/** Where manifest and journal of a backup live when its files are on a node's disk. */
export function placeBesideTool(
  options: Pick<ReadBackupOptions, 'place' | 'metaDirectory' | 'storeContext'>,
  purpose: string,
): JournalPlace {
  const directory = resolve(options.metaDirectory, `cnosdb-${purpose}-${sha256(options.place.url).slice(0, 12)}`)
  const path = directory.replace(/^\//, '')
  return { store: openStore({ scheme: 'file', bucket: '', path }, new Map(), options.storeContext), prefix: `${path}/` }
}

/** Throws BACKUP_INVALID when the backup was not finished, is damaged, or cannot be found. */
export async function readBackup(options: ReadBackupOptions, { signal }: Abortable): Promise<Backup> {
  const { place } = options
  const aside = placeBesideTool(options, 'backup')
  for (const { store, prefix } of [{ store: place.store, prefix: place.prefix }, aside]) {
    const manifest = await readManifest(store, prefix, { signal })
    if (manifest) return backupOfManifest(options, manifest, { store, prefix }, { signal })
    if (await readObject(store, `${prefix}journal/plan.json`, { signal })) {
      throw new CnosError('BACKUP_INVALID', `the export to ${place.url} was not finished`, {
        hint: 'run the same export command again: it continues where it stopped',
      })
    }
  }
  return backupOfOldTool(options, { signal })
}

async function backupOfManifest(
  options: ReadBackupOptions,
  manifest: Manifest,
  home: JournalPlace,
  { signal }: Abortable,
): Promise<Backup> {
  const texts: string[] = []
  for (const [name, hash] of [
    [META_FILE, manifest.metadata.meta],
    [SCHEMA_FILE, manifest.metadata.schema],
  ] as const) {
    const stored = await readObject(home.store, `${home.prefix}${name}`, { signal })
    const text = stored?.toString('utf8') ?? (await readDdlFile(options.metaDirectory, name))
    if (sha256(text) !== hash) {
      throw new CnosError('BACKUP_INVALID', `${name} is not the one that was written with this backup`, {
        hint: `take ${name} from the directory where the export was run, or name it with --meta-dir`,
      })
    }
    texts.push(text)
  }
  return {
    meta: parseDdl(texts[0] as string, META_FILE),
    schema: parseDdl(texts[1] as string, SCHEMA_FILE),
    format: manifest.format,
    units: manifest.units,
    manifest,
    notCarried: manifest.notCarried,
  }
}

/**
 * The closed tool wrote `meta_data.src` and `schema_data.src` into its working directory and each table's files into
 * `PATH/tenant_database_table/`. Its files carry no counts, so only the answer of the import can be reported. A table
 * without rows has no files; where files of others are seen, it is taken to be one, and named.
 */
async function backupOfOldTool(options: ReadBackupOptions, { signal }: Abortable): Promise<Backup> {
  const meta = parseDdl(await readDdlFile(options.metaDirectory, META_FILE), META_FILE)
  const schema = parseDdl(await readDdlFile(options.metaDirectory, SCHEMA_FILE), SCHEMA_FILE)
  const units = tablesOf(schema).map(({ tenant, database, table }) => ({
    tenant,
    database,
    table,
    directory: `${tenant}_${database}_${table}`,
    rows: undefined,
    elapsedMs: 0,
  }))
  const starts = new Map<BackupUnit, DataFormat>()
  for (const unit of units) {
    const format = await detectFormat(options.place, unit, { signal })
    if (format) starts.set(unit, format)
  }
  const format = options.format ?? [...starts.values()][0]
  if (format === undefined)
    throw new CnosError('BACKUP_INVALID', `${options.place.url}: no backup is visible here`, {
      hint: 'check --path; for a backup of the old tool on another machine’s disk, name its file format with --format',
    })
  const isSeen = starts.size > 0
  const without = units.filter((unit) => isSeen && !starts.has(unit))
  return {
    meta,
    schema,
    format,
    units: units.filter((unit) => !without.includes(unit)),
    manifest: undefined,
    notCarried: [
      'a check of the rows by count: a backup of the old tool does not tell how many there were',
      ...without.map(
        ({ tenant, database, table, directory }) =>
          `rows of ${tenant}.${database}.${table}: ${directory}/ holds no files, as of a table without rows`,
      ),
    ],
  }
}

/** Undefined when the unit has no files that this machine sees. */
async function detectFormat(
  place: BackupPlace,
  unit: BackupUnit,
  { signal }: Abortable,
): Promise<DataFormat | undefined> {
  for await (const { path, sizeBytes } of place.store.list(`${place.prefix}${unit.directory}/`, { signal })) {
    if (sizeBytes === 0) continue
    const { body } = await place.store.get(path, { range: { start: 0, end: Math.min(4, sizeBytes) }, signal })
    const bytes: Uint8Array[] = []
    for await (const chunk of body) bytes.push(chunk)
    const start = Buffer.concat(bytes).toString('latin1')
    if (start === 'PAR1') return 'parquet'
    return start.startsWith('{') ? 'json' : 'csv'
  }
  return undefined
}

/** The time-series tables that the schema file creates. */
export function tablesOf(schema: readonly MetadataStatement[]): TableInfo[] {
  return schema.flatMap(({ tenant, statement }) => {
    if (statement.kind !== 'create-table') return []
    const [database = 'public', table = ''] =
      statement.table.parts.length === 1 ? ['public', ...statement.table.parts] : statement.table.parts
    const columns: TableInfo['columns'] = [
      { name: 'time', kind: 'time', type: 'TIMESTAMP', codec: 'DEFAULT' },
      ...statement.tags.map((name) => ({ name, kind: 'tag' as const, type: 'STRING', codec: 'DEFAULT' })),
      ...statement.fields.map(({ name, type, codec = 'DEFAULT' }) => ({ name, kind: 'field' as const, type, codec })),
    ]
    return [{ tenant: tenant ?? 'cnosdb', database, table, columns }]
  })
}

/** What is wrong with the data files of `units`, one sentence each, checked against the manifest. */
export async function checkFiles(
  place: BackupPlace,
  units: readonly BackupUnit[],
  parallel: number,
  { signal }: Abortable,
): Promise<string[]> {
  const problems = await mapLimited(
    units,
    parallel,
    async (unit, inner) => (unit.rows === undefined ? [] : checkUnitFiles(place, { ...unit, rows: unit.rows }, inner)),
    { signal },
  )
  return problems.flat()
}

import type { Abortable } from '../async/abort.ts'
import type { Session } from '../engine/engine.ts'
import { quoteIdentifier } from '../engine/quote.ts'
import type { RelationColumn } from '../engine/relation.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import { explainFault, type FaultySource } from './fault.ts'
import type { LocalFile, ReadColumn, Reader, ReadRequest } from './file-format.ts'
import { fileList, unionAll } from './local-files.ts'
import type { ParquetOptions, parquetOptions } from './parquet-options.ts'
import { fromTyped } from './parquet-value.ts'
import type { StrictValue } from './strict-value.ts'
import { structureError } from './structure-fault.ts'

type ParquetRequest = ReadRequest<typeof parquetOptions>

/** Neighbouring files that declare the same columns. */
interface Run {
  readonly files: readonly LocalFile[]
  readonly columns: readonly RelationColumn[]
}

const readParquet = (files: readonly LocalFile[]) =>
  `read_parquet(${fileList(files)}, hive_partitioning = false, union_by_name = false)`

interface Footer {
  /** What it declares, as one text: equal texts, equal columns. */
  readonly schema: string
  /** Columns of more than 38 digits, by name, and their types: DuckDB says DOUBLE, and reads other numbers. */
  readonly wideDecimals: Readonly<Record<string, string>>
}

const WIDEST_DECIMAL = 38

async function footersOf(
  files: readonly LocalFile[],
  session: Session,
  options: Abortable,
): Promise<readonly Footer[]> {
  const rows = await session.all(
    `SELECT file_name, md5(string_agg(concat_ws('|', name, type, converted_type, logical_type, repetition_type, num_children, scale, precision), ';' ORDER BY i)) AS schema, \
to_json(map_from_entries(coalesce(list((name, concat('DECIMAL(', precision, ',', scale, ')'))) FILTER (precision > ${WIDEST_DECIMAL}), []))) AS wide_decimals \
FROM (SELECT *, row_number() OVER () AS i FROM parquet_schema(${fileList(files)})) GROUP BY file_name`,
    options,
  )
  const found = new Map(rows.map((row) => [String(row.file_name), row]))
  return files.map(({ path }) => {
    const row = found.get(path)
    return { schema: String(row?.schema ?? ''), wideDecimals: JSON.parse(String(row?.wide_decimals ?? '{}')) }
  })
}

const FILES_A_LOOK = 500

async function runsOf(files: readonly LocalFile[], session: Session, options: Abortable): Promise<readonly Run[]> {
  const footers: Footer[] = []
  for (let at = 0; at < files.length; at += FILES_A_LOOK) {
    footers.push(...(await checkedFooters(files.slice(at, at + FILES_A_LOOK), session, options)))
  }
  const runs: { files: LocalFile[]; columns: readonly RelationColumn[] }[] = []
  const known = new Map<string, readonly RelationColumn[]>()
  for (const [i, file] of files.entries()) {
    const { schema, wideDecimals } = footers[i] as Footer
    if (i > 0 && schema === footers[i - 1]?.schema) {
      runs.at(-1)?.files.push(file)
      continue
    }
    const columns = known.get(schema) ?? (await columnsOf(file, wideDecimals, session, options))
    known.set(schema, columns)
    runs.push({ files: [file], columns })
  }
  return runs
}

async function columnsOf(
  file: LocalFile,
  wideDecimals: Footer['wideDecimals'],
  session: Session,
  options: Abortable,
): Promise<readonly RelationColumn[]> {
  const columns = await session.describe(`SELECT * FROM ${readParquet([file])}`, options)
  return columns.map(({ name, type }) => ({ name, type: wideDecimals[name] ?? type }))
}

/** One damaged footer spoils the look at many files: then they are looked at one by one, to name it. */
async function checkedFooters(
  files: readonly LocalFile[],
  session: Session,
  options: Abortable,
): Promise<readonly Footer[]> {
  try {
    return await footersOf(files, session, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    if (isCnosError(error, 'OUT_OF_MEMORY', 'NO_SPACE', 'INTERNAL')) throw error
    for (const file of files) {
      try {
        await footersOf([file], session, options)
      } catch (fault) {
        options.signal?.throwIfAborted()
        throw structureError('parquet', file, fault)
      }
    }
    throw error
  }
}

function strictColumn(run: Run, column: ReadColumn): StrictValue {
  const found = run.columns.find(({ name }) => name === column.source)
  if (!found) return { value: `CAST(NULL AS ${column.type})`, isBad: 'false' }
  const strict = fromTyped(quoteIdentifier(found.name), found.type, column)
  if (strict) return strict
  const file = run.files[0] as LocalFile
  throw new CnosError(
    'BAD_FILE',
    `Cannot cast file schema field ${column.source} of type ${found.type} to table schema field of type ${column.column?.type ?? column.type}: ${file.origin}`,
    {
      context: { file: file.origin, column: column.source },
      hint: 'write the file with a type that fits, or leave the column out of the column list',
    },
  )
}

function selectOf(run: Run, columns: readonly ReadColumn[]): string {
  const values = columns.map((column) => `${strictColumn(run, column).value} AS ${quoteIdentifier(column.name)}`)
  return `SELECT ${values.join(', ')} FROM ${readParquet(run.files)}`
}

/** Every file must have the time: nothing else can be left out. */
function checkTime(run: Run, columns: readonly ReadColumn[]): void {
  const time = columns.find(({ column }) => column?.kind === 'time')
  if (!time || run.columns.some(({ name }) => name === time.source)) return
  const origin = run.files[0]?.origin ?? ''
  throw new CnosError('TIME_IS_NULL', `Column ${time.name} cannot be null.: ${origin} has no column ${time.source}`, {
    context: { file: origin, column: time.source },
    hint: `it has ${run.columns.map(({ name }) => name).join(', ')}; COPY_OPTIONS = (auto_infer_schema = true) with a column list maps other names by position`,
  })
}

/** Reads Parquet by column name; columns a file lacks are NULL, others it has are ignored. */
export async function parquetReader(
  request: ParquetRequest,
  session: Session,
  options: Abortable = {},
): Promise<Reader> {
  const runs = await runsOf(request.files, session, options)
  for (const run of runs) checkTime(run, request.columns)
  return {
    from: unionAll(runs.map((run) => selectOf(run, request.columns))),
    explain: (error, among, waiting) =>
      explainFault(
        runs.map((run) => faultySource(run, request.columns)),
        error,
        among,
        waiting,
      ),
  }
}

function faultySource(run: Run, columns: readonly ReadColumn[]): FaultySource {
  const declared = new Set(run.columns.map(({ name }) => name))
  return {
    kind: 'parquet',
    files: run.files,
    columns,
    recordsBefore: 0n,
    read: (file) => readParquet([file]),
    rawOf: (column) => (declared.has(column.source) ? quoteIdentifier(column.source) : 'NULL'),
    faultOf: (column) => strictColumn(run, column).isBad,
    lineOf: async () => undefined,
  }
}

/** The columns of all files, merged by name. */
export async function inspectParquet(
  files: readonly LocalFile[],
  _options: ParquetOptions,
  session: Session,
  waiting: Abortable = {},
): Promise<readonly RelationColumn[]> {
  const runs = await runsOf(files, session, waiting)
  const columns = new Map<string, RelationColumn>()
  for (const run of runs)
    for (const column of run.columns) if (!columns.has(column.name)) columns.set(column.name, column)
  return [...columns.values()]
}

import type { Abortable } from '../async/abort.ts'
import type { Session } from '../engine/engine.ts'
import { quoteIdentifier, quoteString } from '../engine/quote.ts'
import type { RelationColumn } from '../engine/relation.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import { engineText, explainFault, type FaultySource } from './fault.ts'
import type { Compression, LocalFile, ReadColumn, Reader, ReadRequest } from './file-format.ts'
import type { JsonOptions, jsonOptions } from './json-options.ts'
import { firstByte, lineOfJsonRecord, malformedLine } from './json-text.ts'
import { compressionName, fileList, unionAll } from './local-files.ts'
import { fromJsonString, fromText, type StrictValue } from './strict-value.ts'

type JsonRequest = ReadRequest<typeof jsonOptions>

const MIB = 1024 * 1024

/** How objects follow each other in a file. */
type Layout = 'newline_delimited' | 'unstructured' | 'array'

interface Run {
  readonly files: readonly LocalFile[]
  readonly layout: Layout
  readonly compression: Compression
}

/** Neighbours of one layout and compression, to be read in one call. */
async function runsOf(files: readonly LocalFile[], session: Session, options: Abortable): Promise<readonly Run[]> {
  const runs: { files: LocalFile[]; layout: Layout; compression: Compression }[] = []
  for (const file of files) {
    options.signal?.throwIfAborted()
    const layout: Layout = (await firstByte(file, session, options)) === '[' ? 'array' : 'newline_delimited'
    const last = runs.at(-1)
    if (last?.layout === layout && last.compression === file.compression) last.files.push(file)
    else runs.push({ files: [file], layout, compression: file.compression })
  }
  return runs
}

/** How the objects of a file are looked for. */
interface Care {
  /** Every number is looked at as text. */
  readonly isText: boolean
  /** Objects may stand on one line, or stretch over several. */
  readonly isUnstructured: boolean
  readonly largestObjectBytes: number
}

const USUAL: Care = { isText: false, isUnstructured: false, largestObjectBytes: 16 * MIB }

function readJson(run: Run, columns: string, { isUnstructured, largestObjectBytes }: Care): string {
  const layout = isUnstructured && run.layout === 'newline_delimited' ? 'unstructured' : run.layout
  return [
    `read_json(${fileList(run.files)}, columns = {${columns}}, format = '${layout}', records = true`,
    `auto_detect = false, ignore_errors = false, hive_partitioning = false, compression = '${compressionName(run.compression)}'`,
    `maximum_object_size = ${largestObjectBytes})`,
  ].join(', ')
}

/** DuckDB's type for a member: text for our own rules, but for DOUBLE the number, which is twice as fast. */
function memberType(column: ReadColumn, isText: boolean): string {
  if (column.type === 'VARCHAR') return 'JSON'
  return column.type === 'DOUBLE' && !isText ? 'DOUBLE' : 'VARCHAR'
}

const sourcesOf = (columns: readonly ReadColumn[], isText: boolean) =>
  columns.map((column) => `${quoteString(column.source)}: '${memberType(column, isText)}'`).join(', ')

function strictMember(column: ReadColumn): StrictValue {
  const x = quoteIdentifier(column.source)
  return column.type === 'VARCHAR' ? fromJsonString(x, column) : fromText(x, column, `${x} IS NULL`)
}

/** DuckDB makes infinity of numbers that are too large. */
const INFINITE = 'an infinite number'

function memberValue(column: ReadColumn, { isText }: Care): string {
  if (column.type !== 'DOUBLE' || isText) return strictMember(column).value
  const x = quoteIdentifier(column.source)
  return `CASE WHEN isinf(${x}) THEN error(${quoteString(INFINITE)}) ELSE ${x} END`
}

function fromItem({ columns }: JsonRequest, runs: readonly Run[], care: Care): string {
  const values = columns.map((column) => `${memberValue(column, care)} AS ${quoteIdentifier(column.name)}`)
  const sources = sourcesOf(columns, care.isText)
  return unionAll(runs.map((run) => `SELECT ${values.join(', ')} FROM ${readJson(run, sources, care)}`))
}

const needsCare = (error: unknown) =>
  isCnosError(error) &&
  new RegExp(`Malformed JSON|maximum_object_size|transform error|${INFINITE}`).test(engineText(error))

const careAfter = (error: unknown): Care => ({
  isText: true,
  isUnstructured: true,
  largestObjectBytes: (/maximum_object_size/.test(engineText(error)) ? 64 : 16) * MIB,
})

/** Reads JSON objects by key; unknown keys are ignored, missing ones NULL. */
export async function jsonReader(request: JsonRequest, session: Session, options: Abortable = {}): Promise<Reader> {
  const runs = await runsOf(request.files, session, options)
  const layoutOf = new Map(runs.flatMap((run) => run.files.map((file) => [file, run.layout] as const)))
  const source: FaultySource = {
    kind: 'json',
    files: request.files,
    columns: request.columns,
    recordsBefore: 0n,
    read: (file) => {
      const run = { files: [file], layout: layoutOf.get(file) ?? 'newline_delimited', compression: file.compression }
      return readJson(run, sourcesOf(request.columns, true), { ...USUAL, isText: true, isUnstructured: true })
    },
    rawOf: (column) => quoteIdentifier(column.source),
    faultOf: (column) => strictMember(column).isBad,
    lineOf: async (file, record) =>
      layoutOf.get(file) === 'array' ? undefined : lineOfJsonRecord(file, Number(record)),
    malformedLine: async (file) => (layoutOf.get(file) === 'array' ? undefined : malformedLine(file)),
  }
  return {
    from: fromItem(request, runs, { ...USUAL, isText: request.isCareful ?? false }),
    careful: { suits: needsCare, open: (error) => ({ from: fromItem(request, runs, careAfter(error)) }) },
    explain: (error, among, waiting) => explainFault([source], error, among, waiting),
  }
}

const SAMPLED_OBJECTS = 1000

/** The keys of the first 1000 objects in byte order, and what their members are. */
export async function inspectJson(
  files: readonly LocalFile[],
  _options: JsonOptions,
  session: Session,
  waiting: Abortable = {},
): Promise<readonly RelationColumn[]> {
  const runs = await runsOf(files, session, waiting)
  const objects = runs.map(
    (run) =>
      `SELECT json FROM read_json_objects(${fileList(run.files)}, format = '${run.layout}', hive_partitioning = false, compression = '${compressionName(run.compression)}')`,
  )
  const members = `SELECT unnest(json_keys(json)) AS name, json FROM (SELECT json FROM ${unionAll(objects)} LIMIT ${SAMPLED_OBJECTS})`
  const pointer = `'/' || replace(replace(name, '~', '~0'), '/', '~1')`
  const sql = `SELECT name, string_agg(DISTINCT json_type(json, ${pointer}), ' ') AS types FROM (${members}) GROUP BY name`
  const columns = (await session.all(sql, waiting)).map((row) => ({
    name: String(row.name),
    type: typeOfMembers(String(row.types).split(' ')),
  }))
  return columns.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
}

/** The narrowest of BIGINT, DOUBLE, BOOLEAN and VARCHAR that takes every kind of member; times stay text. */
function typeOfMembers(kinds: readonly string[]): string {
  const known = new Set(kinds.filter((kind) => kind !== 'NULL'))
  const isOneOf = (...allowed: readonly string[]) =>
    known.size > 0 && [...known].every((kind) => allowed.includes(kind))
  if (isOneOf('BOOLEAN')) return 'BOOLEAN'
  if (isOneOf('BIGINT', 'UBIGINT')) return 'BIGINT'
  return isOneOf('BIGINT', 'UBIGINT', 'DOUBLE') ? 'DOUBLE' : 'VARCHAR'
}

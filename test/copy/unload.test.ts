import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoredTable } from '../../src/engine/table.ts'
import { storedTable } from '../engine/engine-fixture.ts'
import { type CopyFixture, openCopyFixture, wholeTable } from './copy-fixture.ts'

const ROWS = 400_000n
const MIB = 2 ** 20

let fixture: CopyFixture
let source: StoredTable
beforeAll(async () => {
  fixture = await openCopyFixture()
  source = storedTable('t1', ['host'], { value: 'DOUBLE', n: 'BIGINT UNSIGNED' })
  await fixture.create(source)
  await fixture.engine.run(
    `INSERT INTO data.t1 SELECT make_timestamp_ns(range * 1000000007), 'h' || (range % 10), hash(range) / 7.0, hash(range)::UBIGINT FROM range(${ROWS})`,
  )
})
afterAll(() => fixture[Symbol.asyncDispose]())

const everything = async (directory: string) =>
  (await readdir(directory, { recursive: true, withFileTypes: true })).map((entry) => entry.name)

describe('local files', () => {
  it.each([
    ['csv', { type: 'CSV' }],
    ['csv.gz', { type: 'CSV', file_compression_type: 'GZIP' }],
    ['csv.zst', { type: 'CSV', file_compression_type: 'ZSTD' }],
    ['json.gz', { type: 'JSON', file_compression_type: 'GZIP' }],
    ['parquet', { type: 'PARQUET' }],
  ])('come as several %s files of about the wanted size', async (extension, format) => {
    const path = join(fixture.directory, extension)
    const stats = await fixture.unload(path, source, { format }, { targetFileBytes: 4 * MIB })
    const names = await everything(path)
    expect(stats).toMatchObject({ rows: ROWS, files: names.length })
    expect(names.length).toBeGreaterThan(1)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(new RegExp(`^queryId-\\d+-part-7-0-\\d+\\.${extension}$`))
    let bytes = 0
    for (const name of names) bytes += (await stat(join(path, name))).size
    expect(stats.bytes).toBe(bytes)
    const back = storedTable(`back_${extension.replaceAll('.', '_')}`, ['host'], {
      value: 'DOUBLE',
      n: 'BIGINT UNSIGNED',
    })
    await fixture.create(back)
    expect(await fixture.load(back, path, { format })).toMatchObject({ rows: ROWS })
    const [row] = await fixture.engine.all(
      `SELECT count(*) AS n FROM (SELECT * FROM data.t1 EXCEPT ALL SELECT * FROM data.${back.name})`,
    )
    expect(row?.n).toBe(0n)
    await fixture.engine.run(`DROP TABLE data.${back.name}`)
  })

  it('leave nothing behind when told to stop', async () => {
    const path = join(fixture.directory, 'stopped', 'deep')
    const stop = new AbortController()
    const reason = new Error('killed')
    const running = fixture.unload(path, source, {}, { signal: stop.signal, targetFileBytes: MIB })
    setTimeout(() => stop.abort(reason), 60)
    await expect(running).rejects.toBe(reason)
    expect(await readdir(fixture.directory)).not.toContain('stopped')
  })

  it('leave nothing behind when a row fails', async () => {
    const path = join(fixture.directory, 'failed')
    await mkdir(path)
    await writeFile(join(path, 'other.csv'), 'kept')
    const query = {
      columns: wholeTable(source).columns,
      select: `SELECT time, host, value, CASE WHEN n % 100000 = 7 THEN error('no') ELSE n END AS n FROM data.t1`,
    }
    await expect(fixture.unload(path, query, {}, { targetFileBytes: MIB })).rejects.toMatchObject({ name: 'CnosError' })
    expect(await everything(path)).toEqual(['other.csv'])
  })

  it('do not take the place of a file', async () => {
    const file = join(fixture.directory, 'taken')
    await writeFile(file, 'mine')
    for (const path of [file, join(file, 'below')]) {
      await expect(fixture.unload(path, source)).rejects.toMatchObject({ errorName: 'STORE_BAD_REQUEST' })
    }
    expect(await readFile(file, 'utf8')).toBe('mine')
  })

  it('are not written where the server may not write', async () => {
    if (process.getuid?.() === 0) return
    const path = join(fixture.directory, 'locked')
    await mkdir(path)
    await chmod(path, 0o500)
    await expect(fixture.unload(path, source)).rejects.toMatchObject({ errorName: 'STORE_ACCESS_DENIED' })
  })

  it('have names as written, blanks and percent signs decoded', async () => {
    const path = `file://${fixture.directory}/a%20b/100%25`
    await fixture.unload(path, source)
    expect(await readdir(join(fixture.directory, 'a b', '100%'))).toHaveLength(1)
    const back = storedTable('back_blank', ['host'], { value: 'DOUBLE', n: 'BIGINT UNSIGNED' })
    await fixture.create(back)
    expect(await fixture.load(back, path)).toMatchObject({ rows: ROWS })
  })

  it('are skipped by a load while they are being written', async () => {
    const path = join(fixture.directory, 'busy')
    await mkdir(join(path, '.unload-1#2', 'rows'), { recursive: true })
    await writeFile(join(path, '.unload-1#2', 'rows', 'data_0.csv'), 'half a li')
    const back = storedTable('back_busy', ['host'], { value: 'DOUBLE' })
    await fixture.create(back)
    expect(await fixture.load(back, path)).toEqual({ files: 0, rows: 0n, bytes: 0 })
  })

  it('refuse what CSV has no text for', async () => {
    const list = { columns: [{ name: 'l', type: 'INTEGER[]' }], select: 'SELECT [1] AS l' }
    await expect(fixture.unload(join(fixture.directory, 'list'), list)).rejects.toMatchObject({ errorName: 'PLANNING' })
    await fixture.unload(join(fixture.directory, 'list'), list, { format: { type: 'JSON' } })
    const [name] = await readdir(join(fixture.directory, 'list'))
    expect(await readFile(join(fixture.directory, 'list', name as string), 'utf8')).toBe('{"l":[1]}\n')
  })

  it('report progress', async () => {
    const seen: number[] = []
    await fixture.unload(
      join(fixture.directory, 'progress'),
      source,
      {},
      { onProgress: ({ percent }) => seen.push(percent) },
    )
    expect(seen.every((percent) => percent <= 100)).toBe(true)
  })
})

describe('Parquet as others read it', () => {
  async function one(table: StoredTable, format: Readonly<Record<string, string>>) {
    const path = join(fixture.directory, `parquet-${table.name}-${Object.values(format).join('-')}`)
    await fixture.unload(path, table, { format: { type: 'PARQUET', ...format } })
    const [name] = await readdir(path)
    const bytes = await readFile(join(path, name as string))
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    return { file, metadata: await parquetMetadataAsync(file) }
  }

  it('has nanoseconds, unsigned integers and what tells tags from fields', async () => {
    const { metadata } = await one(source, {})
    const column = (name: string) => metadata.schema.find((element) => element.name === name)
    expect(column('time')).toMatchObject({
      type: 'INT64',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'NANOS' },
    })
    expect(column('n')).toMatchObject({ type: 'INT64', converted_type: 'UINT_64' })
    expect(column('host')).toMatchObject({ type: 'BYTE_ARRAY', converted_type: 'UTF8' })
    expect(metadata.row_groups[0]?.columns[0]?.meta_data?.codec).toBe('ZSTD')
    const pair = metadata.key_value_metadata?.find(({ key }) => key === 'cnosdb')
    expect(JSON.parse(pair?.value ?? '')).toEqual({
      version: 1,
      tenant: 'cnosdb',
      database: 'public',
      table: 'air',
      columns: source.schema.columns,
    })
  })

  it.each(['uncompressed', 'snappy'])('holds the same rows for another reader, %s', async (compression) => {
    const table = storedTable(`edge_${compression}`, ['tag'], {
      b: 'BIGINT',
      u: 'BIGINT UNSIGNED',
      d: 'DOUBLE',
      t: 'BOOLEAN',
      s: 'STRING',
    })
    await fixture.create(table)
    await fixture.engine.run(
      `INSERT INTO data.${table.name} VALUES
        (make_timestamp_ns(9223372036854775806), 'é', -9223372036854775808, 18446744073709551615, 1.5, true, ''),
        (make_timestamp_ns(1), NULL, 9223372036854775807, NULL, -0.0::DOUBLE, false, NULL)`,
    )
    const { file } = await one(table, { compression })
    const rows = await parquetReadObjects({ file, utf8: true })
    const byTag = rows.find(({ tag }) => tag === 'é')
    expect(byTag).toMatchObject({ b: -(2n ** 63n), u: 2n ** 64n - 1n, d: 1.5, t: true, s: '' })
    const other = rows.find(({ tag }) => tag === null || tag === undefined)
    expect(other?.b).toBe(2n ** 63n - 1n)
    expect(Object.is(other?.d, -0)).toBe(true)
    expect([other?.u ?? null, other?.s ?? null]).toEqual([null, null])
    expect(rows).toHaveLength(2)
  })
})

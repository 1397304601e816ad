import { readdir, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { StoredTable } from '../../src/engine/table.ts'
import { CnosError, isCnosError } from '../../src/errors/cnos-error.ts'
import { type CopyClauses, type CopyFixture, openCopyFixture, wholeTable } from '../copy/copy-fixture.ts'
import { storedTable } from '../engine/engine-fixture.ts'
import { testStoreContext } from '../fakes/store-context.ts'
import { openAzureRig, openGcsRig, openS3Rig, type StoreRig } from '../fakes/store-rigs.ts'

const ROWS = 60_000n
const MIB = 2 ** 20
const PATIENCE = { maxTries: 3, baseDelayMs: 5, maxDelayMs: 20, stallMs: 10_000 }
const RIGS = { s3: openS3Rig, gcs: openGcsRig, azblob: openAzureRig } as const

describe.each(Object.keys(RIGS) as (keyof typeof RIGS)[])('%s', (name) => {
  let rig: StoreRig
  let fixture: CopyFixture
  let source: StoredTable
  let tables = 0
  const cpu = () => {
    tables += 1
    return storedTable(`t${tables}`, ['host'], { value: 'DOUBLE', text: 'STRING' })
  }
  const clauses = (format: Readonly<Record<string, string>>): CopyClauses => ({ connection: rig.connection, format })
  const listed = async (path: string) => {
    const paths: string[] = []
    for await (const meta of rig.store.list(path)) paths.push(meta.path)
    return paths
  }
  const isSame = async (a: StoredTable, b: StoredTable) => {
    const rows = (x: string, y: string) => `(SELECT * FROM data.${x} EXCEPT ALL SELECT * FROM data.${y})`
    const [row] = await fixture.engine.all(
      `SELECT count(*) AS n FROM (${rows(a.name, b.name)} UNION ALL ${rows(b.name, a.name)})`,
    )
    return row?.n === 0n
  }

  beforeAll(async () => {
    rig = await RIGS[name]({ patience: PATIENCE })
    fixture = await openCopyFixture({ storeContext: testStoreContext({ env: rig.env, patience: PATIENCE }) })
    source = cpu()
    await fixture.create(source)
    await fixture.engine.run(
      `INSERT INTO data.${source.name} SELECT make_timestamp_ns(range * 1000000000), 'h' || (range % 10), hash(range) / 7.0, md5(range::VARCHAR) || md5('a' || range) FROM range(${ROWS})`,
    )
  }, 60_000)
  afterEach(async () => {
    rig.faults.clear()
    expect(await readdir(fixture.spoolDir)).toEqual([])
    expect(rig.unfinished()).toEqual([])
  })
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]()
    await rig.close()
  })

  it.each([
    ['csv', { type: 'CSV' }],
    ['csv.gz', { type: 'CSV', file_compression_type: 'GZIP' }],
    ['json', { type: 'JSON' }],
    ['parquet', { type: 'PARQUET' }],
  ])('carries %s out and in, in several files', async (extension, format) => {
    const path = `${rig.url}/round trip/${extension}`
    const out = await fixture.unload(path, source, clauses(format), { targetFileBytes: MIB })
    const paths = await listed(`round trip/${extension}/`)
    expect(out).toMatchObject({ rows: ROWS, files: paths.length })
    if (extension !== 'parquet') expect(out.files).toBeGreaterThan(2)
    for (const file of paths) expect(file).toMatch(new RegExp(`/queryId-\\d+-part-7-0-\\d+\\.${extension}$`))
    const target = cpu()
    await fixture.create(target)
    expect(await fixture.load(target, `${path}/`, clauses(format))).toMatchObject({ rows: ROWS, bytes: out.bytes })
    expect(await isSame(source, target)).toBe(true)
  })

  it.each([
    ['blank + 100%25 %2541', 'blank + 100% %41/'],
    ["%23hash%3F 'single' %22double%22", `#hash? 'single' "double"/`],
    ['測試 데이터 naïve 🦆', '測試 데이터 naïve 🦆/'],
    [`${'long/'.repeat(160)}x`, `${'long/'.repeat(160)}x/`],
  ])('carries rows through a place named %s', async (name, prefix) => {
    const one = { ...wholeTable(source), select: `${wholeTable(source).select} LIMIT 3` }
    expect((await fixture.unload(`${rig.url}/odd/${name}`, one, clauses({ type: 'CSV' }))).rows).toBe(3n)
    const [path = ''] = await listed(`odd/${prefix}`)
    expect(path).toMatch(/queryId-[^/]*\.csv$/)
    const target = cpu()
    await fixture.create(target)
    expect((await fixture.load(target, `${rig.url}/odd/${name}/`, clauses({ type: 'CSV' }))).rows).toBe(3n)
    expect(
      (
        await fixture.load(
          target,
          `${rig.url}/${encodeURI(path).replaceAll('#', '%23').replaceAll('?', '%3F')}`,
          clauses({ type: 'CSV' }),
        )
      ).rows,
    ).toBe(3n)
  })

  it('keeps within a small spool both ways', async () => {
    const format = { type: 'JSON' }
    const path = `${rig.url}/small`
    const spoolBytes = 4 * MIB
    let most = 0
    const watch = setInterval(async () => {
      let bytes = 0
      for (const entry of await readdir(fixture.spoolDir, { recursive: true, withFileTypes: true }).catch(() => [])) {
        if (entry.isFile())
          bytes += await stat(`${entry.parentPath}/${entry.name}`).then(
            ({ size }) => size,
            () => 0,
          )
      }
      most = Math.max(most, bytes)
    }, 5)
    const out = await fixture.unload(path, source, clauses(format), { spoolBytes, targetFileBytes: MIB })
    expect(out.rows).toBe(ROWS)
    const target = cpu()
    await fixture.create(target)
    const stats = await fixture.load(target, `${path}/`, clauses(format), { spoolBytes })
    clearInterval(watch)
    expect(stats.bytes).toBeGreaterThan(spoolBytes)
    expect(await isSame(source, target)).toBe(true)
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThan(1.2 * spoolBytes)
  })

  it('says so when files of a query pile up', async () => {
    rig.faults.add({ ...rig.patterns.put, times: 1000, fault: { kind: 'late', ms: 2_000 } })
    const many = `SELECT rows.* FROM (${wholeTable(source).select}) AS rows, range(20) ORDER BY text LIMIT ${20n * ROWS}`
    const query = { ...wholeTable(source), select: many }
    const spool = { spoolBytes: 4 * MIB, targetFileBytes: MIB, parallelUploads: 1 }
    await expect(fixture.unload(`${rig.url}/piled`, query, clauses({ type: 'JSON' }), spool)).rejects.toMatchObject({
      errorName: 'NO_SPACE',
    })
  })

  it('exports a query as well, and counts no rows as nothing', async () => {
    const query = {
      ...wholeTable(source),
      select: `SELECT time, host, value, text FROM data.${source.name} WHERE host = 'h3' ORDER BY time`,
    }
    expect(await fixture.unload(`${rig.url}/query/`, query, clauses({ type: 'CSV' }))).toMatchObject({
      rows: ROWS / 10n,
      files: 1,
    })
    const nothing = { ...query, select: `${query.select} LIMIT 0` }
    expect(await fixture.unload(`${rig.url}/nothing/`, nothing, clauses({ type: 'CSV' }))).toEqual({
      rows: 0n,
      files: 0,
      bytes: 0,
    })
    expect(await listed('nothing/')).toEqual([])
  })

  it('leaves nothing when the store stops taking files', async () => {
    const fault = { kind: 'status', status: 403, code: 'AccessDenied' } as const
    rig.faults.add({
      ...rig.patterns.put,
      url: new RegExp(`forbidden.*|${rig.patterns.put.url?.source}`),
      skip: 2,
      times: 1000,
      fault,
    })
    const failure = fixture.unload(`${rig.url}/forbidden`, source, clauses({ type: 'CSV' }), { targetFileBytes: MIB })
    await expect(failure).rejects.toMatchObject({ name: 'CnosError' })
    rig.faults.clear()
    expect(await listed('forbidden/')).toEqual([])
  })

  it('needs no permission to read, or to list, for an export', async () => {
    const fault = { kind: 'status', status: 403, code: 'AccessDenied' } as const
    for (const method of ['GET', 'HEAD']) rig.faults.add({ method, times: 1000, fault })
    for (const targetFileBytes of [MIB, 2 ** 30]) {
      const path = `${rig.url}/write-only/${targetFileBytes}/`
      expect(await fixture.unload(path, source, clauses({ type: 'JSON' }), { targetFileBytes })).toMatchObject({
        rows: ROWS,
      })
    }
    rig.faults.clear()
    const files = await listed('write-only/')
    expect(files.length).toBeGreaterThan(3)
    const target = cpu()
    await fixture.create(target)
    await fixture.load(target, `${rig.url}/write-only/${2 ** 30}/`, clauses({ type: 'JSON' }))
    expect(await isSame(source, target)).toBe(true)
  })

  it('leaves nothing when it is told to stop', async () => {
    const stop = new AbortController()
    const reason = new Error('killed')
    const running = fixture.unload(`${rig.url}/stopped`, source, clauses({ type: 'CSV' }), {
      signal: stop.signal,
      targetFileBytes: MIB,
      onProgress: ({ bytes }) => bytes > MIB && stop.abort(reason),
    })
    await expect(running).rejects.toBe(reason)
    expect(await listed('stopped/')).toEqual([])
  })

  it('names what it must leave behind', async () => {
    rig.faults.add({ method: 'DELETE', times: 1000, fault: { kind: 'status', status: 403, code: 'AccessDenied' } })
    const stop = new AbortController()
    const running = fixture.unload(`${rig.url}/left`, source, clauses({ type: 'CSV' }), {
      signal: stop.signal,
      targetFileBytes: MIB,
      onProgress: ({ bytes }) => bytes > MIB && stop.abort(new CnosError('QUERY_CANCELED', 'killed')),
    })
    await expect(running).rejects.toMatchObject({
      errorName: 'QUERY_CANCELED',
      hint: expect.stringContaining(`could not be deleted: ${rig.url}/left/queryId-`),
    })
    rig.faults.clear()
    for (const path of await listed('left/')) await rig.store.delete(path)
  })

  it('leaves nothing where the store finishes a request whose sender has gone', async () => {
    const lateMs = 600
    rig.faults.add({ ...rig.patterns.put, fault: { kind: 'late', ms: lateMs } })
    const stop = new AbortController()
    const reason = new Error('killed')
    const running = fixture.unload(`${rig.url}/late`, source, clauses({ type: 'CSV' }), {
      signal: stop.signal,
      targetFileBytes: MIB,
    })
    const refused = expect(running).rejects.toBe(reason)
    await vi.waitUntil(() => rig.faults.hits > 0, { timeout: 10_000, interval: 10 })
    await sleep(lateMs / 2)
    stop.abort(reason)
    await refused
    await sleep(lateMs)
    expect(await listed('late/')).toEqual([])
  })

  it('loads nothing when a file cannot be fetched whole, and all when the connection only breaks', async () => {
    const path = `${rig.url}/broken`
    await fixture.unload(path, source, clauses({ type: 'CSV' }), { targetFileBytes: MIB })
    const target = cpu()
    await fixture.create(target)
    rig.faults.add({
      ...rig.patterns.get,
      skip: 1,
      times: 1000,
      fault: { kind: 'status', status: 403, code: 'AccessDenied' },
    })
    await expect(fixture.load(target, `${path}/`, clauses({ type: 'CSV' }))).rejects.toMatchObject({
      errorName: 'STORE_ACCESS_DENIED',
    })
    expect(await fixture.engine.all(`SELECT 1 FROM data.${target.name} LIMIT 1`)).toEqual([])
    rig.faults.clear()
    rig.faults.add({ ...rig.patterns.get, fault: { kind: 'reset-inside', bytes: 100_000 } })
    rig.faults.add({ ...rig.patterns.get, skip: 2, fault: { kind: 'truncate', bytes: 5_000 } })
    expect(await fixture.load(target, `${path}/`, clauses({ type: 'CSV' }))).toMatchObject({ rows: ROWS })
    expect(await isSame(source, target)).toBe(true)
  })

  it('names the object, its line and its column', async () => {
    await rig.store.put('bad/a.csv', Buffer.from('time,host,value,text\n1,h,1.5,x\n2,h,oops,x\n'))
    await rig.store.put('bad/', new Uint8Array())
    const target = cpu()
    await fixture.create(target)
    for (const spoolBytes of [2 ** 30, 60]) {
      await rig.store.put('bad/0.csv', Buffer.from('time,host,value,text\n1,h,1.5,x\n'))
      const failure = fixture.load(target, `${rig.url}/bad`, clauses({ type: 'CSV' }), { spoolBytes })
      await expect(failure).rejects.toMatchObject({
        errorName: 'BAD_FILE',
        context: { file: `${rig.store.label}/bad/a.csv`, line: 3, column: 'value', value: 'oops' },
      })
    }
  })

  it('reads one object, and refuses what is not there', async () => {
    await rig.store.put('one/x', Buffer.from('time,host,value,text\n1,h,1.5,x\n'))
    const target = cpu()
    await fixture.create(target)
    expect(await fixture.load(target, `${rig.url}/one/x`, clauses({ type: 'CSV' }))).toMatchObject({
      files: 1,
      rows: 1n,
    })
    for (const missing of ['one/y', 'two/', 'one/x/']) {
      const failure = await fixture
        .load(target, `${rig.url}/${missing}`, clauses({ type: 'CSV' }))
        .catch((error: unknown) => error)
      expect(isCnosError(failure, 'OBJECT_NOT_FOUND')).toBe(true)
    }
  })

  it('says so when a file is larger than the spool', async () => {
    await rig.store.put('large/x', Buffer.alloc(1000, '\n'))
    const target = cpu()
    await fixture.create(target)
    const failure = fixture.load(target, `${rig.url}/large/`, clauses({ type: 'CSV' }), { spoolBytes: 999 })
    await expect(failure).rejects.toMatchObject({ errorName: 'NO_SPACE' })
  })
})

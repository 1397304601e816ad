import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { LoadOptions } from '../../src/copy/load-job.ts'
import type { CopyTally } from '../../src/copy/progress.ts'
import { append } from '../../src/engine/append.ts'
import type { StoredTable } from '../../src/engine/table.ts'
import { type CopyClauses, type CopyFixture, openCopyFixture } from '../copy/copy-fixture.ts'
import { storedTable } from '../engine/engine-fixture.ts'
import { testStoreContext } from '../fakes/store-context.ts'
import { openS3Rig, type StoreRig } from '../fakes/store-rigs.ts'

/** Loading begins with the first file. */
const overlap = { fetchFirstBytes: 0, loadedBytesPerSecond: 0.001, longestWaitMs: 30_000 }
const HEADER = 'time,host,value,text\n'
/** The store is asked again, for ten seconds and more, until it gives the last file. */
const PATIENCE = { maxTries: 1000, baseDelayMs: 200, maxDelayMs: 200, stallMs: 10_000 }

let rig: StoreRig
let fixture: CopyFixture
let table: StoredTable
let counter = 0
let directory: string
beforeAll(async () => {
  rig = await openS3Rig({ patience: PATIENCE })
  fixture = await openCopyFixture({ storeContext: testStoreContext({ env: rig.env, patience: PATIENCE }) })
})
beforeEach(async () => {
  counter += 1
  directory = `in-${counter}`
  table = storedTable(`t${counter}`, ['host'], { value: 'DOUBLE', text: 'STRING' })
  await fixture.create(table)
})
afterEach(async () => {
  rig.faults.clear()
  expect(await readdir(fixture.spoolDir)).toEqual([])
  expect(await readdir(fixture.engine.bulk.stagingDirectory).catch(() => [])).toEqual([])
})
afterAll(async () => {
  await fixture[Symbol.asyncDispose]()
  await rig.close()
})

/** Puts files `0`, `1`, … below the test's directory; the last one is refused `times` times, or until faults are cleared. */
async function files(contents: readonly string[], times = 1000): Promise<void> {
  for (const [i, content] of contents.entries()) await rig.store.put(`${directory}/${i}`, Buffer.from(content))
  refuseLast(contents, { status: 503, code: 'ServerBusy', times })
}

interface Refusal {
  readonly status: number
  readonly code: string
  readonly times: number
}

function refuseLast(contents: readonly string[], { status, code, times }: Refusal): void {
  const url = new RegExp(`^/bucket/${directory}/${contents.length - 1}(\\?|$)`)
  rig.faults.add({ method: 'GET', url, times, fault: { kind: 'status', status, code } })
}

const lines = (first: number, end: number, text = 'x') =>
  Array.from({ length: end - first }, (_, i) => `${first + i},h${i % 7},${i / 8},${text}\n`).join('')

interface Loading {
  readonly clauses?: CopyClauses
  readonly options?: Partial<LoadOptions>
  /** Called once, when rows of the first files have been stored. By default the last file can be had then. */
  readonly midway?: () => void
}

/** Rejects as well when nothing was stored before the last file came. */
async function load({ clauses, options, midway = () => rig.faults.clear() }: Loading = {}): Promise<bigint> {
  let isMidway = false
  const onProgress = ({ bytes, percent }: CopyTally) => {
    if (isMidway || bytes === total || percent - 50 * (bytes / total) < 0.01) return
    isMidway = true
    midway()
  }
  let total = 0
  for await (const { sizeBytes } of rig.store.list(`${directory}/`)) total += sizeBytes
  const connection = { connection: rig.connection }
  const { rows } = await fixture.load(
    table,
    `${rig.url}/${directory}/`,
    { ...connection, format: { type: 'CSV' }, ...clauses },
    { overlap, onProgress, ...options },
  )
  expect(isMidway, 'rows were stored before the last file came').toBe(true)
  return rows
}

const stored = () => fixture.engine.all(`SELECT * FROM data.${table.name} ORDER BY ALL`)
const count = async () => (await fixture.engine.all(`SELECT count(*) AS n FROM data.${table.name}`))[0]?.n

/** What loading the same text at once, from here, makes of it. */
async function expectAsAtOnce(contents: readonly string[], before: string): Promise<void> {
  const found = await stored()
  const other = storedTable(`${table.name}_other`, ['host'], { value: 'DOUBLE', text: 'STRING' })
  await fixture.create(other)
  for (const [name, texts] of [
    ['before', [before]],
    ['files', contents],
  ] as const) {
    const path = `${fixture.directory}/${directory}-${name}`
    await mkdir(path)
    for (const [i, text] of texts.entries()) await writeFile(`${path}/${i}`, text)
    await fixture.load(other, path, { format: { type: 'CSV' } })
  }
  expect(found).toEqual(await fixture.engine.all(`SELECT * FROM data.${other.name} ORDER BY ALL`))
}

async function putBefore(text: string): Promise<void> {
  const path = `${fixture.directory}/${directory}-first`
  await mkdir(path)
  await writeFile(`${path}/0`, text)
  await fixture.load(table, path, { format: { type: 'CSV' } })
}

describe('files are loaded while the last is still on its way', () => {
  it.each([
    ['new rows', HEADER, [lines(0, 1000), lines(1000, 3000), '', lines(3000, 9000)]],
    [
      'repeated keys across files',
      HEADER,
      [lines(0, 2000), lines(2000, 3000), lines(500, 2600, '') + lines(900, 950, 'z')],
    ],
    [
      'keys of the table in a later file',
      `${HEADER}${lines(2000, 2500, 'old')}`,
      [lines(0, 1000), lines(1900, 2100, '')],
    ],
    ['keys of the table in the first file', `${HEADER}${lines(10, 20, 'old')}`, [lines(0, 1000), lines(1000, 2000)]],
  ])('%s', async (name, before, texts) => {
    const contents = texts.map((text) => HEADER + text)
    await putBefore(before)
    await files(contents, name === 'keys of the table in the first file' ? 0 : 1000)
    const rows = BigInt(texts.join('').split('\n').length - 1)
    if (name === 'keys of the table in the first file') {
      const plain = fixture.load(table, `${rig.url}/${directory}/`, { connection: rig.connection }, { overlap })
      expect(await plain).toMatchObject({ rows })
    } else expect(await load()).toBe(rows)
    await expectAsAtOnce(contents, before)
  })

  it('JSON whose first file lacks a column, its schema inferred', async () => {
    await files([
      '{"time":1,"host":"a","text":"x","value":1}\n',
      '{"time":2,"host":"b","more":1,"text":"y","value":2}\n',
    ])
    await load({ clauses: { format: { type: 'JSON' }, options: { auto_infer_schema: true } } })
    expect((await stored()).map(({ text }) => text)).toEqual(['x', 'y'])
  })

  it('readers go on and see nothing of it', async () => {
    await putBefore(`${HEADER}${lines(0, 10)}`)
    await files([HEADER + lines(10, 2000), HEADER + lines(2000, 3000)])
    let seen: Promise<unknown> = Promise.resolve()
    await load({
      midway: () => {
        seen = count().finally(() => rig.faults.clear())
      },
    })
    expect(await seen).toBe(10n)
    expect(await count()).toBe(3000n)
  })
})

describe('what goes wrong leaves the table as it was', () => {
  beforeEach(() => putBefore(`${HEADER}${lines(0, 10)}`))
  afterEach(async () => expect(await count()).toBe(10n))

  it.each([
    ['a value', '5000,h,oops,x\n', { errorName: 'BAD_FILE', context: { line: 3, column: 'value', value: 'oops' } }],
    ['no time', ',h,1,x\n', { errorName: 'TIME_IS_NULL', context: { line: 3 } }],
    ['no field', '5000,h,,\n', { errorName: 'FIELDS_EMPTY', context: { line: 3 } }],
  ])('%s in the third file is named by object and line', async (_name, line, expected) => {
    await files([HEADER + lines(10, 1000), HEADER + lines(1000, 2000), `${HEADER}${lines(4000, 4001)}${line}`])
    const file = `${rig.store.label}/${directory}/2`
    await expect(load()).rejects.toMatchObject({ ...expected, context: { ...expected.context, file } })
  })

  it('a file that cannot be fetched', async () => {
    const contents = [HEADER + lines(10, 1000), HEADER + lines(1000, 2000)]
    await files(contents)
    const midway = () => {
      rig.faults.clear()
      refuseLast(contents, { status: 403, code: 'AccessDenied', times: 1000 })
    }
    await expect(load({ midway })).rejects.toMatchObject({ errorName: 'STORE_ACCESS_DENIED' })
  })

  it('the end of the statement', async () => {
    await files([HEADER + lines(10, 1000), HEADER + lines(1000, 2000)])
    const stop = new AbortController()
    const loading = load({
      options: { signal: stop.signal },
      midway: () => stop.abort(new Error('killed')),
    })
    await expect(loading).rejects.toThrow('killed')
    expect(
      await append(fixture.engine, table, {
        from: '(SELECT NULL::TIMESTAMP_NS LIMIT 0)',
        columns: ['time'],
        cheapToReread: false,
      }),
    ).toEqual({ rows: 0n })
  })
})

it('a store that has become slow does not keep others from the table, and all is loaded in the end', async () => {
  await files([HEADER + lines(10, 2000), HEADER + lines(2000, 3000)])
  let isLoaded = false
  let writing: Promise<boolean> = Promise.resolve(true)
  const write = async () => {
    const from = `(SELECT make_timestamp_ns(5), 'h', 1.0::DOUBLE)`
    await append(fixture.engine, table, { from, columns: ['time', 'host', 'value'], cheapToReread: false })
    return isLoaded
  }
  const loading = load({
    options: { overlap: { ...overlap, longestWaitMs: 50 } },
    midway: () => {
      writing = write().finally(() => rig.faults.clear())
    },
  })
  expect(await loading).toBe(2990n)
  isLoaded = true
  expect(await writing).toBe(false)
  expect(await count()).toBe(2991n)
})

it('waits with loading until the rest is near', async () => {
  await files([HEADER + lines(0, 2000), HEADER + lines(2000, 3000)], 3)
  await expect(load({ options: { overlap: { ...overlap, loadedBytesPerSecond: 2 ** 40 } } })).rejects.toThrow(
    'before the last file',
  )
  expect(await count()).toBe(3000n)
})

it('keeps the sign of a zero when the spool takes one file at a time', async () => {
  const text = Array.from({ length: 3000 }, (_, i) => `${i},h,${i % 2 === 0 ? '-0.0' : '0.0'},x\n`).join('')
  await files([HEADER + text, `${HEADER}5000,h,1,x\n`], 0)
  const options = { overlap, spoolBytes: HEADER.length + text.length }
  await fixture.load(table, `${rig.url}/${directory}/`, { connection: rig.connection }, options)
  const [row] = await fixture.engine.all(`SELECT count(*) FILTER (signbit(value)) AS n FROM data.${table.name}`)
  expect(row?.n).toBe(1500n)
})

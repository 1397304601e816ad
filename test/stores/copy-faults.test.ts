import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type OptionLiteral, printLiteral } from '../../src/options/option-spec.ts'
import { failureOf, openTestDatabase, type TestDatabase } from '../database/open-test-database.ts'
import type { FaultKind } from '../fakes/faults.ts'
import { openAzureRig, openGcsRig, openS3Rig, type RequestPatterns, type StoreRig } from '../fakes/store-rigs.ts'

const ROWS = 20_000
const MANY = 1000

/** A busy machine is no stall; only the tests that inject one wait little. Read anew by each statement. */
const patience = { maxTries: 3, baseDelayMs: 1, maxDelayMs: 5, stallMs: 60_000 }

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const ALWAYS_MENDED: readonly FaultKind[] = [
  { kind: 'status', status: 503, code: 'ServerBusy' },
  { kind: 'status', status: 429, code: 'TooManyRequests', retryAfter: '0' },
  { kind: 'reset-before' },
  { kind: 'reset-after' },
  { kind: 'stall', bytes: -1 },
]
const INSIDE_BODY: readonly FaultKind[] = [
  { kind: 'reset-inside', bytes: 1_000_000 },
  { kind: 'truncate', bytes: 1_000_000 },
  { kind: 'stall', bytes: 1_000_000 },
]

const nameOf = (fault: FaultKind) => (fault.kind === 'status' ? String(fault.status) : fault.kind)

function connectionSql(connection: ReadonlyMap<string, OptionLiteral>): string {
  return `CONNECTION = (${[...connection].map(([key, literal]) => `${key} = ${printLiteral(literal)}`).join(', ')})`
}

/** Lines with text and numbers; more than one part of 8 MiB in CSV. */
function* lines(): Generator<string> {
  for (let i = 0; i < ROWS; i += 1) {
    yield `air,station=s${i % 100},city=Zürich\\ ${i % 7} a=${i}i,b=${i / 8},note="row ${i}: 'quoted', ümlaut, and ${'some length to it '.repeat(25)}" ${1_700_000_000_000_000_000n + BigInt(i) * 1_000_000n}\n`
  }
}

describe.each([
  ['s3', openS3Rig],
  ['gcs', openGcsRig],
  ['azblob', openAzureRig],
] as const)('COPY INTO and faults: %s', (_name, open) => {
  let rig: StoreRig
  let db: TestDatabase
  let counter = 0
  let seedLines = ''

  const exportTo = async (directory: string, format = 'CSV') => {
    const sql = `COPY INTO '${rig.url}/${directory}/' FROM air ${connectionSql(rig.connection)} FILE_FORMAT = (TYPE = '${format}')`
    return (await db.run(sql))[0]?.rows
  }
  const importFrom = async (directory: string, format = 'CSV') => {
    await db.run('DROP TABLE IF EXISTS back')
    await db.run('CREATE TABLE back (a BIGINT, b DOUBLE, note STRING, TAGS(station, city))')
    const sql = `COPY INTO back FROM '${rig.url}/${directory}/' ${connectionSql(rig.connection)} FILE_FORMAT = (TYPE = '${format}')`
    return (await db.run(sql))[0]?.rows
  }
  const countOf = async (table: string) => Number((await db.run(`SELECT count(*) AS n FROM ${table}`))[0]?.n)
  const columns = 'time, station, city, a, b, note'
  const isIdentical = async () => {
    const missing = await db.run(`SELECT ${columns} FROM air EXCEPT SELECT ${columns} FROM back`)
    return missing.length === 0 && (await countOf('back')) === ROWS
  }
  const objectsIn = async (directory: string) => {
    const paths: string[] = []
    for await (const { path } of rig.store.list(`${directory}/`)) paths.push(path)
    return paths
  }
  /** The lines of all objects below a directory, sorted: parts come in any order. */
  const linesIn = async (directory: string) => {
    const hash = createHash('sha256')
    const lines: string[] = []
    for (const path of await objectsIn(directory)) {
      const [, ...rows] = ((await rig.peek(path)) ?? Buffer.alloc(0)).toString().split('\n')
      lines.push(...rows.filter((row) => row !== ''))
    }
    for (const line of lines.sort()) hash.update(line)
    return `${lines.length} ${hash.digest('hex')}`
  }
  const freshDirectory = () => {
    counter += 1
    return `export-${counter}`
  }

  beforeAll(async () => {
    rig = await open()
    db = await openTestDatabase({ env: rig.env, storePatience: patience })
    await db.run('CREATE TABLE air (a BIGINT, b DOUBLE, note STRING, TAGS(station, city))')
    const session = await db.database.authenticate({ user: 'root', password: 'root' })
    await db.database.writeLineProtocol(session, Buffer.from([...lines()].join('')))
    expect(Number(await exportTo('seed'))).toBe(ROWS)
    seedLines = await linesIn('seed')
    expect(seedLines).toMatch(new RegExp(`^${ROWS} `))
  })
  afterAll(async () => {
    await db[Symbol.asyncDispose]()
    await rig.close()
  })
  /** A stall is waited for shortly: often enough to get through, or not. */
  const waitFor = (fault: FaultKind, maxTries: number) => {
    if (fault.kind === 'stall') Object.assign(patience, { stallMs: maxTries > 3 ? 1_500 : 500, maxTries })
  }

  afterEach(async () => {
    rig.faults.clear()
    Object.assign(patience, { stallMs: 60_000, maxTries: 3 })
    expect(rig.unfinished()).toEqual([])
    expect(await readdir(db.path('data', 'spool'))).toEqual([])
  })

  const aims: readonly (keyof RequestPatterns)[] = ['begin', 'part', 'complete', 'head']
  it.each([
    ...aims.flatMap((aim) => ALWAYS_MENDED.map((fault) => [aim, nameOf(fault), fault] as const)),
    ['part', 'reset inside the body', { kind: 'reset-upload', bytes: 1_000_000 }] as const,
    ['complete', 'answer reset inside', { kind: 'reset-inside', bytes: 20 }] as const,
    ['complete', 'answer truncated', { kind: 'truncate', bytes: 20 }] as const,
  ])('export survives at %s: %s', async (aim, _fault, fault) => {
    const directory = freshDirectory()
    const pattern = rig.patterns[aim]
    waitFor(fault, 9)
    if (pattern) rig.faults.add({ ...pattern, fault })
    expect(Number(await exportTo(directory))).toBe(ROWS)
    expect(await linesIn(directory)).toBe(seedLines)
  })

  it.each([
    ...ALWAYS_MENDED.map((fault) => ['part', nameOf(fault), 'STORE_UNAVAILABLE', fault] as const),
    ['part', 'expired token', 'STORE_ACCESS_DENIED', { kind: 'status', status: 403, code: 'ExpiredToken' }] as const,
    ['part', 'reset inside the body', 'STORE_UNAVAILABLE', { kind: 'reset-upload', bytes: 1_000_000 }] as const,
    ['head', 'wrong length', 'STORE_PRECONDITION', { kind: 'wrong-length', bytes: 7 }] as const,
    ['head', 'wrong etag', 'STORE_PRECONDITION', { kind: 'wrong-etag' }] as const,
  ])('export that cannot succeed leaves nothing: %s, %s', async (aim, _fault, name, fault) => {
    const directory = freshDirectory()
    waitFor(fault, 3)
    const isTold = rig.name === 'gcs' && aim === 'head'
    rig.faults.add({ ...(isTold ? rig.patterns.complete : rig.patterns[aim]), times: MANY, fault })
    const failure = await failureOf(exportTo(directory))
    rig.faults.clear()
    expect(failure.name).toBe(name)
    expect(failure.message).toContain(directory)
    for (const secret of rig.secrets) expect(inspect(failure)).not.toContain(secret)
    expect(await objectsIn(directory)).toEqual([])
  })

  it.each([...ALWAYS_MENDED, ...INSIDE_BODY].map((fault) => [nameOf(fault), fault] as const))(
    'import survives: %s',
    async (_fault, fault) => {
      waitFor(fault, 9)
      rig.faults.add({ ...rig.patterns.get, times: 2, fault })
      rig.faults.add({ ...rig.patterns.list, fault: fault.kind === 'reset-inside' ? { kind: 'reset-before' } : fault })
      expect(Number(await importFrom('seed'))).toBe(ROWS)
      expect(await isIdentical()).toBe(true)
    },
  )

  it.each([
    ...ALWAYS_MENDED.map((fault) => [nameOf(fault), /STORE_UNAVAILABLE/, fault] as const),
    ['reset-inside', /STORE_UNAVAILABLE/, { kind: 'reset-inside', bytes: 0 }] as const,
    ['wrong length', /STORE_UNAVAILABLE|STORE_PRECONDITION/, { kind: 'wrong-length', bytes: 7 }] as const,
    ['wrong etag', /STORE_PRECONDITION/, { kind: 'wrong-etag' }] as const,
    ['expired token', /STORE_ACCESS_DENIED/, { kind: 'status', status: 403, code: 'ExpiredToken' }] as const,
    ['disappearing object', /OBJECT_NOT_FOUND/, { kind: 'status', status: 404, code: 'NotFound' }] as const,
    ['truncated', /STORE_UNAVAILABLE/, { kind: 'truncate', bytes: 0 }] as const,
    ['stall inside', /STORE_UNAVAILABLE/, { kind: 'stall', bytes: 0 }] as const,
  ])('import that cannot succeed changes no row: %s', async (_fault, name, fault) => {
    waitFor(fault, 3)
    rig.faults.add({ ...rig.patterns.get, skip: 1, times: MANY, fault })
    const failure = await failureOf(importFrom('seed'))
    expect(failure.name).toMatch(name)
    for (const secret of rig.secrets) expect(inspect(failure)).not.toContain(secret)
    expect(await countOf('back')).toBe(0)
  })

  it.each(ALWAYS_MENDED.slice(-2).map((fault) => [nameOf(fault), fault] as const))(
    'import whose list fails at its second page changes no row: %s',
    async (_fault, fault) => {
      waitFor(fault, 3)
      for (let i = 0; i < 8; i += 1) await rig.store.put(`pages/${i}.csv`, Buffer.from('time,station,city,a,b,note\n'))
      // Azurite's pages are longer.
      const skip = rig.name === 'azblob' ? 0 : 1
      rig.faults.add({ ...rig.patterns.list, skip, times: MANY, fault })
      expect((await failureOf(importFrom('pages'))).name).toBe('STORE_UNAVAILABLE')
      expect(await countOf('back')).toBe(0)
    },
  )

  it('an object that vanishes before its answer is no success', async () => {
    const directory = freshDirectory()
    rig.faults.add({ ...rig.patterns.head, fault: { kind: 'disappear' } })
    if (rig.name !== 'gcs') expect((await failureOf(exportTo(directory))).name).toBe('OBJECT_NOT_FOUND')
    rig.faults.clear()
    await exportTo(directory)
    rig.faults.add({ ...rig.patterns.get, skip: 1, fault: { kind: 'disappear' } })
    expect((await failureOf(importFrom(directory))).name).toMatch(/OBJECT_NOT_FOUND|STORE_PRECONDITION/)
    expect(await countOf('back')).toBe(0)
  })

  it('tokens that expire in mid-way are renewed', async () => {
    const directory = freshDirectory()
    const expired = { kind: 'status', status: 401, code: 'authError' } as const
    if (!rig.expireTokens()) return
    rig.faults.add({ ...rig.patterns.part, fault: expired })
    expect(Number(await exportTo(directory))).toBe(ROWS)
    rig.faults.add({ ...rig.patterns.get, skip: 1, fault: expired })
    expect(Number(await importFrom(directory))).toBe(ROWS)
    expect(await isIdentical()).toBe(true)
  })
})

import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failureOf, openTestDatabase, type TestDatabase } from './open-test-database.ts'

let db: TestDatabase
let before: unknown

const HEADER = 'time,station,v,n,s'
const GOOD = `${HEADER}\n2024-01-01T00:00:00,a,1.5,1,x\n2024-01-01T00:00:01,b,2.5,2,y\n`

/** A directory of files; answers its path with a trailing slash. */
async function place(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const directory = db.path('in', name)
  await mkdir(directory, { recursive: true })
  for (const [file, content] of Object.entries(files)) await writeFile(join(directory, file), content)
  return `${directory}/`
}

async function parquetBytes(): Promise<Buffer> {
  await db.run(`COPY INTO '${db.path('good-parquet')}' FROM air FILE_FORMAT = (TYPE = 'PARQUET')`)
  const [name = ''] = await readdir(db.path('good-parquet'))
  return readFile(join(db.path('good-parquet'), name))
}

const state = () => db.run('SELECT * FROM air ORDER BY time')

beforeAll(async () => {
  db = await openTestDatabase()
  await db.run('CREATE TABLE air (v DOUBLE, n BIGINT, s STRING, TAGS(station))')
  await db.run("INSERT INTO air (time, station, v, n, s) VALUES ('2024-01-01T00:00:00', 'a', 9, 9, 'old')")
  await db.run("CREATE USER rita WITH password = 'rita-pw'")
  await db.run('ALTER TENANT cnosdb ADD USER rita AS owner')
  before = await state()
})
afterAll(async () => {
  expect(await state()).toEqual(before)
  await db[Symbol.asyncDispose]()
})

interface Case {
  readonly title: string
  readonly files?: () =>
    | Promise<Readonly<Record<string, string | Uint8Array>>>
    | Readonly<Record<string, string | Uint8Array>>
  /** `$d` is the directory of the files. */
  readonly sql: string
  readonly code: string
  readonly says: readonly (string | RegExp)[]
}

const csv = (line: string) => () => ({
  'good.csv': GOOD,
  'wrong.csv': `${HEADER}\n2024-01-01T00:00:05,c,1,1,x\n${line}\n`,
})
const COPY = "COPY INTO air FROM '$d'"

const CASES: readonly Case[] = [
  {
    title: 'unknown option',
    sql: `${COPY} FILE_FORMAT = (TYPE = 'CSV', COLOUR = 'red')`,
    code: '010003',
    says: ['Unsupported option [colour]', 'delimiter'],
  },
  {
    title: 'unknown copy option',
    sql: `${COPY} COPY_OPTIONS = (ON_ERROR = 'abort')`,
    code: '010003',
    says: ['Unsupported option [on_error]'],
  },
  {
    title: 'unknown type',
    sql: `${COPY} FILE_FORMAT = (TYPE = 'XML')`,
    code: '010003',
    says: ['Unknown FileType: XML', 'PARQUET'],
  },
  {
    title: 'long delimiter',
    sql: `${COPY} FILE_FORMAT = (TYPE = 'CSV', DELIMITER = ';;')`,
    code: '010009',
    says: ['Delimiter must be a single char'],
  },
  {
    title: 'quoted boolean',
    sql: `${COPY} FILE_FORMAT = (TYPE = 'CSV', WITH_HEADER = 'true')`,
    code: '010009',
    says: ["expected boolean value, but found : 'true'"],
  },
  {
    title: 'unknown scheme',
    sql: "COPY INTO air FROM 'gopher://b/air/'",
    code: '010003',
    says: ['Unsupported url schema [gopher]'],
  },
  {
    title: 'no bucket',
    sql: "COPY INTO air FROM 's3:///air/' CONNECTION = (region = 'x')",
    code: '010003',
    says: ['Lost bucket in url'],
  },
  {
    title: 'missing region',
    sql: "COPY INTO air FROM 's3://b/air/'",
    code: '010003',
    says: ['`region` must be initialized'],
  },
  {
    title: 'unknown connection option',
    sql: "COPY INTO air FROM 's3://b/air/' CONNECTION = (region = 'x', secret_access_key = 'hush')",
    code: '010003',
    says: ['Unsupported option [secret_access_key]'],
  },
  { title: 'missing file', sql: "COPY INTO air FROM '$dnone.csv'", code: '010047', says: ['none.csv', 'not found'] },
  {
    title: 'missing table',
    files: () => ({ 'a.csv': GOOD }),
    sql: "COPY INTO nope FROM '$d'",
    code: '030019',
    says: ['Table not found: "cnosdb.public.nope"'],
  },
  {
    title: 'missing database',
    files: () => ({ 'a.csv': GOOD }),
    sql: "COPY INTO nope.air FROM '$d'",
    code: '030019',
    says: ['nope'],
  },
  {
    title: 'too many parts',
    sql: "COPY INTO a.b.c FROM '$d'",
    code: '010001',
    says: ['must have at most two parts', 'a.b.c'],
  },
  {
    title: 'unknown listed column',
    files: () => ({ 'a.csv': GOOD }),
    sql: "COPY INTO air (time, nope) FROM '$d'",
    code: '010044',
    says: ["Insert column 'nope' does not exist in target table"],
  },
  {
    title: 'no time listed',
    files: () => ({ 'a.csv': GOOD }),
    sql: "COPY INTO air (station, v) FROM '$d'",
    code: '010023',
    says: ['Column time cannot be null'],
  },
  {
    title: 'too few fields',
    files: csv('2024-01-01T00:00:06,c,1'),
    sql: COPY,
    code: '010001',
    says: ['wrong.csv', 'expected 5 got 3', /line 3|line 2/],
  },
  {
    title: 'too many fields',
    files: csv('2024-01-01T00:00:06,c,1,1,x,more'),
    sql: COPY,
    code: '010001',
    says: ['wrong.csv', 'expected 5'],
  },
  {
    title: 'wrong type',
    files: csv('2024-01-01T00:00:06,c,1,twelve,x'),
    sql: COPY,
    code: '010001',
    says: ['wrong.csv', 'twelve', 'n'],
  },
  {
    title: 'fraction for an integer',
    files: csv('2024-01-01T00:00:06,c,1,1.5,x'),
    sql: COPY,
    code: '010001',
    says: ['wrong.csv', '1.5'],
  },
  {
    title: 'integer out of range',
    files: csv('2024-01-01T00:00:06,c,1,9223372036854775808,x'),
    sql: COPY,
    code: '010001',
    says: ['wrong.csv', '9223372036854775808'],
  },
  { title: 'bad time', files: csv('yesterday,c,1,1,x'), sql: COPY, code: '010001', says: ['wrong.csv', 'yesterday'] },
  {
    title: 'time out of range',
    files: csv('3000-01-01T00:00:00,c,1,1,x'),
    sql: COPY,
    code: /./.source,
    says: ['3000-01-01'],
  },
  { title: 'empty time', files: csv(',c,1,1,x'), sql: COPY, code: '010023', says: [/time/] },
  {
    title: 'row without a field',
    files: csv('2024-01-01T00:00:06,c,,,'),
    sql: COPY,
    code: '050034',
    says: ["Fields can't be empty"],
  },
  {
    title: 'JSON with a wrong type',
    files: () => ({ 'a.json': '{"time":"2024-01-01","v":1}\n{"time":"2024-01-01","n":"x1"}\n' }),
    sql: `${COPY} FILE_FORMAT = (TYPE = 'JSON')`,
    code: '010001',
    says: ['a.json', 'x1', 'n'],
  },
  {
    title: 'JSON without a time',
    files: () => ({ 'a.json': '{"time":"2024-01-01","v":1}\n{"v":2}\n' }),
    sql: `${COPY} FILE_FORMAT = (TYPE = 'JSON')`,
    code: '010023',
    says: ['time'],
  },
  {
    title: 'broken JSON',
    files: () => ({ 'a.json': '{"time":"2024-01-01","v":1}\n{"time":"2024-01-01",\n' }),
    sql: `${COPY} FILE_FORMAT = (TYPE = 'JSON')`,
    code: /01000[12]|900004/.source,
    says: ['a.json'],
  },
  {
    title: 'corrupt Parquet',
    files: async () => ({ 'a.parquet': corrupted(await parquetBytes()) }),
    sql: `${COPY} FILE_FORMAT = (TYPE = 'PARQUET')`,
    code: '010001',
    says: ['a.parquet'],
  },
  {
    title: 'truncated Parquet',
    files: async () => ({ 'a.parquet': (await parquetBytes()).subarray(0, 100) }),
    sql: `${COPY} FILE_FORMAT = (TYPE = 'PARQUET')`,
    code: /010001|900004/.source,
    says: ['a.parquet'],
  },
  {
    title: 'empty Parquet',
    files: () => ({ 'a.parquet': '' }),
    sql: `${COPY} FILE_FORMAT = (TYPE = 'PARQUET')`,
    code: /010001|900004/.source,
    says: ['a.parquet'],
  },
  {
    title: 'truncated gzip',
    files: () => ({ 'a.csv.gz': gzipSync(`${HEADER}\n${GOOD.repeat(200)}`).subarray(0, 60) }),
    sql: COPY,
    code: '900004',
    says: ['a.csv.gz'],
  },
  {
    title: 'Parquet taken for CSV',
    files: async () => ({ data: await parquetBytes() }),
    sql: COPY,
    code: '010001',
    says: ['data is a Parquet file', "TYPE = 'PARQUET'"],
  },
  {
    title: 'foreign file',
    files: async () => ({ 'a.parquet': await parquetBytes(), 'README.md': '# hello' }),
    sql: `${COPY} FILE_FORMAT = (TYPE = 'PARQUET')`,
    code: '010001',
    says: ['README.md'],
  },
  {
    title: 'text that is no UTF-8',
    files: () => ({
      'a.csv': Buffer.concat([
        Buffer.from(`${HEADER}\n2024-01-01T00:00:06,c,1,1,`),
        Buffer.from([0xff, 0xfe]),
        Buffer.from('\n'),
      ]),
    }),
    sql: COPY,
    code: '010001',
    says: ['a.csv'],
  },
  {
    title: 'Parquet columns missing with auto_infer_schema',
    files: async () => ({ 'a.json': '{"time":"2024-01-01","v":1}\n' }),
    sql: `${COPY} FILE_FORMAT = (TYPE = 'JSON') COPY_OPTIONS = (AUTO_INFER_SCHEMA = true)`,
    code: '010045',
    says: ['Insert columns and Source columns not match'],
  },
]

function corrupted(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy.fill(0x5a, 4, Math.floor(copy.length / 2))
  return copy
}

describe('wrong input', () => {
  it.each(CASES)('$title', async ({ title, files, sql, code, says }) => {
    const directory = await place(title.replaceAll(' ', '-'), (await files?.()) ?? {})
    const failure = await failureOf(db.run(sql.replaceAll('$d', directory)))
    expect(failure.code).toMatch(new RegExp(`^(${code})`))
    for (const part of says) expect(failure.message).toMatch(part)
    expect(failure.message).not.toMatch(/hush|read_csv|read_parquet|read_json|data\."?t\d/)
    expect(await state()).toEqual(before)
  })

  it('no permission: other users stay below the roots, symbolic links included', async () => {
    const rita = { user: 'rita', password: 'rita-pw' }
    const secret = await place('secret', { 'a.csv': GOOD })
    await symlink(secret, db.path('shared', 'link'))
    for (const path of [secret, `${db.path('shared', 'link')}/`, `${db.path('shared')}/../in/secret/`]) {
      expect(await failureOf(db.run(`COPY INTO air FROM '${path}'`, rita)), path).toMatchObject({
        name: 'PATH_NOT_ALLOWED',
      })
      expect(await failureOf(db.run(`COPY INTO '${path}' FROM air`, rita)), path).toMatchObject({
        name: 'PATH_NOT_ALLOWED',
      })
    }
    expect(await readdir(secret)).toEqual(['a.csv'])
  })

  it('an export that fails leaves no file', async () => {
    await db.run('CREATE TABLE big (v BIGINT)')
    await db.run('INSERT INTO big (time, v) SELECT i, i FROM generate_series(1, 300000) AS g(i)')
    for (const type of ['CSV', 'JSON', 'PARQUET']) {
      const sql = `COPY INTO '${db.path('failed', type)}' FROM (SELECT time, CASE WHEN v = 299999 THEN CAST('x' || v AS BIGINT) ELSE v END AS v FROM big) FILE_FORMAT = (TYPE = '${type}')`
      await failureOf(db.run(sql))
      const left = await readdir(db.path('failed', type), { recursive: true }).catch(() => [])
      expect(left, type).toEqual([])
    }
  })
})

import { appendFile, chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoredTable } from '../../src/engine/table.ts'
import { type CnosError, isCnosError } from '../../src/errors/cnos-error.ts'
import { storedTable } from '../engine/engine-fixture.ts'
import { type CopyClauses, type CopyFixture, openCopyFixture } from './copy-fixture.ts'

let fixture: CopyFixture
let tables = 0
beforeAll(async () => {
  fixture = await openCopyFixture()
})
afterAll(() => fixture[Symbol.asyncDispose]())

/** The table of CnosDB's own COPY INTO tests. */
async function innerCsv(): Promise<StoredTable> {
  tables += 1
  const table = storedTable(`t${tables}`, ['tag1', 'tag2'], {
    bigint_c: 'BIGINT',
    string_c: 'STRING',
    ubigint_c: 'BIGINT UNSIGNED',
    boolean_c: 'BOOLEAN',
    double_c: 'DOUBLE',
  })
  await fixture.create(table)
  return table
}

async function files(contents: Readonly<Record<string, string | Buffer>>): Promise<string> {
  tables += 1
  const directory = join(fixture.directory, `files-${tables}`)
  await mkdir(directory)
  for (const [name, content] of Object.entries(contents)) {
    await mkdir(join(directory, name, '..'), { recursive: true })
    await writeFile(join(directory, name), content)
  }
  return directory
}

const rowsOf = async ({ name }: StoredTable) =>
  (
    await fixture.engine.all(
      `SELECT strftime(time, '%Y-%m-%dT%H:%M:%S.%n') AS time, * EXCLUDE time FROM data.${name} ORDER BY ALL`,
    )
  ).map((row) => Object.values(row))

type Clauses = CopyClauses & { readonly columns?: readonly string[] }

async function failing(table: StoredTable, path: string, clauses: Clauses = {}): Promise<CnosError> {
  const before = await rowsOf(table)
  try {
    await fixture.load(table, path, clauses)
  } catch (error) {
    if (!isCnosError(error)) throw error
    expect(await rowsOf(table)).toEqual(before)
    return error
  }
  throw new Error('the load succeeded')
}

const HEADER = 'time,tag1,tag2,bigint_c,string_c,ubigint_c,boolean_c,double_c\n'
const LINE = '2022-12-22 09:26:56,tt1,tt2,-512512,hello word,512,true,1.11'
const ROW = ['2022-12-22T09:26:56.000000000', 'tt1', 'tt2', -512512n, 'hello word', 512n, true, 1.11]
const JSON_TYPE: CopyClauses = { format: { type: 'JSON' } }

describe('CSV', () => {
  it.each([
    ['with a final newline', `${HEADER}${LINE}\n`],
    ['without one', `${HEADER}${LINE}`],
    ['with CRLF', `${HEADER}${LINE}\n`.replaceAll('\n', '\r\n')],
    ['with CR', `${HEADER}${LINE}\n`.replaceAll('\n', '\r')],
    ['with blank lines', `${HEADER}\n\n${LINE}\n\n`],
    ['with a byte order mark', `\uFEFF${HEADER}${LINE}\n`],
    ['with other names', `a,b,c,d,e,f,g,h\n${LINE}\n`],
    ['packed', gzipSync(`${HEADER}${LINE}\n`)],
    ['packed in two members', Buffer.concat([gzipSync(HEADER), gzipSync(LINE)])],
  ])('reads a file %s', async (_name, content) => {
    const table = await innerCsv()
    const stats = await fixture.load(table, `file://${await files({ 'part-0': content })}/`)
    expect(stats).toMatchObject({ files: 1, rows: 1n })
    expect(await rowsOf(table)).toEqual([ROW])
  })

  it('reads one file, a directory without slash, a deep directory and a pattern', async () => {
    const directory = await files({
      'a.csv': `${HEADER}${LINE}`,
      'deep/.hidden': `${HEADER}${LINE}`,
      'deep/b[1]*?.csv': `${HEADER}${LINE}`,
    })
    for (const [path, count] of [
      [`file://${directory}/a.csv`, 1],
      [`file://${directory}`, 3],
      [`file://${directory}/`, 3],
      [directory, 3],
      [`${directory}/*.csv`, 2],
      [`${directory}/?.csv`, 1],
      [`file://${directory}/deep/b%5B1%5D*%3F.csv`, 1],
    ] as const) {
      const table = await innerCsv()
      expect(await fixture.load(table, path), path).toMatchObject({ files: count, rows: BigInt(count) })
      expect(await rowsOf(table)).toEqual([ROW])
    }
  })

  it('maps by position, and a column list changes the order', async () => {
    const table = await innerCsv()
    const directory = await files({ a: 'double_c,tag2,time\n1.5,y,2022-01-01\n' })
    await fixture.load(table, directory, { columns: ['double_c', 'tag2', 'time'] })
    expect(await rowsOf(table)).toEqual([['2022-01-01T00:00:00.000000000', null, 'y', null, null, null, null, 1.5]])
  })

  it('keeps "" and nothing apart, for tags as well', async () => {
    const table = await innerCsv()
    await fixture.load(table, await files({ a: `${HEADER}1,"",,1,"",,,\n1,,"",2,,,,\n` }))
    expect((await rowsOf(table)).map((row) => row.slice(1, 5))).toEqual([
      ['', null, 1n, ''],
      [null, '', 2n, null],
    ])
  })

  it('lets the last file win, field by field', async () => {
    const table = await innerCsv()
    const directory = await files({
      '2': `${HEADER}1,a,b,2,x,,,\n`,
      '10': `${HEADER}1,a,b,10,,5,,\n`,
      '3': `${HEADER}1,a,b,3,,,,\n`,
    })
    expect(await fixture.load(table, directory)).toMatchObject({ rows: 3n })
    expect((await rowsOf(table)).map((row) => row.slice(3, 6))).toEqual([[3n, 'x', 5n]])
  })

  it('reads lines that end inside quotes, whatever stands at the cuts of the file', async () => {
    const table = await innerCsv()
    const texts = Array.from({ length: 1500 }, (_, i) => `2,"x",3\n7,"y",8\n`.repeat(i % 50) + '"\n'.repeat(i % 7) + i)
    const lines = Array.from(
      { length: 90_000 },
      (_, i) => `${i},t,,${i},"${(texts[i % 1500] as string).replaceAll('"', '""')}",,,\n`,
    )
    await fixture.load(table, await files({ a: HEADER + lines.join('') }))
    const [row] = await fixture.engine.all(
      `SELECT count(*) AS n, count(DISTINCT string_c) AS s, sum(strlen(string_c)) AS bytes FROM data.${table.name}`,
    )
    const bytes = texts.reduce((sum, text) => sum + text.length, 0) * 60
    expect(row).toEqual({ n: 90_000n, s: 1500n, bytes: BigInt(bytes) })
  }, 60_000)
})

describe('what is wrong with a CSV file', () => {
  it.each<readonly [string, string, string, Partial<CnosError['context']>, string]>([
    [
      'a text for a number',
      `${HEADER}${LINE}\n1,a,b,x1,s,1,true,1\n`,
      'BAD_FILE',
      { line: 3, column: 'bigint_c', value: 'x1' },
      'Error while parsing value x1 for column 3 at line 2',
    ],
    [
      'a fraction for an integer',
      `${HEADER}1,a,b,1.5,s,1,true,1\n`,
      'BAD_FILE',
      { line: 2, column: 'bigint_c', value: '1.5' },
      '',
    ],
    [
      'a minus for an unsigned',
      `${HEADER}1,a,b,1,s,-1,true,1\n`,
      'BAD_FILE',
      { line: 2, column: 'ubigint_c', value: '-1' },
      '',
    ],
    ['a blank', `${HEADER}1,a,b, 1,s,1,true,1\n`, 'BAD_FILE', { line: 2, column: 'bigint_c', value: ' 1' }, ''],
    [
      'a bad time',
      `${HEADER}"a\n\n",a,b,1,s,1,true,1\n`,
      'BAD_FILE',
      { line: 2, column: 'time', value: 'a\n\n' },
      'error parsing date',
    ],
    [
      'a bad time after quoted lines',
      `${HEADER}1,a,b,1,"x\ny\n",1,true,1\n\nnever,a,b,1,s,1,true,1\n`,
      'BAD_FILE',
      { line: 6, column: 'time', value: 'never' },
      "Error parsing column 0 at line 2: Parser error: Error parsing timestamp from 'never': error parsing date",
    ],
    [
      'no time',
      `${HEADER}${LINE}\n,a,b,1,s,1,true,1\n`,
      'TIME_IS_NULL',
      { line: 3, column: 'time' },
      'Column time cannot be null.',
    ],
    ['no field', `${HEADER}${LINE}\n1,a,b,,,,,\n`, 'FIELDS_EMPTY', { line: 3 }, "Fields can't be empty"],
    [
      'a short line',
      `${HEADER}${LINE}\n1,a\n`,
      'BAD_FILE',
      { line: 3 },
      'incorrect number of fields for line 3, expected 8 got 2',
    ],
    [
      'a long line',
      `${HEADER}${LINE}\n1,a,b,1,s,1,true,1,9\n`,
      'BAD_FILE',
      { line: 3 },
      'incorrect number of fields for line 3, expected 8 got more than 8',
    ],
    [
      'a short header',
      `time,tag1\n${LINE}\n`,
      'BAD_FILE',
      { line: 1 },
      'incorrect number of fields for line 1, expected 8 got 2',
    ],
    ['an open quote', `${HEADER}1,a,b,1,"s,1,true,1\n`, 'BAD_FILE', { line: 2 }, 'a quoted field does not end'],
    [
      'a line that ends in another way further down',
      `${HEADER}${LINE}\n${LINE}\r\n${LINE}\n`,
      'BAD_FILE',
      { line: 3 },
      'lines end in different ways',
    ],
    ['mixed line ends', `${HEADER.replace('\n', '\r\n')}${LINE}\n${LINE}\n`, 'BAD_FILE', {}, 'end in different ways'],
  ])('%s', async (_name, content, name, context, message) => {
    const directory = await files({ 'a.csv': `${HEADER}${LINE}\n`, 'b.csv': content })
    const error = await failing(await innerCsv(), directory)
    expect(error.errorName).toBe(name)
    expect(error.message).toContain(message)
    expect(error.context).toMatchObject({ file: join(directory, 'b.csv'), ...context })
    expect(error.message).toContain(join(directory, 'b.csv'))
    expect(error.hint).toBeTruthy()
  })

  it('text that is not UTF-8', async () => {
    const directory = await files({
      a: Buffer.concat([Buffer.from(`${HEADER}1,a,b,1,`), Buffer.from([0xff, 0xfe]), Buffer.from(',1,true,1\n')]),
    })
    expect((await failing(await innerCsv(), directory)).message).toContain('not UTF-8')
  })

  it('columns in another order, as CnosDB itself refuses them', async () => {
    tables += 1
    const table = storedTable(`t${tables}`, ['tag1', 'tag2'], { string_c: 'STRING', ubigint_c: 'BIGINT UNSIGNED' })
    await fixture.create(table)
    const directory = await files({ a: 'time,tag1,tag2,ubigint_c,string_c\n2022-12-22 09:26:56,t,t,512,hello word\n' })
    const error = await failing(table, directory)
    expect(error.message).toContain(
      'Arrow error: Parser error: Error while parsing value hello word for column 4 at line 1',
    )
  })

  it('a cut gzip file', async () => {
    const packed = gzipSync(
      HEADER + Array.from({ length: 5000 }, (_, i) => `${i},a,b,${i},s${i * 7919},1,true,1\n`).join(''),
    )
    const directory = await files({ 'x.gz': packed.subarray(0, packed.length / 2) })
    const error = await failing(await innerCsv(), directory)
    expect([error.errorName, error.context.file]).toEqual(['FILE_TRUNCATED', join(directory, 'x.gz')])
  })

  it('a cut zstd file', async () => {
    const table = await innerCsv()
    const many = {
      columns: [{ name: 'n', type: 'BIGINT' }],
      select: 'SELECT hash(range) % 100000 AS n FROM range(200000)',
    }
    const out = join(fixture.directory, `zstd-${tables}`)
    await fixture.unload(out, many, { format: { file_compression_type: 'ZSTD' } })
    const { readdir } = await import('node:fs/promises')
    const name = join(out, (await readdir(out))[0] as string)
    const whole = await readFile(name)
    await writeFile(name, whole.subarray(0, Math.floor(whole.length * 0.7)))
    expect((await failing(table, out)).errorName).toBe('FILE_TRUNCATED')
  })
})

describe('JSON', () => {
  const object =
    '{"bigint_c":-5,"boolean_c":true,"double_c":1.5,"other":[1],"string_c":"s","tag1":"a","time":"2022-01-01 02:00:10","ubigint_c":18446744073709551615}'
  const row = ['2022-01-01T02:00:10.000000000', 'a', null, -5n, 's', 18446744073709551615n, true, 1.5]

  it.each([
    ['one a line', `${object}\n`],
    ['without newline', object],
    [
      'over several lines',
      JSON.stringify(JSON.parse(object.replace('18446744073709551615', '1')), null, 2).replace(
        '"ubigint_c": 1',
        '"ubigint_c": 18446744073709551615',
      ),
    ],
    ['in an array', ` [\n${object}\n]`],
    ['after a byte order mark', `\uFEFF${object}`],
    ['with strings for numbers', object.replace(':-5', ':"-5"').replace(':1.5', ':"1.5"')],
    ['packed', gzipSync(object)],
  ])('reads objects %s', async (_name, content) => {
    const table = await innerCsv()
    expect(await fixture.load(table, await files({ a: content }), JSON_TYPE)).toMatchObject({ rows: 1n })
    expect(await rowsOf(table)).toEqual([row])
  })

  it('reads infinity where the file says so', async () => {
    const table = await innerCsv()
    await fixture.load(table, await files({ a: '{"time":1,"double_c":"-inf"}\n{"time":2,"double_c":1.5}' }), JSON_TYPE)
    expect((await rowsOf(table)).map((values) => values.at(-1))).toEqual([-Infinity, 1.5])
  })

  it('reads several objects on one line, and integers as times', async () => {
    const table = await innerCsv()
    await fixture.load(
      table,
      await files({ a: '{"time":1,"bigint_c":1} {"time":2,"bigint_c":2}\n{"time":"3","bigint_c":3}' }),
      JSON_TYPE,
    )
    expect((await rowsOf(table)).map(([time, , , n]) => [time, n])).toEqual(
      [1, 2, 3].map((n) => [`1970-01-01T00:00:00.00000000${n}`, BigInt(n)]),
    )
  })

  it.each<readonly [string, string, string, Partial<CnosError['context']>, string]>([
    [
      'a fraction for an integer',
      '{"time":1,"bigint_c":1.5}',
      'BAD_FILE',
      { line: 4, column: 'bigint_c', value: '1.5' },
      `whilst decoding field 'bigint_c': failed to parse "1.5" as Int64`,
    ],
    [
      'a text for a number',
      '{"time":1,"double_c":"abc"}',
      'BAD_FILE',
      { line: 4, column: 'double_c', value: 'abc' },
      `failed to parse "abc" as Float64`,
    ],
    [
      'a number beyond DOUBLE',
      '{"time":1,"double_c":-1e999}',
      'BAD_FILE',
      { line: 4, column: 'double_c', value: '-1e999' },
      `failed to parse "-1e999" as Float64`,
    ],
    ['no text for a DOUBLE', '{"time":1,"double_c":""}', 'BAD_FILE', { line: 4, column: 'double_c', value: '' }, ''],
    ['no text for a BIGINT', '{"time":1,"bigint_c":""}', 'BAD_FILE', { line: 4, column: 'bigint_c', value: '' }, ''],
    ['a minus for an unsigned', '{"time":1,"ubigint_c":-1}', 'BAD_FILE', { line: 4, column: 'ubigint_c' }, ''],
    [
      'a number for a string',
      '{"time":1,"string_c":5}',
      'BAD_FILE',
      { line: 4, column: 'string_c', value: '5' },
      'expected string got 5',
    ],
    ['a number for a boolean', '{"time":1,"boolean_c":1}', 'BAD_FILE', { line: 4, column: 'boolean_c' }, ''],
    ['no time', '{"bigint_c":1}', 'TIME_IS_NULL', { line: 4 }, 'Column time cannot be null.'],
    ['a null time', '{"time":null,"bigint_c":1}', 'TIME_IS_NULL', { line: 4 }, ''],
    ['no field', '{"time":1,"tag1":"x"}', 'FIELDS_EMPTY', { line: 4 }, ''],
    ['a bad time', '{"time":"soon","bigint_c":1}', 'BAD_FILE', { line: 4, column: 'time', value: 'soon' }, ''],
    ['broken text', '{"time":1,', 'BAD_FILE', { line: 4 }, 'Json error'],
    ['no object', '"x"', 'BAD_FILE', {}, 'Json error'],
  ])('refuses %s', async (_name, line, name, context, message) => {
    const directory = await files({
      a: '{"time":1,"bigint_c":1}\n',
      b: `{"time":5,"bigint_c":1}\n\n{"time":7,"bigint_c":1}\n${line}\n`,
    })
    const error = await failing(await innerCsv(), directory, JSON_TYPE)
    expect(error.errorName).toBe(name)
    expect(error.message).toContain(message)
    expect(error.context).toMatchObject({ file: join(directory, 'b'), ...context })
  })
})

describe('Parquet', () => {
  const PARQUET: CopyClauses = { format: { type: 'PARQUET' } }
  async function parquet(select: string, options = ''): Promise<string> {
    tables += 1
    const file = join(fixture.directory, `x${tables}.parquet`)
    await fixture.engine.run(`COPY (${select}) TO '${file}' (FORMAT parquet${options})`)
    return file
  }

  it('reads by name, in any order, with columns missing and to spare', async () => {
    const table = await innerCsv()
    const file = await parquet(
      "SELECT 5::INTEGER AS bigint_c, 'x' AS more, '2022-01-01'::TIMESTAMP AS time, 't' AS tag2",
    )
    await fixture.load(table, file, PARQUET)
    expect(await rowsOf(table)).toEqual([['2022-01-01T00:00:00.000000000', null, 't', 5n, null, null, null, null]])
  })

  it('reads files of different columns and types in one statement', async () => {
    const table = await innerCsv()
    const directory = await files({})
    const parts = [
      '1::BIGINT AS time, 1 AS bigint_c',
      "'2022-01-01'::DATE AS time, 'x' AS string_c",
      "'2022-01-01'::TIMESTAMP_MS AS time, 2.5::FLOAT AS double_c",
    ]
    for (const [i, part] of parts.entries())
      await fixture.engine.run(`COPY (SELECT ${part}) TO '${directory}/${i}' (FORMAT parquet)`)
    expect(await fixture.load(table, directory, PARQUET)).toMatchObject({ files: 3, rows: 3n })
    expect((await rowsOf(table)).map((row) => row.slice(3))).toEqual([
      [1n, null, null, null, null],
      [null, 'x', null, null, 2.5],
    ])
  })

  it.each<readonly [string, string, string, Partial<CnosError['context']>, string]>([
    [
      'a fraction for an integer',
      "'2022-01-01'::TIMESTAMP AS time, 1.5::DOUBLE AS bigint_c",
      'BAD_FILE',
      { column: 'bigint_c', value: '1.5' },
      'row 1',
    ],
    [
      'a text for a number',
      "'2022-01-01'::TIMESTAMP AS time, 'x' AS bigint_c",
      'BAD_FILE',
      { column: 'bigint_c', value: 'x' },
      'row 1',
    ],
    [
      'a list',
      "'2022-01-01'::TIMESTAMP AS time, [1] AS bigint_c",
      'BAD_FILE',
      { column: 'bigint_c' },
      'Cannot cast file schema field bigint_c of type INTEGER[]',
    ],
    ['no time column', '1 AS bigint_c', 'TIME_IS_NULL', { column: 'time' }, 'has no column time'],
    ['a null time', 'NULL::TIMESTAMP AS time, 1 AS bigint_c', 'TIME_IS_NULL', {}, 'row 1'],
    ['no field', "'2022-01-01'::TIMESTAMP AS time, NULL::BIGINT AS bigint_c", 'FIELDS_EMPTY', {}, 'row 1'],
  ])('refuses %s', async (_name, select, name, context, message) => {
    const file = await parquet(`SELECT ${select}`)
    const error = await failing(await innerCsv(), file, PARQUET)
    expect(error.errorName).toBe(name)
    expect(error.message).toContain(message)
    expect(error.context).toMatchObject({ file, ...context })
  })

  it('reads a decimal as the nearest DOUBLE', async () => {
    const table = await innerCsv()
    const file = await parquet(
      "SELECT '2022-01-01'::TIMESTAMP AS time, 0.885928592494365519::DECIMAL(18,18) AS double_c",
    )
    await fixture.load(table, file, PARQUET)
    expect((await rowsOf(table))[0]?.at(-1)).toBe(0.8859285924943655)
  })

  // time = 1, wide = 1.10 as DECIMAL(50,2), double_c as DECIMAL(18,18); written by another library.
  const WIDE = Buffer.from(
    'UEFSMRUAFRwVHCwVAhUAFQYVBhwAAAACAAAAAgEBAAAAAAAAABUAFTYVNiwVAhUAFQYVBhwAAAACAAAAAgEAAAAAAAAAAAAAAAAAAAAAAAAAAG4VABUcFRwsFQIVABUGFQYcAAAAAgAAAAIBDEtzXGv9C08VBBlMNQAYBnNjaGVtYRUGABUEJQIYBHRpbWUAFQ4VKhUCGAR3aWRlJQoVBBVkLFwVBBVkAAAAFQ4VEBUCGAhkb3VibGVfYyUKFSQVJCxcFSQVJAAAABYCGRwZPCYAHBUEGSUGABkYBHRpbWUVABYCFkIWQiYISRwVABUAFQIAPCkGGSYAAgAAACYAHBUOGSUGABkYBHdpZGUVABYCFlwWXCZKSRwVABUAFQIAPCkGGSYAAgAAACYAHBUOGSUGABkYCGRvdWJsZV9jFQAWAhZCFkImpgFJHBUAFQAVAgA8KQYZJgACAAAAFuABFgImCBbgAQAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGTwcAAAcAAAcAAAAIQEAAFBBUjE=',
    'base64',
  )

  it('refuses decimals of more digits than it can read, unless they are not asked for', async () => {
    const path = await files({ wide: WIDE })
    const table = storedTable(`wide${tables}`, [], { wide: 'DOUBLE' })
    await fixture.create(table)
    const error = await failing(table, path, PARQUET)
    expect(error.errorName).toBe('BAD_FILE')
    expect(error.message).toContain('Cannot cast file schema field wide of type DECIMAL(50,2) to table schema field')

    const other = await innerCsv()
    await fixture.load(other, path, PARQUET)
    expect((await rowsOf(other))[0]?.at(-1)).toBe(0.8859285924943655)
  })

  it('names the one damaged file of a directory', async () => {
    const good = await readFile(await parquet("SELECT '2022-01-01'::TIMESTAMP AS time, 1 AS bigint_c"))
    for (const bad of [
      good.subarray(0, -5),
      Buffer.from('time,bigint_c\n1,1\n'),
      Buffer.alloc(0),
      Buffer.concat([good.subarray(0, 4), Buffer.alloc(40), good.subarray(44)]),
    ]) {
      const directory = await files({ a: good, b: bad, c: good })
      const error = await failing(await innerCsv(), directory, PARQUET)
      expect([error.errorName, error.context.file]).toEqual(['BAD_FILE', join(directory, 'b')])
      expect(error.message).toContain(join(directory, 'b'))
    }
  })
})

describe('columns', () => {
  it('refuses columns the table does not have', async () => {
    const error = await failing(await innerCsv(), fixture.directory, { columns: ['time', 'nope'] })
    expect(error.errorName).toBe('INSERT_COLUMN_UNKNOWN')
    expect(error.message).toBe(
      "Semantic error: Insert column 'nope' does not exist in target table, expect time,tag1,tag2,bigint_c,string_c,ubigint_c,boolean_c,double_c",
    )
  })

  it('refuses a list without time', async () => {
    expect((await failing(await innerCsv(), fixture.directory, { columns: ['bigint_c'] })).errorName).toBe(
      'TIME_IS_NULL',
    )
  })

  const INFER = { options: { auto_infer_schema: true } }

  it('goes by the names of the files when they have all of the target', async () => {
    const table = await innerCsv()
    const directory = await files({ a: 'more,double_c,time,bigint_c\nx,1.5,7,3\n' })
    await fixture.load(table, directory, { ...INFER, columns: ['time', 'bigint_c', 'double_c'] })
    expect((await rowsOf(table))[0]).toEqual(['1970-01-01T00:00:00.000000007', null, null, 3n, null, null, null, 1.5])
  })

  it('goes by position when they do not', async () => {
    const table = await innerCsv()
    await fixture.load(table, await files({ a: 'date,n,rest\n2022-01-01,3,x\n' }), {
      ...INFER,
      columns: ['time', 'bigint_c'],
    })
    expect((await rowsOf(table))[0]?.slice(0, 4)).toEqual(['2022-01-01T00:00:00.000000000', null, null, 3n])
  })

  it('explains too few columns one by one', async () => {
    const keys = '{"time":1,"tag1":"x","bigint_c":1}'
    const error = await failing(await innerCsv(), await files({ a: keys }), { ...INFER, ...JSON_TYPE })
    expect(error.errorName).toBe('INSERT_COLUMNS_MISMATCH')
    expect(error.message).toContain(
      'Semantic error: Insert columns and Source columns not match: 8 are needed, the files have 3',
    )
    expect(error.message).toContain('8. double_c DOUBLE <- nothing')
    expect(error.hint).toContain('tag2, string_c')
  })

  it('refuses files whose headers differ from the first', async () => {
    const directory = await files({ a: 'time,bigint_c\n1,1\n', b: 'bigint_c,time\n2,2\n' })
    const error = await failing(await innerCsv(), directory, { ...INFER, columns: ['time', 'bigint_c'] })
    expect(error.context).toMatchObject({ file: join(directory, 'b'), line: 1 })
  })
})

describe('files', () => {
  it('answers 0 for an empty directory, files without rows, and nothing else', async () => {
    const table = await innerCsv()
    expect(await fixture.load(table, await files({}))).toEqual({ files: 0, rows: 0n, bytes: 0 })
    expect(await fixture.load(table, await files({ a: '', b: HEADER, c: '\n\n' }))).toMatchObject({
      files: 3,
      rows: 0n,
    })
    expect(await fixture.load(table, await files({ a: '' }), JSON_TYPE)).toMatchObject({ rows: 0n })
    for (const missing of ['nowhere', 'nowhere/', 'no*']) {
      const error = await failing(table, join(fixture.directory, missing))
      expect(error.errorName).toBe('OBJECT_NOT_FOUND')
    }
  })

  it('names the foreign file of a directory', async () => {
    const directory = await files({ a: `${HEADER}${LINE}\n`, 'notes.txt': 'remember the milk' })
    expect((await failing(await innerCsv(), directory)).context.file).toBe(join(directory, 'notes.txt'))
  })

  it('keeps users inside their roots, whatever links say', async () => {
    const outside = await files({ secret: `${HEADER}${LINE}\n` })
    const inside = await files({ a: `${HEADER}${LINE}\n` })
    await symlink(join(outside, 'secret'), join(inside, 'link'))
    await using user = await openCopyFixture({ isAdministrator: false, copyRoots: [inside] })
    const table = await innerCsv()
    await user.create(table)
    await expect(user.load(table, `file://${inside}/`)).rejects.toMatchObject({ errorName: 'PATH_NOT_ALLOWED' })
    expect(await user.load(table, `file://${inside}/a`)).toMatchObject({ rows: 1n })
  })

  it('says that a file may not be read', async () => {
    if (process.getuid?.() === 0) return
    const directory = await files({ a: `${HEADER}${LINE}\n` })
    await chmod(join(directory, 'a'), 0)
    expect((await failing(await innerCsv(), directory)).errorName).toBe('STORE_ACCESS_DENIED')
  })

  it('stops when told to, and changes nothing', async () => {
    const table = await innerCsv()
    const directory = await files({ a: HEADER })
    for (let i = 0; i < 20; i += 1) {
      await appendFile(
        join(directory, 'a'),
        Array.from({ length: 20_000 }, (_, k) => `${i * 20_000 + k},a,b,1,s,1,true,1\n`).join(''),
      )
    }
    const signal = AbortSignal.timeout(100)
    await expect(fixture.load(table, directory, {}, { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(await rowsOf(table)).toEqual([])
  })

  it('reports rows and bytes', async () => {
    const table = await innerCsv()
    const tallies: number[] = []
    const directory = await files({
      a: HEADER + Array.from({ length: 300_000 }, (_, i) => `${i},a,b,1,s,1,true,1\n`).join(''),
    })
    const stats = await fixture.load(table, directory, {}, { onProgress: ({ percent }) => tallies.push(percent) })
    expect(stats).toMatchObject({ rows: 300_000n })
    expect(stats.bytes).toBeGreaterThan(1_000_000)
    expect(tallies.every((percent) => percent <= 100)).toBe(true)
  })
})

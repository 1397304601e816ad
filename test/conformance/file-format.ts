import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { quoteString } from '../../src/engine/quote.ts'
import { isCnosError } from '../../src/errors/cnos-error.ts'
import type { FileColumn, FileFormat, LocalFile, ReadRequest } from '../../src/format/file-format.ts'
import { type OptionSpecs, parseOptions } from '../../src/options/option-spec.ts'
import { type EngineFixture, openTestEngine } from '../engine/engine-fixture.ts'

const COLUMNS: readonly FileColumn[] = [
  { name: 'time', type: 'TIMESTAMP_NS' },
  { name: 'b', type: 'BIGINT' },
  { name: 'u', type: 'UBIGINT' },
  { name: 'd', type: 'DOUBLE' },
  { name: 't', type: 'BOOLEAN' },
  { name: 's', type: 'VARCHAR' },
]

const ROWS = `(SELECT make_timestamp_ns(range) AS time, -range AS b, (18446744073709551615 - range)::UBIGINT AS u,
  range / 7.0 AS d, range % 2 = 0 AS t, CASE WHEN range % 3 = 0 THEN NULL WHEN range % 3 = 1 THEN '' ELSE 'x,"' || chr(10) || range END AS s
  FROM range(1000))`

/** What every format promises, sentence by sentence of src/format/file-format.ts. */
export function describeFileFormat(format: FileFormat): void {
  describe(`the format ${format.names[0]}`, () => {
    let fixture: EngineFixture
    let engine: Engine
    let directory: string
    const options = parseOptions(format.options, new Map(), { clause: 'FILE_FORMAT' })

    beforeAll(async () => {
      fixture = await openTestEngine()
      engine = fixture.engine
      directory = await mkdtemp(join(tmpdir(), 'cnosdb-format-'))
    })
    afterAll(async () => {
      await fixture[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    })

    async function write(name: string, rows: string, columns: readonly FileColumn[] = COLUMNS): Promise<LocalFile> {
      const { projection, copyOptions } = format.writer({ columns, options, metadata: new Map([['k', "it's"]]) })
      const path = join(directory, name)
      await engine.copyTo(`SELECT ${projection} FROM ${rows} AS source`, path, copyOptions)
      return { path, origin: `here/${name}`, compression: 'none' }
    }
    const request = (files: readonly LocalFile[], columns = COLUMNS): ReadRequest<OptionSpecs> => ({
      files,
      columns: columns.map((column) => ({ ...column, source: column.name })),
      fileColumns: columns.map(({ name }) => name),
      namesMatter: false,
      options,
    })
    const rowsOf = async (from: string, tail = '') => engine.all(`SELECT * FROM ${from} AS r ${tail}`)

    it('has upper-case names and an extension', () => {
      for (const name of format.names) expect(name).toBe(name.toUpperCase())
      expect(format.extension(options)).toMatch(/^(\.[a-z]+)+$/)
    })

    it('documents its options', () => {
      for (const spec of Object.values(format.options)) expect(spec.summary).toMatch(/\.$/)
    })

    it('reads back exactly the columns, types and values it wrote', async () => {
      const file = await write('all', ROWS)
      const { from } = await format.reader(request([file]), engine)
      expect(await engine.describe(`SELECT * FROM ${from}`)).toEqual(COLUMNS.map(({ name, type }) => ({ name, type })))
      const [row] = await engine.all(
        `SELECT count(*) AS n FROM ((SELECT * FROM ${from} EXCEPT ALL FROM ${ROWS}) UNION ALL (FROM ${ROWS} EXCEPT ALL SELECT * FROM ${from}))`,
      )
      expect(row?.n).toBe(0n)
    })

    it('keeps the order of files and of rows', async () => {
      const files = [
        await write('z', `(FROM ${ROWS} ORDER BY time LIMIT 500)`),
        await write('a', `(FROM ${ROWS} ORDER BY time OFFSET 500)`),
      ]
      const { from } = await format.reader(request(files), engine)
      const rows = await engine.all(`SELECT b FROM ${from}`)
      expect(rows.map(({ b }) => b)).toEqual(Array.from({ length: 1000 }, (_, i) => BigInt(-i)))
    })

    it('tells what columns files declare', async () => {
      const file = await write('declared', ROWS)
      const found = await format.inspect([file], options, engine)
      expect(found.map(({ name }) => name).sort()).toEqual(COLUMNS.map(({ name }) => name).sort())
    })

    it('names the file of a value that does not fit, not where it lies', async () => {
      const text = COLUMNS.map((column) => (column.name === 'b' ? { ...column, type: 'VARCHAR' } : column))
      const good = await write('good', ROWS)
      const bad = await write(
        'bad',
        `(SELECT * REPLACE (CASE WHEN b = -7 THEN 'seven' ELSE b::VARCHAR END AS b) FROM ${ROWS})`,
        text,
      )
      const reader = await format.reader(request([good, bad]), engine)
      const error = await rowsOf(reader.from).catch((fault: unknown) => reader.explain(fault, engine))
      expect(isCnosError(error, 'BAD_FILE')).toBe(true)
      if (!isCnosError(error)) return
      expect(error.context).toMatchObject({ file: 'here/bad', column: 'b', value: 'seven' })
      expect(error.message).toContain('here/bad')
      expect(error.fullMessage).not.toContain(directory)
    })

    it('leaves errors of other kinds alone', async () => {
      const reader = await format.reader(request([await write('fine', ROWS)]), engine)
      const reason = new Error('aborted')
      expect(await reader.explain(reason, engine)).toBe(reason)
    })

    it('names a file that is none of its kind, and one that was cut', async () => {
      const foreign: LocalFile = { path: join(directory, 'foreign'), origin: 'here/foreign', compression: 'none' }
      await writeFile(foreign.path, 'PK\u0003\u0004 this is neither\n"{[')
      const cut = await write('cut', `(SELECT * REPLACE ('' AS s) FROM ${ROWS})`)
      const { size } = await import('node:fs/promises').then(({ stat }) => stat(cut.path))
      // Into the last row but one field: CSV has nothing else to tell a cut file by.
      await truncate(cut.path, size - 12)
      for (const file of [foreign, cut]) {
        const error = await readAll(file).catch((fault: unknown) => fault)
        expect(isCnosError(error, 'BAD_FILE'), file.origin).toBe(true)
        if (isCnosError(error)) expect(error.context.file).toBe(file.origin)
      }
      async function readAll(file: LocalFile) {
        const reader = await format.reader(request([file]), engine)
        try {
          return await rowsOf(reader.from)
        } catch (fault) {
          throw await reader.explain(fault, engine)
        }
      }
    })

    it('takes any path', async () => {
      const names = ['a b', "it's", 'x[1]*?', '漢', 'hive=1', '{i}']
      for (const name of names) {
        const file = await write('plain', `(FROM ${ROWS} LIMIT 3)`)
        const path = join(directory, name)
        await import('node:fs/promises').then(({ rename }) => rename(file.path, path))
        const { from } = await format.reader(request([{ ...file, path }]), engine)
        expect(await rowsOf(from), name).toHaveLength(3)
      }
      expect(await readdir(directory)).toEqual(expect.arrayContaining(names))
      expect(quoteString("it's")).toBe("'it''s'")
    })
  })
}

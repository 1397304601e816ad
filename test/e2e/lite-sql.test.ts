import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { programs, type RunningServer, run, sql, startServer } from './programs.ts'

let folder: string
let server: RunningServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cnosdb-sql-'))
  server = await startServer(join(folder, 'served'))
  await sql(server, 'CREATE TABLE air (temp DOUBLE, n BIGINT, TAGS(station))')
  await sql(
    server,
    `INSERT INTO air (time, station, temp, n) VALUES ('2024-01-01', 'a', 1.5, 3), ('2024-01-02', 'b', NULL, 4)`,
  )
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

const shell = (args: readonly string[], input?: string) =>
  run(programs.lite, ['sql', '--url', server.url, ...args], {
    cwd: folder,
    killAfterMs: 60_000,
    ...(input === undefined ? {} : { input }),
  })

const SELECT = 'SELECT * FROM air ORDER BY time'
const CSV = 'time,station,temp,n\n2024-01-01T00:00:00.000000000,a,1.5,3\n2024-01-02T00:00:00.000000000,b,,4\n'

describe('one statement', () => {
  it.each([
    ['csv', CSV],
    [
      'json',
      '[{"n":3,"station":"a","temp":1.5,"time":"2024-01-01T00:00:00"},{"n":4,"station":"b","time":"2024-01-02T00:00:00"}]\n',
    ],
    [
      'nd-json',
      '{"n":3,"station":"a","temp":1.5,"time":"2024-01-01T00:00:00"}\n{"n":4,"station":"b","time":"2024-01-02T00:00:00"}\n',
    ],
    [
      'table',
      [
        '+---------------------+---------+------+---+',
        '| time                | station | temp | n |',
        '+---------------------+---------+------+---+',
        '| 2024-01-01T00:00:00 | a       | 1.5  | 3 |',
        '| 2024-01-02T00:00:00 | b       |      | 4 |',
        '+---------------------+---------+------+---+',
        '',
      ].join('\n'),
    ],
  ])('as %s', async (format, stdout) => {
    expect(await shell(['-e', SELECT, '--format', format])).toEqual({ code: 0, stdout, stderr: '' })
  })

  it('on a data directory in this process', async () => {
    const directory = join(folder, 'own')
    const here = (...args: string[]) => run(programs.lite, ['sql', '--data-dir', directory, ...args], { cwd: folder })
    expect(await here('-e', 'CREATE TABLE t (f DOUBLE); INSERT INTO t (time, f) VALUES (1, 2)')).toMatchObject({
      code: 0,
    })
    expect(await here('-e', 'SELECT f FROM t', '--format', 'csv')).toEqual({ code: 0, stdout: 'f\n2.0\n', stderr: '' })
    expect(await here('-e', 'SELECT * FROM nope')).toMatchObject({ code: 1, stdout: '' })
  })

  it('tells errors with code and hint, and exits by their kind', async () => {
    const syntax = await shell(['-e', 'SELEC 1'])
    expect(syntax).toMatchObject({ code: 1, stdout: '' })
    expect(syntax.stderr).toMatch(/^-e:1: error 010009: sql parser error: /)
    expect(syntax.stderr).toContain('hint: did you mean SELECT?')
    const passwordFile = join(folder, 'wrong')
    await writeFile(passwordFile, 'wrong\n')
    const denied = await shell(['-e', 'SELECT 1', '--password-file', passwordFile])
    expect(denied).toMatchObject({ code: 4, stdout: '' })
    expect(denied.stderr).toContain('error 010016')
  })

  it('fails when an answer breaks off', async () => {
    const late = `SELECT CASE WHEN a = 900000 THEN CAST('x' || a AS BIGINT) ELSE a END AS a FROM range(1000000) AS t(a)`
    const broken = await shell(['-e', late, '--format', 'csv'])
    expect(broken.code).toBe(6)
    expect(broken.stderr).toContain('what was printed is incomplete')
  })

  it('is cancelled by SIGINT', async () => {
    const slow = 'SELECT count(*) AS n FROM range(300000) AS a(x), range(300000) AS b(y) WHERE x * y % 7 = 3'
    const child = spawn(process.execPath, [programs.lite, 'sql', '--url', server.url, '-e', slow])
    await delay(1_500)
    child.kill('SIGINT')
    const [code] = await once(child, 'close')
    expect(code).toBe(130)
    await delay(300)
    expect(await sql(server, 'SELECT count(*) AS n FROM information_schema.queries')).toBe('n\n1\n')
  })
})

describe('a script', () => {
  const script = async (text: string, ...args: string[]) => {
    const file = join(folder, 'script.sql')
    await writeFile(file, text)
    return shell(['-f', file, '--format', 'csv', ...args])
  }

  it('runs statements of several lines, and changes tenant and database', async () => {
    const { code, stdout, stderr } = await script(`-- a dump
create tenant if not exists "acme";
\\change_tenant acme
create database if not exists "plant" with precision 'MS' ttl 'INF';
\\c plant
create table if not exists "plant"."air" ("temp" DOUBLE CODEC(GORILLA), tags ("station; x"));
INSERT INTO air (time, "station; x", temp)
  VALUES (1, 'a;b -- c', 1);
SELECT * FROM air`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('rows\n1\ntime,station; x,temp\n1970-01-01T00:00:00.001000000,a;b -- c,1.0\n')
  })

  it('stops at its first error and tells file and line', async () => {
    const { code, stdout, stderr } = await script('SELECT 1 AS a;\n\nSELECT\n nope;\nSELECT 2 AS a;')
    expect([code, stdout]).toEqual([1, 'a\n1\n'])
    expect(stderr).toMatch(/script\.sql:3: error 010001: /)
  })

  it('goes on with --keep-going, and still fails', async () => {
    const { code, stdout, stderr } = await script('SELECT nope;\nSELECT 2 AS a;\nSELEC', '--keep-going')
    expect([code, stdout]).toEqual([1, 'a\n2\n'])
    expect(stderr).toMatch(/script\.sql:1: .*\n[\s\S]*script\.sql:3: [\s\S]*2 statements failed\n$/)
  })

  it('comes from stdin with -f -', async () => {
    expect(await shell(['-f', '-', '--format', 'csv'], 'SELECT 1 AS a;SELECT 2 AS a')).toEqual({
      code: 0,
      stdout: 'a\n1\na\n2\n',
      stderr: '',
    })
  })

  it('that cannot be read is a usage error', async () => {
    expect(await shell(['-f', join(folder, 'missing.sql')])).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('the shell in a pipe', () => {
  it('runs statements and commands as they come', async () => {
    const input = [
      '\\format csv',
      '\\d',
      '\\d air',
      'SELECT 1 AS a,',
      "  ';' AS b; SELECT 3 AS c;",
      '-- done',
      '\\q',
      'SELECT 9 AS z;',
    ]
    const { code, stdout, stderr } = await shell([], `${input.join('\n')}\n`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(
      [
        'table_name\nair',
        'column_name,data_type,column_type,compression_codec',
        'time,TIMESTAMP(NANOSECOND),TIME,DEFAULT\nstation,STRING,TAG,DEFAULT\ntemp,DOUBLE,FIELD,DEFAULT\nn,BIGINT,FIELD,DEFAULT',
        'a,b\n1,;\nc\n3\n',
      ].join('\n'),
    )
  })

  it('stops at an error, unless it keeps going; runs a last statement without ;', async () => {
    expect(await shell(['--format', 'csv'], 'SELECT nope;\nSELECT 1 AS a;\n')).toMatchObject({ code: 1, stdout: '' })
    const all = await shell(['--format', 'csv', '--keep-going'], 'SELECT nope;\n\\nothing\nSELECT 1 AS a')
    expect(all).toMatchObject({ code: 1, stdout: 'a\n1\n' })
    expect(all.stderr).toContain('there is no command \\nothing')
  })

  it('keeps no secret in its history', async () => {
    const history = join(folder, 'history')
    const { openHistory } = await import('../../src/cli/lite/history.ts')
    const { add } = await openHistory({ CNOSDB_LITE_HISTORY: history })
    await add("CREATE USER anna\n  WITH password = 'canary';")
    await add('SELECT 1;')
    expect(await readFile(history, 'utf8')).toBe("CREATE USER anna WITH password = '******';\nSELECT 1;\n")
    expect((await stat(history)).mode & 0o777).toBe(0o600)
    expect((await openHistory({ CNOSDB_LITE_HISTORY: history })).lines[0]).toBe('SELECT 1;')
  })
})

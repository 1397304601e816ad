import { describe, expect, it } from 'vitest'
import { parseSltFile, ROOT } from './slt-file.ts'

describe('parseSltFile', () => {
  it('reads every kind of record', () => {
    const text = `# a comment

statement ok
CREATE TABLE t (
  a BIGINT)

statement error 010009 found: SELEC
SELEC 1

file csv/a.csv
time,a

1,2
----

connection user=bob database=d

query IT rowsort
SELECT a, b
FROM t
----
1 "x y"
NULL z

restart
`
    expect(parseSltFile('x.slt', text)).toEqual([
      { line: 3, kind: 'statement', sql: 'CREATE TABLE t (\n  a BIGINT)', error: undefined },
      { line: 7, kind: 'statement', sql: 'SELEC 1', error: { code: '010009', text: 'found: SELEC' } },
      { line: 10, kind: 'file', path: 'csv/a.csv', content: 'time,a\n\n1,2\n' },
      { line: 16, kind: 'connection', connection: { ...ROOT, user: 'bob', database: 'd' } },
      {
        line: 18,
        kind: 'query',
        sql: 'SELECT a, b\nFROM t',
        types: 'IT',
        isSorted: true,
        rows: ['1 "x y"', 'NULL z'],
      },
      { line: 25, kind: 'restart' },
    ])
  })

  it.each([
    ['statement maybe\nSELECT 1', 'x.slt:1: statement ok | statement error CODE [text]'],
    ['\nstatement ok\n\n', 'x.slt:2: statement without SQL'],
    ['query X\nSELECT 1\n----\n1', 'x.slt:1: query TYPES [rowsort]; types are I R T B D ?'],
    ['query I\nSELECT 1', 'x.slt:1: query without SQL or ----'],
    ['query I upside-down\nSELECT 1\n----\n', 'x.slt:1: unknown option in: upside-down'],
    ['skipif windows', 'x.slt:1: unknown record: skipif'],
    ['connection planet=mars', 'x.slt:1: unknown connection setting planet=mars'],
  ])('refuses %j', (text, message) => {
    expect(() => parseSltFile('x.slt', text)).toThrow(message)
  })
})

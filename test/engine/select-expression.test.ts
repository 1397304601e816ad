import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ExpressionPlan, type PlanExpressionOptions, planExpression } from '../../src/engine/select.ts'
import type { CnosError } from '../../src/errors/cnos-error.ts'
import { openSelectFixture, type SelectFixture } from './select-fixture.ts'

const COLUMNS = [
  { name: 'time', type: 'TIMESTAMP_NS' },
  { name: 'station', type: 'VARCHAR' },
  { name: 'temp', type: 'DOUBLE' },
  { name: 'n', type: 'UBIGINT' },
  { name: 'k', type: 'BIGINT' },
  { name: 'Upper Case', type: 'VARCHAR' },
]

let fixture: SelectFixture
beforeAll(async () => {
  fixture = await openSelectFixture()
})
afterAll(() => fixture.close())

const plan = (text: string, options: PlanExpressionOptions = {}): Promise<ExpressionPlan> =>
  planExpression(fixture.engine, { text, offset: 0 }, COLUMNS, options)

const failure = (text: string, options: PlanExpressionOptions = {}): Promise<CnosError> =>
  plan(text, options).then(
    () => expect.fail(`accepted: ${text}`),
    (error: CnosError) => error,
  )

const matching = async (text: string) => {
  const { sql } = await plan(text)
  const rows = await fixture.engine.all(`SELECT count(*) AS c FROM data.t1 WHERE ${sql}`)
  return rows[0]?.c
}

describe('a condition', () => {
  it.each([
    [`station = 's1'`, 2n],
    [`time >= '2024-01-01T01:00:00Z' AND temp IS NOT NULL`, 1n],
    ['time = 1704067200123456789', 1n],
    [`time < now() - interval '1 hour' OR false`, 3n],
    ['TEMP > 1.5', 1n],
    ['n / 2 = 1', 2n],
    [`"Upper Case" IN ('x', 'z')`, 1n],
    ['k < 0 -- comment', 1n],
    ['k % 2 = 0\n', 1n],
  ])('%s matches %s rows', async (text, count) => {
    expect(await matching(text)).toBe(count)
  })

  it('tells its columns and type', async () => {
    expect(await plan(`temp > 1 AND station = 'a' AND temp < 5`)).toMatchObject({
      columns: ['temp', 'station'],
      type: 'BOOLEAN',
    })
    expect(await plan('temp * 2')).toMatchObject({ columns: ['temp'], type: 'DOUBLE' })
    expect(await plan('1')).toMatchObject({ columns: [] })
  })

  it('allows the name of its table before a column', async () => {
    expect(await plan('air.temp > 1', { table: 'air' })).toMatchObject({ columns: ['temp'] })
    expect((await failure('slow.temp > 1', { table: 'air' })).errorName).toBe('PLANNING')
  })

  it('refuses columns beyond those allowed', async () => {
    const allowedColumns = ['time', 'station']
    expect(await plan(`station = 'a' AND time > 0`, { allowedColumns })).toMatchObject({ columns: ['station', 'time'] })
    const error = await failure(`station = 'a' AND temp > 1`, { allowedColumns })
    expect(error).toMatchObject({ errorName: 'UNSUPPORTED', context: { column: 'temp', position: 18 } })
  })

  it('names an unknown column and where it stands', async () => {
    const statement = 'DELETE FROM air WHERE nope = 1'
    const query = { text: 'nope = 1', offset: statement.indexOf('nope'), statement }
    const error = await planExpression(fixture.engine, query, COLUMNS).catch((e: CnosError) => e as CnosError)
    expect((error as CnosError).message).toBe(
      'Datafusion: Schema error: No field named nope. Valid fields are time, station, temp, n, k, Upper Case.\n' +
        'line 1, column 23:\n  nope = 1\n  ^',
    )
  })

  it.each([
    ['count(*) > 1', 'PLANNING'],
    ['row_number() OVER () = 1', 'PLANNING'],
    ['k IN (SELECT 1)', 'UNSUPPORTED'],
    ['EXISTS (SELECT 1)', 'UNSUPPORTED'],
    [`getenv('HOME') = ''`, 'PLANNING'],
    ['1) FROM data.secret WHERE (true', 'SQL_SYNTAX'],
    ['1) UNION SELECT (2', 'SQL_SYNTAX'],
    ['1), (2', 'SQL_SYNTAX'],
    ['1) ORDER BY (1', 'SQL_SYNTAX'],
    ['1); SELECT (2', 'MULTI_STATEMENT'],
    ['', 'SQL_SYNTAX'],
    ['k >', 'SQL_SYNTAX'],
    ['*', 'UNSUPPORTED'],
    ['k = ?', 'UNSUPPORTED'],
    ['temp + time > 1', 'PLANNING'],
  ])('refuses %s', async (text, name) => {
    expect((await failure(text)).errorName).toBe(name)
  })
})

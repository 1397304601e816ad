import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planSelect, type SelectPlan } from '../../src/engine/select.ts'
import type { CnosError } from '../../src/errors/cnos-error.ts'
import { openSelectFixture, type SelectFixture } from './select-fixture.ts'

let fixture: SelectFixture
beforeAll(async () => {
  fixture = await openSelectFixture()
})
afterAll(() => fixture.close())

const plan = (text: string): Promise<SelectPlan> => planSelect(fixture.engine, { text, offset: 0 }, fixture.resolver)

async function rows(text: string): Promise<unknown[][]> {
  return (await fixture.query(text)).map((row) => Object.values(row))
}

async function failure(text: string, offset = 0, statement?: string): Promise<CnosError> {
  const query = { text, offset, ...(statement === undefined ? {} : { statement }) }
  return planSelect(fixture.engine, query, fixture.resolver).then(
    () => expect.fail(`accepted: ${text}`),
    (error: CnosError) => error,
  )
}

const ns = (text: string) => BigInt(Date.parse(text)) * 1_000_000n

describe('the most rows of a query', () => {
  it.each([
    ['SELECT 1 AS x', 1],
    ['SELECT count(*) AS n, min(temp), max(temp), 7 AS seven FROM air', 1],
    ['SELECT count(*) AS n FROM air WHERE false', 1],
    ['SELECT sum(k) FROM slow AS air(time, host, k) HAVING count(*) > 10', 1],
    ['SELECT count(*) AS n FROM air UNION ALL SELECT count(*) FROM slow', 2],
    ['SELECT * FROM air LIMIT 2', 2],
    ['SELECT * FROM air LIMIT 0', 0],
    ['SELECT * FROM air ORDER BY time LIMIT 5 OFFSET 1', 5],
    ['SELECT * FROM air', undefined],
    ['SELECT count(*) AS n FROM air GROUP BY station', undefined],
    ['SELECT count(*) AS n FROM air GROUP BY ALL', undefined],
    ['SELECT count(*) AS n, station FROM air GROUP BY station', undefined],
    ['SELECT count(*) OVER () AS n FROM air', undefined],
    ['SELECT count(*) AS n, unnest([1, 2, 3]) AS x FROM air', undefined],
    ['SELECT unnest([1, 2, 3]) AS x', undefined],
    ['SELECT 7 AS seven FROM air', undefined],
    ['SELECT * FROM air LIMIT NULL', undefined],
    ['SELECT * FROM air LIMIT 1 + 1', undefined],
    ['VALUES (1), (2)', undefined],
  ])('%s: %s', async (text, bound) => {
    const found = await plan(text).catch((error: CnosError) => error)
    if (!('select' in found)) return expect([bound, found.errorName]).toEqual([undefined, 'UNSUPPORTED'])
    expect(found.maxRows).toBe(bound)
    const { length } = await fixture.engine.values(found.select)
    expect(length).toBeLessThanOrEqual(bound ?? length)
  })
})

describe('names', () => {
  it('folds unquoted names and keeps quoted ones', async () => {
    expect(await rows('SELECT Station FROM AIR WHERE Temp > 4')).toEqual([['s1']])
    expect(await rows(`SELECT "Upper Case" FROM air WHERE "Upper Case" = 'y'`)).toEqual([['y']])
    expect((await failure('SELECT * FROM "AIR"')).errorName).toBe('TABLE_NOT_FOUND')
  })

  it('understands columns qualified by alias, table, database and tenant', async () => {
    const text = 'SELECT air.k, public.air.k, cnosdb.public.air.k FROM public.air WHERE public.air.n = 2'
    expect((await plan(text)).columns.map((column) => column.name)).toEqual(['k', 'k', 'k'])
    expect(await rows('SELECT a.k FROM air a WHERE a.n = 2')).toEqual([[-3n]])
  })

  it('lets a CTE shadow a table, and does not ask the resolver for it', async () => {
    const shadowed = await plan('WITH air AS (SELECT 7 AS x) SELECT air.x FROM air')
    expect(shadowed.tables).toEqual([])
    expect(await rows('WITH air AS (SELECT temp AS x FROM air) SELECT count(x) AS n FROM air')).toEqual([[2n]])
    expect(await rows('WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT b.y FROM b')).toEqual([[2n]])
  })

  it('tells every table that was resolved, with its position', async () => {
    const text = 'SELECT * FROM air WHERE k IN (SELECT v FROM public.slow)'
    const { tables } = await plan(text)
    expect(tables.map(({ parts, position }) => [parts, position])).toEqual([
      [['air'], 14],
      [['public', 'slow'], text.indexOf('public')],
    ])
  })

  it('keeps two tables of one name apart by their databases', async () => {
    const text = 'SELECT air.k, public.air.n FROM air JOIN public.air ON air.time = public.air.time WHERE air.k = 10'
    expect((await rows(text)).length).toBe(1)
  })
})

describe('headings', () => {
  it.each([
    ['count(*)', 'COUNT(UInt8(1))'],
    ['exact_count(*)', 'COUNT(UInt8(1))'],
    ['count(temp)', 'COUNT(air.temp)'],
    ['count(DISTINCT station)', 'COUNT(DISTINCT air.station)'],
    ['sum(temp)', 'SUM(air.temp)'],
    ['avg(temp) + 1', 'AVG(air.temp) + Int64(1)'],
    ['mean(temp)', 'AVG(air.temp)'],
    ['first(time, temp)', 'first(air.time,air.temp)'],
    ['approx_percentile_cont(temp, 0.1, 100)', 'APPROX_PERCENTILE_CONT(air.temp,Float64(0.1),Int64(100))'],
    ['1', 'Int64(1)'],
    ['-1', 'Int64(-1)'],
    ['1.5', 'Float64(1.5)'],
    ['18446744073709551615', 'UInt64(18446744073709551615)'],
    [`'a'`, 'Utf8("a")'],
    ['true', 'Boolean(true)'],
    ['NULL', 'NULL'],
    ['now()', 'now()'],
    [`date_trunc('day', time)`, 'date_trunc(Utf8("day"),air.time)'],
    [`date_bin(INTERVAL '15' MINUTE, time)`, 'date_bin(IntervalMonthDayNano("900000000000"),air.time)'],
    [`time_window(time, INTERVAL '3 day')`, 'TIME_WINDOW(air.time,IntervalMonthDayNano("55340232221128654848"))'],
    ['coalesce(temp, NULL, 1)', 'coalesce(air.temp,NULL,Int64(1))'],
    [`station LIKE 's%'`, 'air.station LIKE Utf8("s%")'],
    ['CAST(temp AS BIGINT)', 'air.temp'],
    ['temp', 'temp'],
    ['air.temp', 'temp'],
    ['temp AS "A b"', 'A b'],
  ])('%s is headed %s', async (item, heading) => {
    const aggregated = /^(count|exact|sum|avg|mean|first|approx)/.test(item)
    const { columns } = await plan(`SELECT ${item} FROM air${aggregated ? '' : ' LIMIT 1'}`)
    expect(columns.map((column) => column.name)).toEqual([heading])
  })

  it('names columns of VALUES column1, column2', async () => {
    expect((await plan(`VALUES (1, 'a')`)).columns.map((column) => column.name)).toEqual(['column1', 'column2'])
    expect(await rows('SELECT column2 FROM (VALUES (1, 2)) v')).toEqual([[2n]])
  })
})

describe('result types', () => {
  it.each([
    ['1', 'BIGINT'],
    ['1.5', 'DOUBLE'],
    ['count(*)', 'UBIGINT'],
    ['sum(k)', 'BIGINT'],
    ['sum(n)', 'UBIGINT'],
    ['sum(temp)', 'DOUBLE'],
    ['max(time)', 'TIMESTAMP_NS'],
    ['avg(k)', 'DOUBLE'],
    ['NULL', 'BIGINT'],
    [`CAST('2024-01-01' AS TIMESTAMP)`, 'TIMESTAMP_NS'],
    [`DATE '2024-01-01'`, 'DATE'],
    ['[1, 2]', 'BIGINT[]'],
    ['max(time) - min(time)', 'VARCHAR'],
    ['CAST(1 AS SMALLINT)', 'BIGINT'],
    ['CAST(1.5 AS FLOAT)', 'DOUBLE'],
    [`CAST('5' AS BIGINT UNSIGNED)`, 'UBIGINT'],
  ])('%s is %s', async (item, type) => {
    expect((await plan(`SELECT ${item} AS x FROM air`)).columns).toEqual([{ name: 'x', type }])
  })

  it('keeps what a subquery counted or summed', async () => {
    const { columns } = await plan('WITH q AS (SELECT count(*) AS c, sum(n) AS s FROM air) SELECT * FROM q')
    expect(columns.map((column) => column.type)).toEqual(['UBIGINT', 'UBIGINT'])
  })

  it('raises on a sum beyond 64 bits instead of wrapping', async () => {
    await expect(rows('SELECT sum(n) FROM air')).rejects.toThrow(/out of range/)
    await expect(rows('SELECT sum(k) FROM air')).rejects.toThrow(/out of range/)
    await expect(rows('SELECT 9223372036854775807 + 1')).rejects.toThrow(/[Oo]verflow/)
  })

  it('keeps 64-bit integers exact', async () => {
    expect(await rows('SELECT n, k FROM air WHERE n = 18446744073709551615')).toEqual([
      [18446744073709551615n, 9223372036854775807n],
    ])
    expect(await rows('SELECT -9223372036854775808 AS x')).toEqual([[-9223372036854775808n]])
  })
})

describe('arithmetic', () => {
  it.each<readonly [string, unknown]>([
    ['7 / 2', 3n],
    ['-7 / 2', -3n],
    ['7.0 / 2', 3.5],
    ['1.0 / 0', Number.POSITIVE_INFINITY],
    ['0.1 + 0.2', 0.30000000000000004],
    ['2147483647 + 1', 2147483648n],
    ['60 * 60 * 24 * 1000 * 1000', 86400000000n],
    ['7 % 3', 1n],
    ['5 ^ 3', 6n],
    ['CAST(1.9 AS BIGINT)', 1n],
    ['CAST(-1.9 AS BIGINT)', -1n],
    ['1.123456789012345678', 1.1234567890123457],
    ['1e400', Number.POSITIVE_INFINITY],
    [`'abc' ~ 'b'`, true],
    [`'abc' ~* 'B'`, true],
    [`'abc' !~ 'b'`, false],
    [`'abc' !~* 'B'`, false],
    [`'abc' SIMILAR TO 'b'`, false],
    [`'abc' NOT SIMILAR TO 'b'`, true],
  ])('%s = %s', async (expression, value) => {
    expect(await rows(`SELECT ${expression} AS x`)).toEqual([[value]])
  })
})

describe('time', () => {
  it('compares with ISO text, with integers of its own unit and with now()', async () => {
    expect((await rows(`SELECT k FROM air WHERE time >= '2024-01-01T01:30:00Z'`)).length).toBe(2)
    expect((await rows(`SELECT k FROM air WHERE time >= '2024-01-01T09:30:00+08:00'`)).length).toBe(2)
    expect((await rows('SELECT k FROM air WHERE time = 1704067200123456789')).length).toBe(1)
    expect((await rows('SELECT k FROM air WHERE time BETWEEN 0 AND 1704067200123456788')).length).toBe(0)
    expect((await rows('SELECT k FROM air WHERE time IN (1704067200123456789, 5)')).length).toBe(1)
    expect((await rows('SELECT v FROM slow WHERE time > 1704067200001')).length).toBe(1)
    expect((await rows(`SELECT k FROM air WHERE time < now() - interval '1 hour'`)).length).toBe(3)
    expect((await rows(`SELECT k FROM air WHERE time > now() - interval '1 hour'`)).length).toBe(0)
  })

  it('honours the offset of a text in every precision', async () => {
    const early = `'2024-01-01T08:00:00.001+08:00'`
    expect((await rows(`SELECT v FROM slow WHERE time = ${early}`)).length).toBe(1)
    expect((await rows(`SELECT v FROM slow WHERE time IN (${early})`)).length).toBe(1)
    expect((await rows(`SELECT v FROM slow WHERE time BETWEEN ${early} AND ${early}`)).length).toBe(1)
    expect((await rows(`SELECT v FROM slow WHERE time = (SELECT ${early})`)).length).toBe(1)
    expect((await rows(`SELECT v FROM slow WHERE time = CAST(${early} AS TIMESTAMP(3))`)).length).toBe(1)
    expect((await rows(`SELECT v FROM slow WHERE time = to_timestamp_millis(${early})`)).length).toBe(1)
    expect((await rows(`SELECT v FROM slow WHERE time = to_timestamp_micros(${early})`)).length).toBe(1)
    expect((await failure(`SELECT v FROM slow WHERE time = 'noon'`)).message).toContain(
      `Error parsing timestamp from 'noon'`,
    )
  })

  it('takes integers beyond all times for bounds', async () => {
    const all = 'time >= -9223372036854775808 AND time <= 9223372036854775807'
    expect((await rows(`SELECT k FROM air WHERE ${all}`)).length).toBe(3)
    expect((await rows(`SELECT v FROM slow WHERE ${all}`)).length).toBe(2)
  })

  it('adds intervals without losing nanoseconds, before 1970 as well', async () => {
    expect(await rows(`SELECT time + interval '1 day' AS t FROM air WHERE n > 5`)).toEqual([
      [ns('2024-01-02T00:00:00Z') + 123456789n],
    ])
    const early = `timestamp '1960-01-01 00:00:00.123456789'`
    expect(await rows(`SELECT ${early} - interval '1 month' AS t`)).toEqual([[ns('1959-12-01T00:00:00Z') + 123456789n]])
    expect(await rows(`SELECT time + interval '1 second' AS t FROM slow WHERE v = 1`)).toEqual([[1704067201001n]])
  })

  it('bins and truncates, before 1970 and at the last nanosecond as well', async () => {
    const last = `timestamp '1969-12-31 23:59:59.999999999'`
    expect(await rows(`SELECT date_bin(interval '1 hour', ${last}) AS t`)).toEqual([[ns('1969-12-31T23:00:00Z')]])
    expect(await rows(`SELECT date_trunc('hour', ${last}) AS t`)).toEqual([[ns('1969-12-31T23:00:00Z')]])
    expect(await rows(`SELECT date_bin(interval '7 days', timestamp '2024-01-05') AS t`)).toEqual([
      [ns('2024-01-04T00:00:00Z')],
    ])
    expect(await rows(`SELECT date_bin(interval '1 month', timestamp '2024-01-05') AS t`)).toEqual([
      [ns('2024-01-01T00:00:00Z')],
    ])
    const origin = `timestamp '2024-01-01 00:10:00'`
    expect(await rows(`SELECT date_bin(interval '1 hour', timestamp '2024-01-01 01:05:00', ${origin}) AS t`)).toEqual([
      [ns('2024-01-01T00:10:00Z')],
    ])
  })

  it.each([
    ['second', 30.15],
    ['millisecond', 30150],
    ['nanosecond', 30150000000],
    ['epoch', 950573550.15],
    ['dow', 2],
    ['doy', 46],
    ['quarter', 1],
  ])('date_part %s', async (part, value) => {
    const time = `timestamp '2000-02-15 00:12:30.150'`
    expect(await rows(`SELECT date_part('${part}', ${time}) AS x`)).toEqual([[value]])
  })

  it('casts between ticks and times', async () => {
    expect(await rows('SELECT CAST(time AS BIGINT) AS x FROM air WHERE n > 5')).toEqual([[1704067200123456789n]])
    expect(await rows('SELECT CAST(time AS BIGINT) AS x FROM slow WHERE v = 1')).toEqual([[1704067200001n]])
    expect(await rows('SELECT CAST(5 AS TIMESTAMP) AS x')).toEqual([[5n]])
    expect(await rows(`SELECT to_timestamp('2023-01-31T09:26:56.123456789-05:00') AS x`)).toEqual([
      [ns('2023-01-31T14:26:56Z') + 123456789n],
    ])
    expect(await rows('SELECT to_timestamp(5) AS a, from_unixtime(1672531200) AS b')).toEqual([
      [5n, ns('2023-01-01T00:00:00Z')],
    ])
  })

  it('puts a row into one tumbling or several sliding windows', async () => {
    const tumbling = `SELECT w.start AS s, c FROM (SELECT time_window(time, '1h') AS w, count(*) AS c FROM air GROUP BY w) ORDER BY 1`
    expect(await rows(tumbling)).toEqual([
      [ns('2024-01-01T00:00:00Z'), 1n],
      [ns('2024-01-01T01:00:00Z'), 1n],
      [ns('2024-01-01T02:00:00Z'), 1n],
    ])
    const sliding = `WITH q AS (SELECT time_window(time, interval '2 hours', interval '1 hour') AS w, * FROM air) SELECT q.w.start AS s, count(*) AS c FROM q GROUP BY 1 ORDER BY 1`
    expect(await rows(sliding)).toEqual([
      [ns('2023-12-31T23:00:00Z'), 1n],
      [ns('2024-01-01T00:00:00Z'), 2n],
      [ns('2024-01-01T01:00:00Z'), 2n],
      [ns('2024-01-01T02:00:00Z'), 1n],
    ])
  })
})

describe('order', () => {
  it('puts NULLs last ascending and first descending', async () => {
    expect(await rows('SELECT temp FROM air ORDER BY temp')).toEqual([[1.5], [4.5], [null]])
    expect(await rows('SELECT temp FROM air ORDER BY temp DESC')).toEqual([[null], [4.5], [1.5]])
    expect(await rows('SELECT temp FROM air ORDER BY temp DESC NULLS LAST LIMIT 1')).toEqual([[4.5]])
  })

  it('keeps the order through the casts of the result', async () => {
    const numbers = await rows(
      'SELECT CAST(generate_series AS INTEGER) AS i FROM generate_series(1, 5000) ORDER BY i DESC',
    )
    expect(numbers.map(([i]) => i)).toEqual(Array.from({ length: 5000 }, (_, at) => BigInt(5000 - at)))
  })
})

describe('joins and set operations', () => {
  it.each([
    ['SELECT count(*) AS c FROM air a CROSS JOIN slow b JOIN slow c ON b.v = c.v', 6n],
    ['SELECT count(*) AS c FROM air a, slow b WHERE a.k = b.v', 0n],
    ['SELECT count(*) AS c FROM air a LEFT JOIN (slow b JOIN slow c ON b.v = c.v) ON a.k = b.v', 3n],
    ['SELECT count(*) AS c FROM air a FULL JOIN slow b ON a.k = b.v', 5n],
    ['SELECT count(*) AS c FROM air NATURAL JOIN (SELECT time FROM air) b', 3n],
    ['SELECT count(*) AS c FROM air WHERE EXISTS (SELECT 1 FROM slow WHERE slow.v = 1 AND air.ok)', 1n],
    ['SELECT count(*) AS c FROM (SELECT k FROM air UNION ALL SELECT v FROM slow)', 5n],
    ['SELECT count(*) AS c FROM (SELECT station FROM air EXCEPT SELECT host FROM slow)', 2n],
    ['SELECT max(c) AS c FROM (SELECT station, count(*) AS c FROM air GROUP BY ROLLUP(station))', 3n],
  ])('%s', async (text, count) => {
    expect(await rows(text)).toEqual([[count]])
  })
})

describe('errors', () => {
  it('lists the fields when one is unknown, at the place where it stands', async () => {
    const error = await failure('SELECT temp,\n  nope FROM air')
    expect(error.errorName).toBe('PLANNING')
    expect(error.code).toBe('010001')
    expect(error.message).toBe(
      'Datafusion: Schema error: No field named nope. Valid fields are air.time, air.station, air.temp, air.n, air.k, air.ok, air.Upper Case.\n' +
        'line 2, column 3:\n    nope FROM air\n    ^',
    )
    expect(error.context).toMatchObject({ column: 'nope', line: 2, position: 15 })
  })

  it('counts characters, not bytes, and whole statements', async () => {
    const statement = `COPY INTO 'p' FROM (SELECT 'é😀', nope FROM air) CONNECTION = (secret_access_key = 'hidden')`
    const text = statement.slice(statement.indexOf('SELECT'), statement.indexOf(') CONN'))
    const error = await failure(text, statement.indexOf('SELECT'), statement)
    const [, place, line, caret] = error.message.split('\n') as [string, string, string, string]
    expect(place).toBe(`line 1, column ${[...statement.slice(0, statement.indexOf('nope'))].length + 1}:`)
    expect([...line].slice(caret.length - 1).join('')).toBe('nope FROM air')
    expect(error.message).not.toContain('hidden')
  })

  it.each([
    ['SELECT temp frm air x', 'SQL_SYNTAX', 'syntax error'],
    ['SELECT stddev(station) FROM air', 'PLANNING', 'stddev_samp(VARCHAR)'],
    ['SELECT station, sum(temp) FROM air', 'PLANNING', 'GROUP BY'],
    ['SELECT increases(time, temp) FROM air', 'PLANNING', `Did you mean 'increase'?`],
    ['SELECT first(temp, time) FROM air', 'PLANNING', 'first argument is a time'],
    ['SELECT sum(ok) FROM air', 'PLANNING', 'a number, not BOOLEAN'],
    ['SELECT abs(1, 2)', 'PLANNING', 'does not accept 2 function arguments'],
    ['SELECT asap_smooth(time, temp, 8) FROM air', 'UNSUPPORTED', 'asap_smooth'],
    ['SELECT upper(DISTINCT station) FROM air', 'PLANNING', 'not an aggregate'],
  ])('%s', async (text, name, part) => {
    const error = await failure(text)
    expect(error.errorName).toBe(name)
    expect(error.message).toContain(part)
    expect(error.message).toContain('line 1')
  })

  it('passes on what the resolver throws', async () => {
    const resolver = {
      table: () => {
        throw new RangeError('mine')
      },
    }
    await expect(planSelect(fixture.engine, { text: 'SELECT 1 FROM t', offset: 0 }, resolver)).rejects.toThrow(
      RangeError,
    )
  })

  it('stops when aborted', async () => {
    const signal = AbortSignal.abort(new Error('stop'))
    const planned = planSelect(fixture.engine, { text: 'SELECT 1', offset: 0 }, fixture.resolver, { signal })
    await expect(planned).rejects.toThrow('stop')
  })
})

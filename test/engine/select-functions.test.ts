import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findFunction, functionNames } from '../../src/engine/function-list.ts'
import { openSelectFixture, type SelectFixture } from './select-fixture.ts'

let fixture: SelectFixture
beforeAll(async () => {
  fixture = await openSelectFixture()
})
afterAll(() => fixture.close())

const value = async (expression: string, from = ''): Promise<unknown> => {
  const [row] = await fixture.query(`SELECT ${expression} AS x${from}`)
  return row?.x
}

type Case = readonly [expression: string, value: unknown]

const STRINGS: readonly Case[] = [
  [`ascii('a')`, 97n],
  [`bit_length('abc')`, 24n],
  [`btrim('xxaxx', 'x')`, 'a'],
  [`btrim('  a ')`, 'a'],
  [`trim('  a ')`, 'a'],
  [`trim(BOTH 'x' FROM 'xax')`, 'a'],
  [`ltrim('  a ')`, 'a '],
  [`rtrim('  a ')`, '  a'],
  [`char_length('é😀')`, 2n],
  [`character_length('é')`, 1n],
  [`length('é')`, 1n],
  [`octet_length('é')`, 2n],
  ['chr(233)', 'é'],
  [`concat('a', NULL, 'b', 1)`, 'ab1'],
  [`concat(true, '-', timestamp '2024-01-01T00:00:00.500Z', '-', 1.5)`, '1-2024-01-01T00:00:00.500-1.5'],
  [`concat_ws(',', 1, false)`, '1,0'],
  [`'n' || 1 || true`, 'n11'],
  [`CAST(timestamp '2024-01-01' AS STRING)`, '2024-01-01T00:00:00'],
  [`coalesce(NULL, 1.5, 'x')`, '1.5'],
  ['ascii(98)', 57n],
  [`replace('s1s', 's', 2)`, '212'],
  ['starts_with(123, 12)', true],
  [`lpad('Hello', 3, '')`, 'Hel'],
  [`split_part('a1b', 1, 2)`, 'b'],
  [`concat_ws('-', 'a', NULL, 'b')`, 'a-b'],
  [`initcap('hello wORLD-wide 1st')`, 'Hello World-Wide 1st'],
  [`instr('abc', 'c')`, 3n],
  [`strpos('abc', 'z')`, 0n],
  [`position('b' IN 'abc')`, 2n],
  [`left('hello', 2)`, 'he'],
  [`right('hello', 2)`, 'lo'],
  [`lower('AbC')`, 'abc'],
  [`upper('AbC')`, 'ABC'],
  [`lpad('a', 3)`, '  a'],
  [`lpad('a', 3, 'xy')`, 'xya'],
  [`rpad('a', 3, 'x')`, 'axx'],
  [`repeat('ab', 2)`, 'abab'],
  [`replace('aXa', 'X', '-')`, 'a-a'],
  [`reverse('abc')`, 'cba'],
  [`split_part('a,b,c', ',', 2)`, 'b'],
  [`starts_with('abc', 'ab')`, true],
  [`substr('hello', 2, 3)`, 'ell'],
  [`substring('hello' FROM 2 FOR 3)`, 'ell'],
  [`overlay('hello' PLACING 'XX' FROM 2 FOR 3)`, 'hXXo'],
  [`translate('abc', 'ab', 'xy')`, 'xyc'],
  ['to_hex(255)', 'ff'],
  [`levenshtein('kitten', 'sitting')`, 3n],
  [`md5('a')`, '0cc175b9c0f1b6a831c399e269772661'],
  [`sha256('a')`, 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
  ['length(uuid())', 36n],
  [`regexp_like('ABC', 'b', 'i')`, true],
  [`regexp_replace('foobarbaz', 'b(..)', 'X\\1Y', 'g')`, 'fooXarYXazY'],
  [`array_to_string(regexp_match('foobarbequebaz', '(bar)(beque)'), '|')`, 'bar|beque'],
  [`array_to_string(regexp_match('abc', 'b.'), '|')`, 'bc'],
  [`regexp_match('abc', 'z')`, null],
  [`array_length(string_to_array('a,b', ','))`, 2n],
  [`'a%b' LIKE 'a!%b' ESCAPE '!'`, true],
  [`'a%b' NOT LIKE 'a!%b' ESCAPE '!'`, false],
  [`'A%b' ILIKE 'a!%b' ESCAPE '!'`, true],
  [`'A%b' NOT ILIKE 'a!%b' ESCAPE '!'`, false],
]

/** PostgreSQL's meaning of positions that are not in the text. */
const POSITIONS: readonly Case[] = [
  [`substr('abcdef', -2)`, 'abcdef'],
  [`substr('abc', 0, 2)`, 'a'],
  [`substr('abc', -1, 3)`, 'a'],
  [`substring('hello', 10)`, ''],
  [`encode('a?b', 'hex')`, '613f62'],
  [`encode('ab', 'base64')`, 'YWI'],
  [`decode('6162', 'hex')`, '6162'],
  [`decode('YWI', 'base64')`, '6162'],
  [`digest('Hello CnosDB', 'md5')`, '0daa6f74dbedeab58db254f19990ab80'],
  [`digest('a', 'sha256')`, 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
]

const MATH: readonly Case[] = [
  ['abs(-5)', 5n],
  ['ceil(1.2)', 2],
  ['floor(-1.2)', -2],
  ['round(1.2345, 2)', 1.23],
  ['round(2.5)', 3],
  ['trunc(-1.99)', -1],
  ['trunc(1.567, 2)', 1.56],
  ['signum(-2)', -1],
  ['signum(0)', 1],
  ['sqrt(-1)', Number.NaN],
  ['ln(0)', Number.NEGATIVE_INFINITY],
  ['ln(-1)', Number.NaN],
  ['log10(0)', Number.NEGATIVE_INFINITY],
  ['log2(NULL)', null],
  ['log(2, 0)', Number.NEGATIVE_INFINITY],
  ['acos(2)', Number.NaN],
  ['asin(-2)', Number.NaN],
  ['acosh(0.5)', Number.NaN],
  ['atanh(-1)', Number.NEGATIVE_INFINITY],
  ['atanh(2)', Number.NaN],
  ['power(2, 3)', 8n],
  ['pow(2.0, 0.5)', Math.SQRT2],
  ['log(100)', 2],
  ['log(2, 8)', 3],
  ['log2(8)', 3],
  ['log10(1000)', 3],
  ['ln(1)', 0],
  ['exp(0)', 1],
  ['sqrt(4)', 2],
  ['cbrt(27)', 3],
  ['factorial(5)', 120n],
  ['gcd(12, 18)', 6n],
  ['lcm(4, 6)', 12n],
  ['pi()', Math.PI],
  ['random() < 1', true],
  [`isnan(CAST('NaN' AS DOUBLE))`, true],
  ['iszero(0)', true],
  [`nanvl(CAST('NaN' AS DOUBLE), 3.0)`, 3],
  ...['acos', 'asin', 'atan', 'asinh', 'atanh', 'sin', 'sinh', 'tan', 'tanh', 'radians', 'degrees'].map(
    (name): Case => [`abs(${name}(0.0)) < 2`, true],
  ),
  ...['cos', 'cosh', 'acosh', 'cot'].map((name): Case => [`${name}(1.0) >= 0`, true]),
  ['atan2(0, 1)', 0],
]

const OTHERS: readonly Case[] = [
  [`arrow_cast('5', 'Int64')`, 5n],
  [`arrow_cast(1.9, 'Int64')`, 1n],
  [`arrow_typeof(arrow_cast(5, 'UInt64'))`, 'UInt64'],
  [`st_asbinary('POINT(0 3)')`, '010100000000000000000000000000000000000840'],
  [`st_geomfromwkb(st_asbinary('LINESTRING (30 10, 10 30)'))`, 'LINESTRING(30 10,10 30)'],
  [`st_area('POLYGON ((40 40, 20 45, 45 30, 40 40))')`, 87.5],
  [`st_area('POLYGON ((35 10, 45 45, 15 40, 10 20, 35 10), (20 30, 35 35, 30 20, 20 30))')`, 675],
  [`st_area('MULTIPOLYGON (((0 0, 2 0, 2 2, 0 2, 0 0)), ((4 4, 8 4, 8 8, 4 8, 4 4), (5 5, 6 5, 6 6, 5 6, 5 5)))')`, 19],
  [`st_area('POLYGON ((0 0, 0 2, 3 2, 3 0))')`, 6],
  [`st_area('POINT (1 2)')`, 0],
  ['st_area(NULL)', null],
  ['arrow_typeof(1)', 'Int64'],
  ['arrow_typeof(now())', 'Timestamp(Nanosecond, None)'],
  [`arrow_typeof('a')`, 'Utf8'],
  ['nullif(1, 1)', null],
  ['ifnull(NULL, 2)', 2n],
  [`nvl(NULL, 'a')`, 'a'],
  ['nvl2(NULL, 1, 2)', 2n],
  ['coalesce(NULL, 1)', 1n],
  ['make_array(1, 2)[2]', 2n],
  ['[1, 2][1]', 1n],
  [`{'a': 5}['a']`, 5n],
  ['struct(1, 2) IS NOT NULL', true],
  ['row(1, 2) IS NOT NULL', true],
  [`get_field({'a': 5}, 'a')`, 5n],
  ['array_length([1, 2])', 2n],
  ['cardinality([1, 2, 3])', 3n],
  ['array_has([1, 2], 2)', true],
  ['array_contains([1, 2], 3)', false],
  ['array_append([1], 2)[2]', 2n],
  ['array_prepend(0, [1])[1]', 0n],
  ['array_concat([1], [2])[2]', 2n],
  ['array_element([1, 2], 2)', 2n],
  ['array_position([5, 6], 6)', 2n],
  ['array_length(array_distinct([1, 1]))', 1n],
  ['array_sort([2, 1])[1]', 1n],
  ['array_reverse([2, 1])[1]', 1n],
  ['array_length(flatten([[1], [2]]))', 2n],
  [`array_to_string(['a', 'b'], '+')`, 'a+b'],
  ['unnest([7])', 7n],
  [`current_user`, 'root'],
  ['current_tenant()', 'cnosdb'],
  ['current_role()', null],
  [`CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END`, 'b'],
]

const TIMES: readonly Case[] = [
  [`datetrunc('year', timestamp '2024-05-05') = timestamp '2024-01-01'`, true],
  [`datepart('month', '2024-05-13')`, 5],
  [`extract(year FROM timestamp '2024-05-13')`, 2024],
  ['now() = current_timestamp', true],
  ['now() > to_timestamp_nanos(5)', true],
  ['CAST(to_timestamp_micros(5) AS BIGINT)', 5n],
  ['CAST(to_timestamp_millis(5) AS BIGINT)', 5n],
  [`to_timestamp_seconds('2024-01-01T00:00:00.999Z') = timestamp '2024-01-01'`, true],
  ['current_date <= current_date()', true],
  ['current_time <= current_time()', true],
  [`timestamp '2024-01-01' + interval '1 month' = timestamp '2024-02-01'`, true],
  ["timestamp '2024-01-01' + interval 90 minute = timestamp '2024-01-01T01:30:00'", true],
]

const DIVISIONS: readonly Case[] = [
  ['7 / 2', 3n],
  ['-7 / 2', -3n],
  ['-7 % 2', -1n],
  ['1.0 / 0', Number.POSITIVE_INFINITY],
  ['0.0 / 0', Number.NaN],
  ['CAST(NULL AS BIGINT) / 0', null],
  ['coalesce(1.5, 0) / 0', Number.POSITIVE_INFINITY],
  ['nvl(NULL, 1.5) / 2', 0.75],
  ['CASE WHEN 1 = 1 THEN 3 ELSE 1 / 0 END', 3n],
  ['100 / (90 / (80 / (70 / (60 / (50 / (40 / (30 / (20 / 10))))))))', 2n],
  ['CAST(5 AS BIGINT UNSIGNED) - 30', -25n],
  ['5 - CAST(30 AS BIGINT UNSIGNED)', -25n],
  ['-(CAST(5 AS BIGINT UNSIGNED) + 1)', -6n],
]

const INTERVALS: readonly Case[] = [
  [
    `interval '14 months 3 days 4 hours 5 minutes 6.5 seconds'`,
    '0 years 14 mons 3 days 4 hours 5 mins 6.500000000 secs',
  ],
  [`interval '-1.5 seconds'`, '0 years 0 mons 0 days 0 hours 0 mins -1.500000000 secs'],
  [
    `timestamp '2023-01-28T08:00:00' - timestamp '2023-01-14T16:00:00'`,
    '0 years 0 mons 13 days 16 hours 0 mins 0.000000000 secs',
  ],
  [`CAST(interval '1 day' AS STRING)`, '0 years 0 mons 1 days 0 hours 0 mins 0.000000000 secs'],
]

/** Over `air`: temp 1.5, NULL, 4.5; k 2^63-1, -3, 10; station s1, s2, s1. */
const AGGREGATES: readonly Case[] = [
  ['count(*)', 3n],
  ['count(temp)', 2n],
  ['count(DISTINCT station)', 2n],
  ['count(station, temp)', 2n],
  ['count(station, temp) FILTER (WHERE temp > 2)', 1n],
  ['count(*) FILTER (WHERE ok IS TRUE)', 1n],
  ['count(*) FILTER (WHERE ok IS NOT FALSE)', 2n],
  ['count(*) FILTER (WHERE ok IS NOT UNKNOWN)', 2n],
  ['exact_count(*)', 3n],
  ['exact_count(temp)', 2n],
  ['sum(temp)', 6],
  ['sum(temp) FILTER (WHERE ok)', 1.5],
  ['avg(temp)', 3],
  ['mean(temp)', 3],
  ['min(k)', -3n],
  ['max(station)', 's2'],
  ['median(temp)', 3],
  ['median(k)', 10n],
  ['median(n)', 3n],
  ['median(k) FILTER (WHERE k < 100)', 3n],
  ['mode(station)', 's1'],
  ['first(time, temp)', 1.5],
  ['last(time, temp)', 4.5],
  ['last(time, temp) FILTER (WHERE temp < 2)', 1.5],
  ['first_value(station ORDER BY time DESC)', 's1'],
  ['last_value(station ORDER BY k)', 's1'],
  ['array_length(array_agg(temp))', 3n],
  [`string_agg(station, ',' ORDER BY time)`, 's1,s2,s1'],
  ['increase(time, temp ORDER BY time)', 3],
  ['array_length(sample(temp, 2))', 2n],
  ['stddev(temp)', Math.sqrt(4.5)],
  ['stddev_samp(temp)', Math.sqrt(4.5)],
  ['stddev_pop(temp)', 1.5],
  ['var(temp)', 4.5],
  ['variance(temp)', 4.5],
  ['var_samp(temp)', 4.5],
  ['var_pop(temp)', 2.25],
  ['covar(temp, temp)', 4.5],
  ['covar_samp(temp, temp)', 4.5],
  ['covar_pop(temp, temp)', 2.25],
  ['corr(temp, temp)', 1],
  ['regr_slope(temp, temp)', 1],
  ['regr_count(temp, temp)', 2n],
  ...['intercept', 'r2', 'avgx', 'avgy', 'sxx', 'syy', 'sxy'].map(
    (name): Case => [`regr_${name}(temp, temp) >= 0`, true],
  ),
  ['approx_distinct(station)', 2n],
  ['approx_median(temp)', 3],
  ['approx_percentile_cont(temp, 0.0)', 1.5],
  ['approx_percentile_cont(temp, 1, 100)', 4.5],
  ['delta(gauge_agg(time, temp))', 3],
  ['rate(gauge_agg(time, temp)) * 1e9 * 7199.876543211', 3],
  ['time_delta(gauge_agg(time, temp))', '0 years 0 mons 0 days 1 hours 59 mins 59.876543000 secs'],
  [`first_time(gauge_agg(time, n)) = '2024-01-01T00:00:00.123456789'`, true],
  [`last_time(gauge_agg(time, n)) = '2024-01-01T02:00:00'`, true],
  ['first_val(gauge_agg(time, temp))', 1.5],
  ['last_val(gauge_agg(time, k))', 10],
  ['idelta_left(gauge_agg(time, temp))', 3],
  ['idelta_right(gauge_agg(time, k))', 13],
  ['delta(gauge_agg(time, temp) FILTER (WHERE temp < 2))', 0],
  ['rate(gauge_agg(time, temp) FILTER (WHERE temp < 2))', null],
  ['delta(gauge_agg(time, n) FILTER (WHERE n < 10))', 1],
  ['open(candlestick_agg(time, temp, 2))', 1.5],
  ['close(candlestick_agg(time, temp, 2))', 4.5],
  ['high(candlestick_agg(time, temp, 2))', 4.5],
  ['low(candlestick_agg(time, temp, 2))', 1.5],
  ...['open', 'low'].map((name): Case => [`extract(hour FROM ${name}_time(candlestick_agg(time, temp, 2)))`, 0]),
  ...['close', 'high'].map((name): Case => [`extract(hour FROM ${name}_time(candlestick_agg(time, temp, 2)))`, 2]),
  ['volume(candlestick_agg(time, temp, 2))', 6],
  ['vwap(candlestick_agg(time, coalesce(temp, 0), CASE WHEN temp > 2 THEN 3 ELSE 1 END))', 3],
  [`duration_in(state_agg(time, station), 's2')`, '0 years 0 mons 0 days 0 hours 30 mins 0.000000000 secs'],
  [`duration_in(compact_state_agg(time, station), 's3')`, '0 years 0 mons 0 days 0 hours 0 mins 0.000000000 secs'],
  [`state_at(state_agg(time, station), '2024-01-01T01:30:00')`, 's2'],
  ['bit_and(5)', 5n],
  ['bit_or(5)', 5n],
  ['bit_xor(5)', 5n],
  ['bool_and(ok)', false],
  ['bool_or(ok)', true],
]

const WINDOWS: readonly Case[] = [
  ['row_number() OVER (ORDER BY time)', 1n],
  ['rank() OVER (ORDER BY station DESC)', 2n],
  ['dense_rank() OVER (ORDER BY station)', 1n],
  ['percent_rank() OVER (ORDER BY time)', 0],
  ['cume_dist() OVER (ORDER BY time DESC)', 1],
  ['ntile(3) OVER (ORDER BY time)', 1n],
  ['lag(k, 1, 7) OVER (ORDER BY time)', 7n],
  ['lead(k) OVER (ORDER BY time)', -3n],
  ['first_value(k) OVER (ORDER BY time DESC)', 10n],
  ['last_value(k) OVER (ORDER BY time ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)', 10n],
  ['nth_value(k, 2) OVER (ORDER BY time ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)', -3n],
  ['count(*) OVER ()', 3n],
  ['avg(temp) OVER (PARTITION BY station)', 3],
]

const WITHOUT_TABLE = [...STRINGS, ...POSITIONS, ...MATH, ...DIVISIONS, ...OTHERS, ...TIMES, ...INTERVALS]

describe('functions', () => {
  it.each(WITHOUT_TABLE)('%s = %s', async (expression, expected) => {
    const found = await value(expression)
    if (typeof expected === 'number' && Number.isFinite(expected)) expect(found).toBeCloseTo(expected, 12)
    else expect(found).toEqual(expected)
  })

  it.each(AGGREGATES)('%s = %s', async (expression, expected) => {
    const found = await value(expression, ' FROM air')
    if (typeof expected === 'number') expect(found).toBeCloseTo(expected, 12)
    else expect(found).toEqual(expected)
  })

  it.each(WINDOWS)('%s = %s', async (expression, expected) => {
    expect(await value(expression, ' FROM air ORDER BY time LIMIT 1')).toEqual(expected)
  })

  it('has a case for every function of the list', () => {
    const folder = new URL('../sql/select/', import.meta.url)
    const files = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'))
    const expressions = [...WITHOUT_TABLE, ...AGGREGATES, ...WINDOWS].map(([expression]) => expression)
    const cases = [...expressions, ...files].join(' ')
    const elsewhere =
      /^(date_bin|date_trunc|date_part|time_window|to_timestamp|from_unixtime|count_star|list_value|struct_pack|to_\w+s|to_millennia|like_escape|.*_like_escape|.*ilike_escape)$/
    const missing = functionNames().filter((name) => !elsewhere.test(name) && !new RegExp(`\\b${name}\\b`).test(cases))
    expect(missing).toEqual([])
  })

  it('is written down in the documentation', () => {
    const page = readFileSync(new URL('../../docs/compatibility-functions.md', import.meta.url), 'utf8')
    expect(functionNames().filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  })

  it('keeps what the list says of names', () => {
    expect(findFunction('getenv')).toBeUndefined()
    expect(findFunction('constructor')).toBeUndefined()
    expect(findFunction('row_number')).toBeUndefined()
    expect(findFunction('row_number', true)?.kind).toBe('window')
  })
})

describe('what CnosDB refuses', () => {
  it.each([
    ['1 / 0', 'Divide by zero error'],
    ['1 % (1 - 1)', 'Divide by zero error'],
    ['make_array(1)[1] / (1 - 1)', 'Divide by zero error'],
    [`substr('abc', 1, -1)`, 'negative substring length not allowed'],
    [`split_part('a.b', '.', 0)`, 'field position must be greater than zero'],
    ['chr(0)', 'null character not permitted'],
    ['-CAST(1 AS BIGINT UNSIGNED)', '- cannot stand before BIGINT UNSIGNED'],
    [`digest('a', 'sha512')`, 'digest knows md5 and sha256 here, not sha512'],
    [`arrow_cast(1, 'Foo')`, `arrow_cast to 'Foo' is not available`],
    [`st_area('GEOMETRYCOLLECTION (POINT (1 2))')`, 'not available'],
    [`st_distance('POINT (0 0)', 'POINT (1 1)')`, 'Function st_distance is not available'],
    ['@@nope', 'The variable @@nope is not available'],
    [`encode('a', 'rot13')`, 'no built-in encoding named rot13'],
    [`ln(${'ln('.repeat(15)}2${')'.repeat(16)}`, 'nested too deeply'],
  ])('%s', async (expression, message) => {
    await expect(value(expression)).rejects.toThrow(message)
  })
})

/** The examples of CnosDB's documentation. */
describe('state_agg and candlestick_agg', () => {
  const states = [
    ['2020-01-01 10:00:00', 'starting'],
    ['2020-01-01 10:30:00', 'running'],
    ['2020-01-03 16:00:00', 'error'],
    ['2020-01-03 18:30:00', 'starting'],
    ['2020-01-03 19:30:00', 'running'],
    ['2020-01-05 12:00:00', 'stopping'],
  ].map(([time, state]) => `(timestamp '${time}', '${state}')`)
  const from = ` FROM (VALUES ${states.join(', ')}) AS states(time, state)`

  it.each([
    [`duration_in(compact_state_agg(time, state), 'running')`, '3 days 22 hours 0 mins'],
    [`duration_in(state_agg(time, state), 'running', timestamp '2020-01-01 11:00:00')`, '3 days 21 hours 30 mins'],
    [
      `duration_in(state_agg(time, state), 'running', timestamp '2020-01-01 11:00:00', interval '4 day')`,
      '3 days 20 hours 30 mins',
    ],
    [`state_agg(time, state)['state_duration'][4]['duration']`, '0 days 0 hours 0 mins'],
  ])('%s', async (expression, expected) => {
    expect(await value(expression, from)).toBe(`0 years 0 mons ${expected} 0.000000000 secs`)
  })

  it('tells the periods of each state, and the state at a time', async () => {
    expect(await value(`array_length(state_agg(time, state)['state_periods'][2]['periods'])`, from)).toBe(2n)
    expect(await value(`state_at(state_agg(time, state), '2020-01-01 10:30:00')`, from)).toBe('running')
    expect(await value(`state_at(state_agg(time, state), '2020-01-05 12:00:00')`, from)).toBe(null)
  })

  it('weighs prices by volume', async () => {
    const ticks = [
      [0, 111, 444],
      [5, 222, 444],
      [10, 333, 222],
      [10_015, 444, 111],
      [10_020, 222, 555],
      [600_025, 333, 555],
      [600_030, 444, 333],
      [3_600_035, 555, 222],
    ].map((tick) => `(to_timestamp_millis(${tick[0]}), ${tick[1]}, ${tick[2]})`)
    const candles = ` FROM (VALUES ${ticks.join(', ')}) AS tick(time, price, volume)`
    expect(await value(`vwap(candlestick_agg(time, price, volume))`, candles)).toBe(850149 / 2886)
    expect(await value(`volume(candlestick_agg(time, price, volume))`, candles)).toBe(2886)
    expect(await value(`close(candlestick_agg(time, price, volume))`, candles)).toBe(555)
  })
})

describe('increase', () => {
  it('takes a fall for a restart', async () => {
    const values = [1, 2, 3, 4, 1, 2, 3, 4].map((v, at) => `(to_timestamp(${at}), ${v})`).join(', ')
    expect(await value('increase(t, v ORDER BY t)', ` FROM (VALUES ${values}) AS q(t, v)`)).toBe(7n)
  })
})

describe('topk and bottom', () => {
  it('take the rows with the greatest and the least values', async () => {
    expect(await fixture.query('SELECT topk(temp, 1) AS t, station FROM air')).toEqual([{ t: 4.5, station: 's1' }])
    expect(await fixture.query('SELECT bottom(k, 2) AS k FROM air')).toEqual([{ k: -3n }, { k: 10n }])
    await expect(fixture.query('SELECT topk(temp, 1), bottom(k, 1) FROM air')).rejects.toThrow('another selector')
    await expect(fixture.query('SELECT topk(temp, 0) FROM air')).rejects.toThrow('positive number')
  })
})

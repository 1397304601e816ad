/**
 * How CnosDB spells a value in text, as DuckDB expressions: what CSV, TSV, JSON and tables of the HTTP API and of
 * COPY INTO have in common. Every function takes a DuckDB expression without side effects (it is repeated) and returns
 * one that yields VARCHAR, NULL for NULL.
 */

const TIMESTAMP_TYPES: ReadonlySet<string> = new Set(['TIMESTAMP_NS', 'TIMESTAMP', 'TIMESTAMP_MS', 'TIMESTAMP_S'])
const ZONED_TYPE = 'TIMESTAMP WITH TIME ZONE'
const FLOATING_TYPES: ReadonlySet<string> = new Set(['DOUBLE', 'FLOAT'])
const NUMBER = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL\(.*\)|BOOLEAN)$/

/** Whether the type is a list, struct, map, union or blob, which CSV and tables have no text for. */
export function isNestedType(type: string): boolean {
  return /\]$|^(STRUCT|MAP|UNION|BLOB|BIT|VARIANT)\b/.test(type)
}

const isTime = (type: string) => TIMESTAMP_TYPES.has(type) || type === ZONED_TYPE

/**
 * `2022-01-01T02:00:10.000000000`: always nine digits, no zone; `Z` only after a zoned time. The first and last
 * nanoseconds, which DuckDB prints as infinities or not at all, are spelt like all others.
 */
export function nineDigitTime(expression: string, type: string): string {
  const text = strftime(microseconds(expression, type), '.%n')
  return type === ZONED_TYPE ? `${text} || 'Z'` : withOuterTimes(expression, type, text)
}

/** `2022-01-01T02:00:10`, with 3, 6 or 9 digits of a second only when needed. */
export function shortTime(expression: string, type: string): string {
  if (type === ZONED_TYPE) return `(${shortTime(`(${expression}) AT TIME ZONE 'UTC'`, 'TIMESTAMP')}) || 'Z'`
  const { ticks, perSecond } = TICKS_OF[type] ?? MICROSECONDS
  const time = microseconds(expression, type)
  const fractions: readonly (readonly [string, number])[] = [
    ['', 1],
    ['.%g', 1_000],
    ['.%f', 1_000_000],
  ]
  const cases = fractions
    .filter(([, digits]) => digits <= perSecond)
    .map(([suffix, digits]) => `WHEN ${ticks(expression)} % ${perSecond / digits} = 0 THEN ${strftime(time, suffix)}`)
  const short = `CASE ${cases.join(' ')} ELSE ${strftime(time, '.%n')} END`
  return withOuterTimes(expression, type, short)
}

/** strftime takes milliseconds and seconds for nanoseconds, which fails outside their range. */
function microseconds(expression: string, type: string): string {
  if (type === ZONED_TYPE) return `(${expression}) AT TIME ZONE 'UTC'`
  return type === 'TIMESTAMP_MS' || type === 'TIMESTAMP_S' ? `(${expression})::TIMESTAMP` : expression
}

const strftime = (expression: string, fraction: string) => `strftime(${expression}, '%Y-%m-%dT%H:%M:%S${fraction}')`

interface Ticks {
  readonly ticks: (expression: string) => string
  readonly perSecond: number
}

const MICROSECONDS: Ticks = { ticks: (x) => `epoch_us(${x})`, perSecond: 1_000_000 }
const TICKS_OF: Readonly<Record<string, Ticks>> = {
  TIMESTAMP_NS: { ticks: (x) => `epoch_ns(${x})`, perSecond: 1_000_000_000 },
  TIMESTAMP_MS: { ticks: (x) => `epoch_ms(${x})`, perSecond: 1_000 },
  TIMESTAMP_S: { ticks: (x) => `epoch_ms(${x})`, perSecond: 1_000 },
}

/** `inner`, but for nanosecond times on 1677-09-21 (before the first midnight) and for the largest of all. */
function withOuterTimes(expression: string, type: string, inner: string): string {
  if (type !== 'TIMESTAMP_NS') return inner
  const x = `(${expression})`
  const remainder = `((epoch_ns(${x}) % 1000 + 1000) % 1000)`
  const micros = `make_timestamp(((epoch_ns(${x})::HUGEINT - ${remainder}) // 1000)::BIGINT)`
  return `CASE WHEN ${x} >= '1677-09-22'::TIMESTAMP_NS AND isfinite(${x}) THEN ${inner} \
WHEN ${x} IS NULL THEN NULL WHEN ${x} = 'infinity'::TIMESTAMP_NS THEN '2262-04-11T23:47:16.854775807' \
ELSE strftime(${micros}, '%Y-%m-%dT%H:%M:%S.%f') || lpad(${remainder}::VARCHAR, 3, '0') END`
}

/**
 * A DOUBLE as CSV has it: the shortest text that reads back to the same number, always with a fraction digit; plain
 * for 1e-5 <= |x| < 1e10, else `1.0e10`, `1.5e-7`; `NaN`, `inf`, `-inf`; the sign of zero is kept.
 */
export function doubleText(expression: string): string {
  const x = `(${expression})`
  const text = `${x}::VARCHAR`
  const shifted = `rtrim(regexp_replace(${text}, '^(-?[0-9])([0-9]+)\\.', '\\1.\\2'), '0')`
  const exponent = `(strpos(ltrim(${text}, '-'), '.') - 2)::VARCHAR`
  return `CASE WHEN ${isPlain(x, '1e10')} THEN to_json(${x})::VARCHAR WHEN isnan(${x}) THEN 'NaN' WHEN NOT isfinite(${x}) THEN ${text} \
WHEN contains(${text}, 'e') THEN regexp_replace(${shortExponent(text)}, '^(-?[0-9])e', '\\1.0e') \
ELSE regexp_replace(${shifted}, '\\.$', '.0') || 'e' || ${exponent} END`
}

/** A DOUBLE as a JSON number, plain for 1e-5 <= |x| < 1e16, else `1e16`, `1.5e-7`; NULL for NaN and the infinities. */
export function doubleJson(expression: string): string {
  const x = `(${expression})`
  return `CASE WHEN ${isPlain(x, '1e16')} THEN to_json(${x})::VARCHAR WHEN NOT isfinite(${x}) THEN NULL \
ELSE ${shortExponent(`${x}::VARCHAR`)} END`
}

/** Here to_json prints plainly, with a fraction digit, and faster than a cast to VARCHAR. Most numbers come first. */
const isPlain = (x: string, below: string) =>
  `(${x} >= 1e-5 AND ${x} < ${below}) OR (${x} <= -1e-5 AND ${x} > -${below}) OR ${x} = 0`

/** `1e+16` and `1.5e-07` of C become `1e16` and `1.5e-7`. */
const shortExponent = (text: string) => `replace(replace(${text}, 'e+', 'e'), 'e-0', 'e-')`

/** A FLOAT as the DOUBLE of the same digits. */
const asDouble = (expression: string, type: string) =>
  type === 'FLOAT' ? `(${expression})::VARCHAR::DOUBLE` : expression

/** The unquoted text of a value in CSV. Not for nested types. */
export function plainText(expression: string, type: string): string {
  if (isTime(type)) return nineDigitTime(expression, type)
  if (FLOATING_TYPES.has(type)) return doubleText(asDouble(expression, type))
  return type === 'VARCHAR' ? expression : `(${expression})::VARCHAR`
}

/** A field of CSV: quoted, with `"` doubled, only when it holds the delimiter (one character), a quote, CR or LF. */
export function csvField(expression: string, type: string, delimiter: string): string {
  const text = plainText(expression, type)
  const isSafe = type !== 'VARCHAR' && !/[-+.:0-9A-Za-z" ]/.test(delimiter)
  if (isSafe && (isTime(type) || FLOATING_TYPES.has(type) || NUMBER.test(type))) return text
  const special = [delimiter, '"', '\n', '\r']
  const test = special.map((c) => `contains(${text}, ${literal(c)})`).join(' OR ')
  return `CASE WHEN ${test} THEN '"' || replace(${text}, '"', '""') || '"' ELSE ${text} END`
}

/** A JSON value; NULL where CnosDB leaves the key out (NULL, NaN, the infinities). */
export function jsonValue(expression: string, type: string): string {
  if (isTime(type)) return `'"' || ${shortTime(expression, type)} || '"'`
  if (FLOATING_TYPES.has(type)) return doubleJson(asDouble(expression, type))
  if (NUMBER.test(type)) return `(${expression})::VARCHAR`
  if (/^(DOUBLE|FLOAT)\[\]$/.test(type))
    return `to_json(list_transform(${expression}, lambda e: CASE WHEN isfinite(e) THEN e END))::VARCHAR`
  return `to_json(${expression})::VARCHAR`
}

/** The text of a value in a table for people: as CSV, with short times. Not for nested types. */
export function tableText(expression: string, type: string): string {
  return isTime(type) ? shortTime(expression, type) : plainText(expression, type)
}

function literal(text: string): string {
  if (text === '\n') return 'chr(10)'
  if (text === '\r') return 'chr(13)'
  return `'${text.replaceAll("'", "''")}'`
}

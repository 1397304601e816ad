import { isUtf8 } from 'node:buffer'
import { CnosError } from '../errors/cnos-error.ts'
import type { Precision } from '../model/schema.ts'
import { BACKSLASH, COMMA, CR, EQUALS, HASH, LF, MINUS, NINE, SPACE, ZERO } from './bytes.ts'
import { ValueReader } from './field-value.ts'
import type { LineBatch } from './line-batch.ts'
import { convertTicks, FRACTION_DIGITS, MAX_FAST_SECONDS, storeInteger, storeTime } from './line-time.ts'
import { type FaultOptions, faultAt } from './parse-fault.ts'
import { type SeriesEntry, SeriesMap } from './series-map.ts'
import { FieldBuilder, TableBuilder, TagBuilder } from './table-builder.ts'
import { putWord, unescapeWord, wordEnd } from './words.ts'

export interface ParseOptions {
  /** The unit of the times in the body. */
  readonly precision: Precision
  /** The unit of the times in a table's batch. */
  readonly timeUnit: Precision
  /** The time of lines without one. */
  readonly nowNs: bigint
}

const BYTE_ORDER_MARK = Buffer.from('\uFEFF')

/** About 20 ms of work. */
const STEP_BYTES = 4 * 1024 * 1024

/**
 * Parses line protocol into columns, a batch per table, as CnosDB reads it: several blanks between parts, `#` comments,
 * CRLF, and the escapes of words.ts. Of two tags or fields with one name the first stays.
 * It pauses after every few MiB, so that its caller can let others have their turn.
 * Throws LINE_PROTOCOL_SYNTAX, COLUMN_TYPE_CONFLICT, TIMESTAMP_OVERFLOW (with the line) or INVALID_UTF8.
 */
export function* parseLines(body: Buffer, options: ParseOptions): Generator<void, LineBatch[]> {
  if (!isUtf8(body)) throw new CnosError('INVALID_UTF8', 'Invalid utf-8 sequence: the body is not UTF-8')
  const parser = new LineParser(body, options)
  for (let end = STEP_BYTES; end < body.length; end += STEP_BYTES) {
    parser.parseUntil(end)
    yield
  }
  parser.parseUntil(body.length)
  return parser.build()
}

/** One pass over the bytes. No string is made of what an earlier line said: series and fields are told by their bytes. */
class LineParser {
  readonly #body: Buffer
  readonly #options: ParseOptions
  readonly #value: ValueReader
  readonly #series: SeriesMap
  readonly #tables = new Map<string, TableBuilder>()
  #at = 0
  /** The series of the latest line. */
  #latest: SeriesEntry | undefined
  /** The latest time: where its digits begin and end, and what was stored for them. Many lines have the same. */
  #timeStart = 0
  #timeEnd = 0
  readonly #timeHalves = new Int32Array(2)

  constructor(body: Buffer, options: ParseOptions) {
    this.#body = body
    if (body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) this.#at = BYTE_ORDER_MARK.length
    this.#options = options
    this.#value = new ValueReader(body)
    this.#series = new SeriesMap(body)
  }

  /** Reads the lines that begin before `end`. */
  parseUntil(end: number): void {
    const body = this.#body
    while (this.#at < end) {
      const byte = body[this.#at]
      if (byte === LF || byte === CR || byte === SPACE) this.#at += 1
      else if (byte === HASH) this.#skipLine()
      else this.#parseLine()
    }
  }

  build(): LineBatch[] {
    return [...this.#tables.values()].map((table) => table.build())
  }

  #skipLine(): void {
    const end = this.#body.indexOf(LF, this.#at)
    this.#at = end < 0 ? this.#body.length : end + 1
  }

  #parseLine(): void {
    const { table, series } = this.#parseKey()
    const row = table.claimRow(series)
    this.#skipBlanks()
    this.#parseFields(table, row)
    this.#skipBlanks()
    this.#parseTime(table, row)
    this.#skipBlanks()
    if (!this.#isLineEnd()) throw this.#fault(this.#at, 'there is something after the time')
  }

  #parseKey(): SeriesEntry {
    const start = this.#at
    const predicted = this.#latest?.next
    if (predicted !== undefined && this.#series.isAt(predicted, start)) {
      this.#at = start + predicted.length
      this.#latest = predicted
      return predicted
    }
    const hash = this.#scanKey()
    const length = this.#at - start
    const entry = this.#series.find(hash, start, length) ?? this.#addSeries(hash, start, length)
    if (this.#latest) this.#latest.next = entry
    this.#latest = entry
    return entry
  }

  /** Goes to the first blank or line end that is not escaped, hashing what lies before it (FNV-1a). */
  #scanKey(): number {
    const body = this.#body
    let at = this.#at
    let hash = 0x811c9dc5
    for (; at < body.length; at += 1) {
      const byte = body[at] as number
      if (byte === SPACE || byte === LF) break
      hash = Math.imul(hash ^ byte, 0x01000193)
      if (byte !== BACKSLASH || at + 1 >= body.length) continue
      at += 1
      hash = Math.imul(hash ^ (body[at] as number), 0x01000193)
    }
    this.#at = at
    return hash
  }

  #addSeries(hash: number, start: number, length: number): SeriesEntry {
    const body = this.#body
    const end = start + length
    const nameEnd = wordEnd(body, start, end, false)
    if (nameEnd === start) throw this.#fault(start, 'the measurement is empty')
    const name = unescapeWord(body.toString('utf8', start, nameEnd))
    const table = this.#tables.get(name) ?? new TableBuilder(name, start)
    this.#tables.set(name, table)
    const entry: SeriesEntry = { start, length, hash, table, series: table.seriesCount, next: undefined }
    table.seriesCount += 1
    for (let at = nameEnd; at < end; ) at = this.#parseTag(table, entry.series, at + 1, end)
    this.#series.add(entry)
    return entry
  }

  /** Reads `key=value` from `start`, and gives where it ends: at a comma, or `end`. */
  #parseTag(table: TableBuilder, series: number, start: number, end: number): number {
    const body = this.#body
    const equals = wordEnd(body, start, end, true)
    if (equals === start) throw this.#fault(start, 'a tag has no name')
    const name = unescapeWord(body.toString('utf8', start, equals))
    if (equals >= end || body[equals] !== EQUALS) throw this.#fault(start, `tag '${name}' has no value`)
    const valueEnd = wordEnd(body, equals + 1, end, true)
    if (valueEnd < end && body[valueEnd] === EQUALS)
      throw this.#fault(valueEnd, `the value of tag '${name}' holds a '='`, { hint: "write it as '\\='" })
    if (name === 'time' || table.fields.has(name)) throw this.#kindConflict(start, name, 'TAG')
    const tag = table.tags.get(name) ?? new TagBuilder(name, start)
    table.tags.set(name, tag)
    if (tag.claim(series)) putWord(tag.texts, series, body, equals + 1, valueEnd)
    return valueEnd
  }

  #parseFields(table: TableBuilder, row: number): void {
    const body = this.#body
    for (let place = 0; ; place += 1) {
      const predicted = table.predicted[place]
      const start = this.#at
      if (predicted !== undefined && this.#isKey(predicted.keyBytes)) {
        this.#value.read(start + predicted.keyBytes.length + 1)
        this.#store(predicted, row, start)
      } else {
        const field = this.#parseField(table, row)
        table.predicted[place] = field
      }
      this.#at = this.#value.end
      if (body[this.#at] === COMMA) this.#at += 1
      else if (body[this.#at] === SPACE || this.#isLineEnd()) return
      else throw this.#fault(this.#at, `something follows the value of field '${this.#nameAt(start)}'`)
    }
  }

  #nameAt(start: number): string {
    const end = wordEnd(this.#body, start, this.#lineEnd(start), true)
    return unescapeWord(this.#body.toString('utf8', start, end))
  }

  #isKey(key: Uint8Array): boolean {
    const body = this.#body
    const at = this.#at
    for (let i = 0; i < key.length; i += 1) if (body[at + i] !== key[i]) return false
    return body[at + key.length] === EQUALS
  }

  #parseField(table: TableBuilder, row: number): FieldBuilder {
    const body = this.#body
    const start = this.#at
    const lineEnd = this.#lineEnd(start)
    const equals = wordEnd(body, start, lineEnd, true)
    if (equals === start)
      throw this.#fault(start, 'there is no field', { hint: 'write measurement,tag=value field=value' })
    const name = unescapeWord(body.toString('utf8', start, equals))
    if (equals >= lineEnd || body[equals] !== EQUALS) throw this.#fault(start, `field '${name}' has no value`)
    if (name === 'time' || table.tags.has(name)) throw this.#kindConflict(start, name, 'FIELD')
    this.#value.read(equals + 1)
    const known = table.fields.get(name)
    const field = known ?? new FieldBuilder(name, body.subarray(start, equals), this.#value.type, start)
    if (known === undefined) table.fields.set(name, field)
    this.#store(field, row, start)
    return field
  }

  /** Puts the value just read into its column, unless the line has one already. */
  #store(field: FieldBuilder, row: number, offset: number): void {
    const value = this.#value
    if (field.lastRow === row) return
    if (field.type !== value.type) throw this.#typeConflict(offset, field, value.type)
    field.claim(row)
    if (value.type === 'DOUBLE') field.numbers[row] = value.number
    else if (value.type === 'BOOLEAN') field.bytes[row] = value.number
    else if (value.type === 'STRING') value.putText(field.texts, row)
    else if (value.big === undefined) storeInteger(field.halves, row, value.number)
    else if (value.type === 'BIGINT') field.signed[row] = value.big
    else field.unsigned[row] = value.big
  }

  #parseTime(table: TableBuilder, row: number): void {
    const body = this.#body
    const { precision, timeUnit } = this.#options
    const start = this.#at
    if (this.#isLineEnd()) {
      table.times[row] = this.#converted(this.#options.nowNs, 'NS', start)
      return
    }
    if (this.#isLatestTime(start)) {
      table.timeHalves[row * 2] = this.#timeHalves[0] as number
      table.timeHalves[row * 2 + 1] = this.#timeHalves[1] as number
      this.#at = start + this.#timeEnd - this.#timeStart
      return
    }
    const end = this.#digitsEnd(start)
    const secondsEnd = end - FRACTION_DIGITS[precision]
    let seconds = 0
    for (let at = start; at < secondsEnd; at += 1) seconds = seconds * 10 + ((body[at] as number) - ZERO)
    if (secondsEnd > start && seconds <= MAX_FAST_SECONDS) {
      let fraction = 0
      for (let at = secondsEnd; at < end; at += 1) fraction = fraction * 10 + ((body[at] as number) - ZERO)
      storeTime(table.timeHalves, row, seconds, fraction * 10 ** (9 - FRACTION_DIGITS[precision]), timeUnit)
      this.#at = end
      this.#timeStart = start
      this.#timeEnd = end
      this.#timeHalves[0] = table.timeHalves[row * 2] as number
      this.#timeHalves[1] = table.timeHalves[row * 2 + 1] as number
    } else table.times[row] = this.#parseUnusualTime(start)
  }

  #isLatestTime(start: number): boolean {
    const body = this.#body
    const latest = this.#timeStart
    const length = this.#timeEnd - latest
    if (length === 0) return false
    for (let i = 0; i < length; i += 1) if (body[start + i] !== body[latest + i]) return false
    const after = body[start + length] as number
    return !(after >= ZERO && after <= NINE)
  }

  /** Times before 1970, in its first second, or beyond the fast path. */
  #parseUnusualTime(start: number): bigint {
    const digits = this.#body[start] === MINUS ? start + 1 : start
    const end = this.#digitsEnd(digits)
    if (end === digits) throw this.#fault(start, 'the time is not a whole number')
    this.#at = end
    return this.#converted(BigInt(this.#body.toString('latin1', start, end)), this.#options.precision, start)
  }

  #converted(ticks: bigint, unit: Precision, offset: number): bigint {
    const { timeUnit } = this.#options
    const converted = convertTicks(ticks, unit, timeUnit)
    if (converted !== undefined) return converted
    throw this.#fault(
      offset,
      `the time ${ticks} in ${unit.toLowerCase()} does not fit into ${timeUnit.toLowerCase()}`,
      {
        name: 'TIMESTAMP_OVERFLOW',
        column: 'time',
        hint: 'check the parameter precision, and the precision of the database',
      },
    )
  }

  #digitsEnd(start: number): number {
    const body = this.#body
    let at = start
    for (let byte = body[at] as number; byte >= ZERO && byte <= NINE; byte = body[at] as number) at += 1
    return at
  }

  #skipBlanks(): void {
    while (this.#body[this.#at] === SPACE) this.#at += 1
  }

  #isLineEnd(): boolean {
    const body = this.#body
    const byte = body[this.#at]
    return byte === undefined || byte === LF || (byte === CR && (body[this.#at + 1] ?? LF) === LF)
  }

  #lineEnd(start: number): number {
    const end = this.#body.indexOf(LF, start)
    return end < 0 ? this.#body.length : end
  }

  #fault(offset: number, message: string, options: FaultOptions = {}): CnosError {
    return faultAt(this.#body, offset, message, options)
  }

  #kindConflict(offset: number, name: string, found: string): CnosError {
    const expected = name === 'time' ? 'TIME' : found === 'TAG' ? 'FIELD' : 'TAG'
    return this.#fault(offset, `DataSchemaError: Column '${name}' type error, found ${found} expected ${expected}`, {
      name: 'COLUMN_TYPE_CONFLICT',
      column: name,
    })
  }

  #typeConflict(offset: number, { name, type }: FieldBuilder, found: string): CnosError {
    return this.#fault(offset, `DataSchemaError: Column '${name}' type error, found ${found} expected ${type}`, {
      name: 'COLUMN_TYPE_CONFLICT',
      column: name,
      hint: 'an earlier line of the same body writes it so',
    })
  }
}

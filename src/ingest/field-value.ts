import type { TextsBuilder } from '../engine/texts.ts'
import { BACKSLASH, COMMA, CR, LETTER_I, LETTER_U, LF, MINUS, NINE, PLUS, POINT, QUOTE, SPACE, ZERO } from './bytes.ts'
import { decimalToDouble, MAX_DIGITS, MAX_FRACTION, POWERS_OF_TEN } from './decimal.ts'
import type { FieldType } from './line-batch.ts'
import { faultAt } from './parse-fault.ts'

const LEADING_DIGITS = 15
/** Places in #doubles: the value, the first 15 digits of the number being read, and those after them. */
const [VALUE, LEADING, REST] = [0, 1, 2]
const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
const BOOLEANS: ReadonlyMap<string, number> = new Map([
  ...['t', 'T', 'true', 'True', 'TRUE'].map((text) => [text, 1] as const),
  ...['f', 'F', 'false', 'False', 'FALSE'].map((text) => [text, 0] as const),
])
const I64_MAX = 2n ** 63n - 1n
const U64_MAX = 2n ** 64n - 1n

/** Reads one value after another; the fields hold the latest. One object for a whole body: nothing is allocated. */
export class ValueReader {
  readonly #body: Buffer
  type: FieldType = 'DOUBLE'
  /** Set for an integer of 2^53 and more. */
  big: bigint | undefined
  /** Where the value ends. */
  end = 0
  /** By VALUE, LEADING, REST. A typed array, because a double in a field is put into a new box at every write. */
  readonly #doubles = new Float64Array(3)
  #digits = 0
  /** Where the text of a string begins, and whether a backslash is in it. */
  #textStart = 0
  #isEscaped = false

  constructor(body: Buffer) {
    this.#body = body
  }

  /** The value of a double, a boolean (0, 1), or an integer below 2^53. */
  get number(): number {
    return this.#doubles[VALUE] as number
  }

  /** Throws LINE_PROTOCOL_SYNTAX. */
  read(start: number): void {
    if (this.#readPlainNumber(start)) return
    const byte = this.#body[start] as number
    if ((byte >= ZERO && byte <= NINE) || byte === MINUS || byte === PLUS) this.#readNumber(start)
    else if (byte === QUOTE) this.#readString(start + 1)
    else this.#readBoolean(start)
  }

  /** Whether a DOUBLE of at most 15 digits, without an exponent, stands there: then it is read. Nearly all are such. */
  #readPlainNumber(start: number): boolean {
    const body = this.#body
    const isNegative = body[start] === MINUS
    let at = isNegative ? start + 1 : start
    let digits = -at
    let value = 0
    let byte = body[at] as number
    for (; byte >= ZERO && byte <= NINE; byte = body[at] as number) {
      value = value * 10 + (byte - ZERO)
      at += 1
    }
    digits += at
    if (digits === 0 && !isNegative) return false
    if (byte === POINT) {
      at += 1
      const point = at
      for (byte = body[at] as number; byte >= ZERO && byte <= NINE; byte = body[at] as number) {
        value = value * 10 + (byte - ZERO)
        at += 1
      }
      digits += at - point
      if (digits > LEADING_DIGITS) return false
      value /= POWERS_OF_TEN[at - point] as number
    }
    if (digits === 0 || digits > LEADING_DIGITS || !isEnd(byte)) return false
    this.type = 'DOUBLE'
    this.end = at
    this.#doubles[VALUE] = isNegative ? -value : value
    return true
  }

  #readNumber(start: number): void {
    const body = this.#body
    const isNegative = body[start] === MINUS
    const first = isNegative || body[start] === PLUS ? start + 1 : start
    const point = this.#readDigits(first, 0)
    const byte = body[point]
    const leading = this.#doubles[LEADING] as number
    if (byte === LETTER_I || byte === LETTER_U) {
      this.#keepInteger(start, point, isNegative ? -leading : leading, byte === LETTER_I)
      return
    }
    const end = byte === POINT ? this.#readDigits(point + 1, this.#digits) : point
    const fraction = byte === POINT ? end - point - 1 : 0
    this.type = 'DOUBLE'
    this.end = end
    if (this.#digits > 0 && this.#digits <= MAX_DIGITS && fraction <= MAX_FRACTION && isEnd(body[end])) {
      const restDigits = Math.max(0, this.#digits - LEADING_DIGITS)
      const value = decimalToDouble(
        this.#doubles[LEADING] as number,
        this.#doubles[REST] as number,
        restDigits,
        fraction,
      )
      this.#doubles[VALUE] = isNegative ? -value : value
      if (!Number.isNaN(value)) return
    }
    this.#readUnusualNumber(start)
  }

  /** Reads digits from `start` after `digits` others, and gives where they end. */
  #readDigits(start: number, digits: number): number {
    const body = this.#body
    let at = start
    let leading = digits === 0 ? 0 : (this.#doubles[LEADING] as number)
    let rest = digits === 0 ? 0 : (this.#doubles[REST] as number)
    const room = start + LEADING_DIGITS - digits
    let byte = body[at] as number
    for (; byte >= ZERO && byte <= NINE && at < room; byte = body[at] as number) {
      leading = leading * 10 + (byte - ZERO)
      at += 1
    }
    for (; byte >= ZERO && byte <= NINE; byte = body[at] as number) {
      rest = rest * 10 + (byte - ZERO)
      at += 1
    }
    this.#doubles[LEADING] = leading
    this.#doubles[REST] = rest
    this.#digits = digits + at - start
    return at
  }

  #readUnusualNumber(start: number): void {
    this.end = this.#wordEnd(start)
    const text = this.#body.toString('latin1', start, this.end)
    this.#doubles[VALUE] = Number(text)
    if (!FLOAT.test(text)) throw this.#notAValue(start)
    if (Number.isFinite(this.number)) return
    throw faultAt(this.#body, start, `'${text}' is beyond the range of a DOUBLE`)
  }

  #keepInteger(start: number, end: number, value: number, isSigned: boolean): void {
    this.type = isSigned ? 'BIGINT' : 'BIGINT UNSIGNED'
    this.#doubles[VALUE] = value
    this.big =
      this.#digits > LEADING_DIGITS ? BigInt(this.#body.toString('latin1', start, end).replace('+', '')) : undefined
    this.end = end + 1
    if (this.#digits === 0) throw this.#notAValue(start)
    const [min, max] = isSigned ? [-I64_MAX - 1n, I64_MAX] : [0n, U64_MAX]
    const isInside = this.big === undefined ? isSigned || value >= 0 : this.big >= min && this.big <= max
    if (isInside) return
    throw faultAt(
      this.#body,
      start,
      `'${this.#body.toString('latin1', start, this.end)}' is beyond the range of a ${this.type}`,
    )
  }

  #readString(start: number): void {
    const body = this.#body
    let at = start
    this.#isEscaped = false
    for (let byte = body[at]; byte !== QUOTE; byte = body[at]) {
      if (byte === undefined) throw faultAt(body, start - 1, 'a string has no closing quote')
      if (byte === BACKSLASH) this.#isEscaped = true
      at += byte === BACKSLASH ? 2 : 1
    }
    this.#textStart = start
    this.type = 'STRING'
    this.end = at + 1
  }

  /** Copies the text of a string that was just read. */
  putText(texts: TextsBuilder, row: number): void {
    const [start, end] = [this.#textStart, this.end - 1]
    if (this.#isEscaped) {
      const text = Buffer.from(this.#body.toString('utf8', start, end).replace(/\\(["\\])/g, '$1'))
      texts.put(row, text, 0, text.length)
    } else texts.put(row, this.#body, start, end)
  }

  #readBoolean(start: number): void {
    this.end = this.#wordEnd(start)
    const value = BOOLEANS.get(this.#body.toString('latin1', start, Math.min(this.end, start + 6)))
    if (value === undefined) throw this.#notAValue(start)
    this.type = 'BOOLEAN'
    this.#doubles[VALUE] = value
  }

  #wordEnd(start: number): number {
    let at = start
    while (!isEnd(this.#body[at])) at += 1
    return at
  }

  #notAValue(start: number): Error {
    const text = this.#body.toString('utf8', start, Math.min(this.#wordEnd(start), start + 40))
    return faultAt(this.#body, start, `'${text}' is not a value`, {
      hint: 'write a number (1.5), an integer (12i or 12u), true or false, or "text" in double quotes',
    })
  }
}

/** Whether a byte, or the end of the body, ends a word. */
function isEnd(byte: number | undefined): boolean {
  return byte === COMMA || byte === SPACE || byte === LF || byte === CR || byte === undefined
}

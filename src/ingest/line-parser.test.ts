import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCnosError } from '../errors/cnos-error.ts'
import type { BatchField, BatchTag, LineBatch } from './line-batch.ts'
import { type ParseOptions, parseLines } from './line-parser.ts'

const OPTIONS: ParseOptions = { precision: 'NS', timeUnit: 'NS', nowNs: 7n }
const parse = (text: string | Buffer, options: Partial<ParseOptions> = {}): LineBatch[] => {
  const steps = parseLines(Buffer.from(text as string), { ...OPTIONS, ...options })
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

type Row = Record<string, unknown>

function valueAt(column: BatchField | BatchTag | undefined, row: number): unknown {
  const values = column?.values
  if (values === undefined || !('starts' in values)) return values?.[row]
  const start = values.starts[row] as number
  return Buffer.from(values.bytes).toString('utf8', start, start + (values.lengths[row] as number))
}

/** Rows as objects; absent tags and fields are left out. */
function rowsOf(batch: LineBatch | undefined): Row[] {
  if (!batch) return []
  return Array.from({ length: batch.rows }, (_, row) => {
    const series = batch.series[row] as number
    const tags = batch.tags
      .filter((tag) => tag.present[series] === 1)
      .map((tag) => [tag.name, valueAt(tag, series)] as const)
    const fields = batch.fields
      .filter((field) => field.present[row] === 1)
      .map((field) => [field.name, valueAt(field, row)] as const)
    return Object.fromEntries([['time', batch.times[row]], ...tags, ...fields])
  })
}

function failure(text: string, options: Partial<ParseOptions> = {}) {
  try {
    parse(text, options)
  } catch (error) {
    if (isCnosError(error)) return { name: error.errorName, line: error.context.line, message: error.message }
    throw error
  }
  throw new Error(`parsed: ${text}`)
}

describe('lines', () => {
  it('reads measurement, tags, fields of every type and time', () => {
    const [batch] = parse('air,station=s1,city=B temp=1.5,n=3u,i=-4i,ok=t,note="a, \\"b\\"" 1700000000000000001\n')
    expect(batch?.table).toBe('air')
    expect(rowsOf(batch)).toEqual([
      { time: 1700000000000000001n, station: 's1', city: 'B', temp: 1.5, n: 3n, i: -4n, ok: 1, note: 'a, "b"' },
    ])
    expect(batch?.fields.map((field) => field.type)).toEqual([
      'DOUBLE',
      'BIGINT UNSIGNED',
      'BIGINT',
      'BOOLEAN',
      'STRING',
    ])
  })

  it('skips a byte order mark at the start, and only there', () => {
    expect(parse('\uFEFFair v=1 1\n').map(({ table }) => table)).toEqual(['air'])
    expect(parse('air v=1 1\n\uFEFFair v=1 1').map(({ table }) => table)).toEqual(['air', '\uFEFFair'])
  })

  it('skips blank lines, comments, CR and superfluous blanks', () => {
    const [batch] = parse('\n# f=1\r\n  m   f=1   5   \r\n\r\nm f=2 6')
    expect(rowsOf(batch)).toEqual([
      { time: 5n, f: 1 },
      { time: 6n, f: 2 },
    ])
  })

  it('splits by table and keeps absent apart from empty', () => {
    const batches = parse('a,t= f=1 1\nb f=2 2\na f=3 3\na,t=x g=4 4')
    expect(batches.map((b) => b.table)).toEqual(['a', 'b'])
    expect(rowsOf(batches[0])).toEqual([
      { time: 1n, t: '', f: 1 },
      { time: 3n, f: 3 },
      { time: 4n, t: 'x', g: 4 },
    ])
  })

  it('takes away the backslash before comma, blank and =, and keeps it before \\ and quotes', () => {
    const [batch] = parse(String.raw`m\,1\ x,t\=a=v\ \=\, f\ 1=1,q\"=2 1`)
    expect(batch?.table).toBe('m,1 x')
    expect(rowsOf(batch)).toEqual([{ time: 1n, 't=a': 'v =,', 'f 1': 1, 'q\\"': 2 }])
    expect(rowsOf(parse(String.raw`m,t=a\\b f=1 1`)[0])).toEqual([{ time: 1n, t: 'a\\\\b', f: 1 }])
  })

  it('keeps line breaks and escapes inside strings', () => {
    const [batch] = parse(`m a="two\nlines",b="\\\\",c="\\n",d="" 1\nm a="x" 2`)
    expect(rowsOf(batch)).toEqual([
      { time: 1n, a: 'two\nlines', b: '\\', c: '\\n', d: '' },
      { time: 2n, a: 'x' },
    ])
  })

  it('lets the first of two equal names stay', () => {
    expect(rowsOf(parse('m,t=1,t=2 f=1,g=5,f=2 1')[0])).toEqual([{ time: 1n, t: '1', f: 1, g: 5 }])
  })

  it('gives lines without a time one and the same', () => {
    const [batch] = parse('m f=1\nm f=2\n', { precision: 'MS', timeUnit: 'MS', nowNs: 1_700_000_000_123_456_789n })
    expect(rowsOf(batch).map((row) => row.time)).toEqual([1_700_000_000_123n, 1_700_000_000_123n])
  })

  it('reads bodies of several steps', () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `m,host=h${i % 100} value=${i},text="${i}" ${i}`)
    const [batch] = parse(lines.join('\n'))
    expect(batch?.rows).toBe(200_000)
    expect(batch?.seriesCount).toBe(100)
    expect(batch?.times[199_999]).toBe(199_999n)
    expect(valueAt(batch?.fields[0], 123_456)).toBe(123_456)
  })

  it('reads names and values beyond ASCII', () => {
    expect(rowsOf(parse('数据,城市=北京 温度="热",b=T 1')[0])).toEqual([{ time: 1n, 城市: '北京', 温度: '热', b: 1 }])
  })
})

describe('faults', () => {
  it.each([
    ['m f=1 1\nm f= 2', 2, 'is not a value'],
    ['m 1', 1, "field '1' has no value"],
    ['m', 1, 'there is no field'],
    [',t=1 f=1', 1, 'the measurement is empty'],
    ['m,t f=1', 1, "tag 't' has no value"],
    ['m,=a f=1', 1, 'a tag has no name'],
    ['m,t=a=b f=1', 1, "holds a '='"],
    ['m =1', 1, 'there is no field'],
    ['m f=nan', 1, "'nan' is not a value"],
    ['m f=inf', 1, 'is not a value'],
    ['m f=-inf', 1, 'is not a value'],
    ['m f=1e999', 1, 'beyond the range of a DOUBLE'],
    ['m f=.5', 1, 'is not a value'],
    ['m f=1x', 1, 'is not a value'],
    ['m f=12i34', 1, "follows the value of field 'f'"],
    ['m f="x"y', 1, "follows the value of field 'f'"],
    ['m f=9223372036854775808i', 1, 'beyond the range of a BIGINT'],
    ['m f=-1u', 1, 'beyond the range of a BIGINT UNSIGNED'],
    ['m f=18446744073709551616u', 1, 'beyond the range of a BIGINT UNSIGNED'],
    ['m f="\n\n', 1, 'no closing quote'],
    ['m f="a\nb",g= 1', 2, 'is not a value'],
    ['m f=1 12x', 1, 'something after the time'],
    ['m f=1 x', 1, 'not a whole number'],
    ['m f=1 1 2', 1, 'something after the time'],
    ['m f=1,', 1, 'there is no field'],
    ['m\\x f=1', 1, 'cannot be escaped'],
    ['m,t=a\\n f=1', 1, 'cannot be escaped'],
  ])('%j', (text, line, message) => {
    expect(failure(text)).toMatchObject({ name: 'LINE_PROTOCOL_SYNTAX', line })
    expect(failure(text).message).toContain(message)
  })

  it.each([
    ['m f=1 1\nm f=1i 2', 2],
    ['m f="x" 1\nm g=1,f=2 2', 2],
    ['m,a=1 f=1 1\nm a=1 2', 2],
    ['m f=1 1\nm,f=1 g=1 2', 2],
    ['m time=1 1', 1],
    ['m,time=1 f=1 1', 1],
  ])('tells a type conflict inside a body: %j', (text, line) => {
    expect(failure(text)).toMatchObject({ name: 'COLUMN_TYPE_CONFLICT', line })
  })

  it('refuses what is not UTF-8', () => {
    expect(() => parse(Buffer.from([0x6d, 0x20, 0x66, 0x3d, 0x22, 0xff, 0x22]))).toThrow('Invalid utf-8 sequence')
  })
})

describe('times', () => {
  it.each([
    ['NS', 'NS', '9223372036854775806', 9223372036854775806n],
    ['NS', 'NS', '-1', -1n],
    ['NS', 'NS', '0', 0n],
    ['NS', 'MS', '1700000000123999999', 1700000000123n],
    ['NS', 'MS', '-1999999', -1n],
    ['MS', 'NS', '1704067200000', 1704067200000000000n],
    ['US', 'NS', '1704067200000001', 1704067200000001000n],
    ['MS', 'US', '253402300799999', 253402300799999000n],
    ['US', 'US', '9000000000000001', 9000000000000001n],
  ] as const)('%s into %s: %s', (precision, timeUnit, text, ticks) => {
    expect(parse(`m f=1 ${text}`, { precision, timeUnit })[0]?.times[0]).toBe(ticks)
  })

  it.each([
    ['MS', 'NS', '9223372036855'],
    ['NS', 'NS', '9223372036854775807'],
    ['NS', 'NS', '9223372036854775808'],
    ['NS', 'NS', '-9223372036854775808'],
    ['NS', 'NS', '99999999999999999999999'],
  ] as const)('refuses %s into %s: %s', (precision, timeUnit, text) => {
    expect(failure(`m f=1 1\nm f=1 ${text}`, { precision, timeUnit })).toMatchObject({
      name: 'TIMESTAMP_OVERFLOW',
      line: 2,
    })
  })
})

describe('any value', () => {
  const parseField = (text: string) => valueAt(parse(`m f=${text} 1`)[0]?.fields[0], 0)

  it('reads doubles as JavaScript reads their text', () => {
    const digits = fc.stringMatching(/^[0-9]{1,20}$/)
    const written = fc
      .tuple(fc.constantFrom('', '-', '+'), digits, fc.option(digits), fc.option(fc.integer({ min: -330, max: 290 })))
      .map(([sign, int, fraction, exponent]) => {
        const point = fraction === null ? '' : `.${fraction}`
        return `${sign}${int}${point}${exponent === null ? '' : `e${exponent}`}`
      })
      .filter((text) => Number.isFinite(Number(text)))
    fc.assert(
      fc.property(written, (text) => {
        expect(parseField(text)).toBe(Number(text))
      }),
      { numRuns: 20_000 },
    )
    const shortest = fc.double({ noNaN: true, noDefaultInfinity: true })
    fc.assert(
      fc.property(shortest, (value) => {
        expect(parseField(Object.is(value, -0) ? '-0' : String(value))).toBe(value)
      }),
      { numRuns: 20_000 },
    )
  })

  it('reads integers of 64 bits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(parseField(`${value}i`)).toBe(value)
      }),
    )
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        expect(parseField(`${value}u`)).toBe(value)
      }),
    )
    expect(parseField('-9223372036854775808i')).toBe(-(2n ** 63n))
  })

  it('reads back what a writer escapes', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\\\n\r"'#]|^time$/.test(text))
    const escapeWord = (text: string) => text.replace(/[, =]/g, '\\$&')
    const line = fc.record({
      table: word.filter((text) => !text.includes('=')),
      tags: fc.dictionary(
        word,
        fc.string({ unit: 'grapheme' }).filter((text) => !/[\\\n\r]/.test(text)),
        { maxKeys: 3 },
      ),
      field: word,
      value: fc.string({ unit: 'grapheme' }),
    })
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (lines) => {
        const usable = lines.filter((l, i) => !(l.field in l.tags) && lines.findIndex((o) => o.table === l.table) === i)
        const text = usable.map(({ table, tags, field, value }) => {
          const pairs = Object.entries(tags).map(([key, tag]) => `,${escapeWord(key)}=${escapeWord(tag)}`)
          const quoted = value.replace(/["\\]/g, '\\$&')
          return `${escapeWord(table)}${pairs.join('')} ${escapeWord(field)}="${quoted}" 1`
        })
        const batches = parse(text.join('\n'))
        expect(batches.map((batch) => batch.table)).toEqual(usable.map((l) => l.table))
        usable.forEach(({ tags, field, value }, i) => {
          expect(rowsOf(batches[i])).toEqual([{ time: 1n, ...tags, [field]: value }])
        })
      }),
      { numRuns: 2_000 },
    )
  })

  it('reads a line as it would alone, whatever the lines before it said', () => {
    const key = fc.constantFrom('m', 'm,a=1', 'm,a=12', 'm,a=1,b=2', 'm,b=2,a=1', 'm,a=\\ 1', 'n,a=1', 'n')
    const fields = fc.constantFrom(
      'f=1',
      'f=12',
      'f=1.25,g=-2.5',
      'g=.5',
      'g=-.5',
      'f=-0',
      'f=1.',
      'f=123456789012345678',
      'h=12i',
    )
    const time = fc.constantFrom(
      '',
      ' 1',
      ' 12',
      ' -1',
      ' 1700000000000000000',
      ' 1700000000000000001',
      ' 17000000000000000011',
    )
    const line = fc
      .tuple(key, fields, time, fc.constantFrom('', ' ', '\r'))
      .map(([k, f, t, end]) => `${k} ${f}${t}${end}`)
    const attempt = (text: string) => {
      try {
        return parse(text)
      } catch (error) {
        return isCnosError(error) ? undefined : Promise.reject(error)
      }
    }
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const alone = lines.map(attempt)
        const together = attempt(lines.join('\n'))
        if (alone.includes(undefined)) expect(together).toBe(undefined)
        else
          for (const table of ['m', 'n']) {
            const rows = (batches: unknown) => rowsOf((batches as LineBatch[]).find((batch) => batch.table === table))
            expect(rows(together)).toEqual(alone.flatMap(rows))
          }
      }),
      { numRuns: 3_000 },
    )
  })

  it('never fails but with an error of its own, whatever the bytes', () => {
    const alphabet = 'm,= \\"\n\r#tf1.-+eiu9x'
    const soup = fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 60 })
    fc.assert(
      fc.property(soup, (text) => {
        try {
          parse(text)
        } catch (error) {
          if (!isCnosError(error)) throw error
          expect(error.context.line).toBeGreaterThan(0)
        }
      }),
      { numRuns: 50_000 },
    )
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withCareful } from '../../src/copy/load-job.ts'
import { isCnosError } from '../../src/errors/cnos-error.ts'
import { type CsvRequest, csvReader } from '../../src/format/csv-reader.ts'
import type { LineEnd } from '../../src/format/csv-record.ts'
import { openTestEngine } from '../engine/engine-fixture.ts'

let fixture: Awaited<ReturnType<typeof openTestEngine>>
let directory: string
beforeAll(async () => {
  fixture = await openTestEngine()
  directory = await mkdtemp(join(tmpdir(), 'cnosdb-numbers-'))
})
afterAll(async () => {
  await fixture[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

interface Outcome {
  readonly rows: readonly (number | null)[] | 'refused'
  /** Whether DuckDB's own reader has made the numbers. */
  readonly isRead: boolean
}

interface Kind {
  readonly delimiter: string
  readonly lineEnd: LineEnd
}

const USUAL: Kind = { delimiter: ',', lineEnd: 'LF' }
const END: Readonly<Record<LineEnd, string>> = { LF: '\n', CRLF: '\r\n', CR: '\r' }

/** Reads lines of a tag, a number and another tag, the way COPY INTO does. */
async function read(fields: readonly string[], tag: string, { delimiter, lineEnd }: Kind = USUAL): Promise<Outcome> {
  const path = join(directory, 'x.csv')
  const lines = fields.map((field) => [tag, field, tag].join(delimiter) + END[lineEnd])
  await writeFile(path, ['tag', 'x', 'more'].join(delimiter) + END[lineEnd] + lines.join(''))
  const request: CsvRequest = {
    files: [{ path, origin: 'x.csv', compression: 'none' }],
    columns: [{ name: 'x', source: 'x', type: 'DOUBLE' }],
    fileColumns: ['tag', 'x', 'more'],
    namesMatter: false,
    options: { delimiter, with_header: true },
  }
  let isRead = false
  try {
    const reader = await csvReader(request, fixture.engine)
    const rows = await withCareful(reader, fixture.engine, {}, (from) => {
      isRead = from.includes("'DOUBLE'")
      return fixture.engine.all(`SELECT x FROM ${from}`)
    })
    return { rows: rows.map(({ x }) => x as number | null), isRead }
  } catch (error) {
    if (!isCnosError(error, 'BAD_FILE')) throw error
    return { rows: 'refused', isRead }
  }
}

/** What CnosDB takes for a number: by its own grammar, in double precision. */
function numberOf(text: string): number | null | undefined {
  if (text === '') return null
  const word = /^([+-]?)(?:(nan)|inf|infinity)$/i.exec(text)
  if (word) return word[2] ? Number.NaN : word[1] === '-' ? -Infinity : Infinity
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text)) return undefined
  return Number.isFinite(Number(text)) ? Number(text) : undefined
}

const digits = fc.stringMatching(/^[0-9]{1,20}$/)
const goodNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc
    .tuple(fc.constantFrom('', '+', '-'), digits, fc.constantFrom('', '.', '.5', 'e5', 'E-07', 'e+3'))
    .map((parts) => parts.join('')),
  fc.constantFrom('', '.5', '-.5', '1.', '-0', '0', '007', '1e-400', '5e-324', '1.7976931348623157e308'),
)
const oddNumber = fc.oneof(
  fc.constantFrom(
    'nan',
    'NaN',
    '-nan',
    'inf',
    '-INF',
    '+Infinity',
    '1e400',
    '-1e999',
    'nan(a_1)',
    'nan(x)',
    '0x1F',
    '1d',
  ),
  fc.constantFrom(
    '1_000',
    '1_0.5',
    '1.5_0',
    '1e1_0',
    ' 1',
    '1 ',
    '\t1',
    '1\t',
    '\v1',
    '1\f',
    '+-1',
    '+ 1',
    ' +-1 ',
    '1 2',
    '_1',
    '1__0',
  ),
  fc.constantFrom('abc', 'true', '1;5', '.', '-', 'e5', '1e', '--1', '\u00a01', '١', '1\u0000'),
  fc.string({
    unit: fc.constantFrom('1', '0', '+', '-', '.', 'e', 'E', '_', ' ', '\t', '\v', '\f', 'n', 'a', 'i', 'f'),
    maxLength: 8,
  }),
)
const tag = fc.constantFrom('host_1', 'a b', '', 'us_east_1_a', '2024-01-01 00:00:00+08:00', 'e', '漢字 1')
const kind = fc.record({
  delimiter: fc.constantFrom(',', ',', ';', '\t', '|', '_', ' '),
  lineEnd: fc.constantFrom<LineEnd>('LF', 'LF', 'CRLF', 'CR'),
})

describe('numbers of CSV', () => {
  it('are read as CnosDB has them, or refused, by whatever way', async () => {
    const ways = { read: 0, text: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.oneof({ weight: 12, arbitrary: goodNumber }, { weight: 1, arbitrary: oddNumber }), fc.boolean()),
          { minLength: 1, maxLength: 12 },
        ),
        tag,
        kind,
        async (numbers, tagText, form) => {
          const mustQuote = (text: string) => text.includes(form.delimiter) || /^ | $/.test(text)
          const spell = (text: string, isQuoted: boolean) => (isQuoted || mustQuote(text) ? `"${text}"` : text)
          const expected = numbers.map(([text]) => numberOf(text))
          const outcome = await read(
            numbers.map(([text, isQuoted]) => spell(text, isQuoted)),
            spell(tagText, true),
            form,
          )
          expect(outcome.rows).toEqual(expected.includes(undefined) ? 'refused' : expected)
          ways[outcome.rows === 'refused' ? 'refused' : outcome.isRead ? 'read' : 'text'] += 1
        },
      ),
      { numRuns: 300 },
    )
    expect(Math.min(...Object.values(ways))).toBeGreaterThan(20)
  }, 60_000)

  it.each([
    '1_000',
    '1.5_0',
    ' 1',
    '1 ',
    '\t1',
    '1\v',
    '1\f',
    '+-1',
    '" 1"',
    '"1_0"',
    '1e400',
    '-1e400',
    '1\r',
    '1\n',
    '"1\n"',
    '"\r1"',
    'nan(a_1)',
    'nan()',
    '0x1F',
  ])('refuses %j, which DuckDB casts or nearly casts', async (text) => {
    for (const lineEnd of ['LF', 'CRLF', 'CR'] as const) {
      expect(await read(['1', text, '2'], 'host_1', { delimiter: ',', lineEnd })).toMatchObject({ rows: 'refused' })
    }
  })

  it('leaves a file to DuckDB whose tags hold what no number may hold', async () => {
    for (const name of ['host_1', 'a_1_2', 'a  b', '2024-01-01 00:00:00', '+08:00', 'x +-1']) {
      expect(await read(['1.5', '', '-0'], name)).toEqual({ rows: [1.5, null, -0], isRead: true })
    }
  })

  it('reads as text what DuckDB cannot tell: words for infinity, empty texts in quotes', async () => {
    expect(await read(['1', 'inf', 'NaN'], 'a')).toEqual({ rows: [1, Infinity, Number.NaN], isRead: false })
    expect(await read(['1', '""'], 'a')).toEqual({ rows: [1, null], isRead: false })
  })
})

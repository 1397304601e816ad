import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { isCnosError } from '../../src/errors/cnos-error.ts'
import { ERROR_CODES } from '../../src/errors/codes.ts'
import type { ExpectedError, SltConnection, SltRecord } from './slt-file.ts'

interface SltColumn {
  readonly name: string
  /** DuckDB's name of the type; absent where all values are CSV. */
  readonly type?: string
}

/** An error as HTTP answers it. */
export class AnsweredError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

export interface SltAnswer {
  readonly columns: readonly SltColumn[]
  /** Values as text; NULL is null. */
  readonly rows: readonly (readonly (string | null)[])[]
}

/** What .slt files run against: a database in this process, or a server. */
export interface SltTarget {
  execute(connection: SltConnection, sql: string): Promise<SltAnswer>
  restart(): Promise<void>
}

const TYPE_LETTERS: readonly (readonly [letter: string, types: RegExp])[] = [
  ['I', /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/],
  ['R', /^(DOUBLE|FLOAT|DECIMAL.*)$/],
  ['T', /^VARCHAR$/],
  ['B', /^BOOLEAN$/],
  ['D', /^TIMESTAMP/],
]

const letterOf = (type: string) => TYPE_LETTERS.find(([, types]) => types.test(type))?.[0] ?? '?'

/** A value as .slt files show it: bare, or in JSON's quotes when it is empty, has blanks or quotes, or reads NULL. */
function printValue(value: string | null, type: string): string {
  if (value === null) return 'NULL'
  if (letterOf(type) === 'D') return value.replace(' ', 'T')
  return /^[^\s"]+$/.test(value) && value !== 'NULL' ? value : JSON.stringify(value)
}

function printRows({ columns, rows }: SltAnswer): string[] {
  return rows.map((row) => row.map((value, index) => printValue(value, columns[index]?.type ?? '')).join(' '))
}

async function expectError(run: Promise<SltAnswer>, { code, text }: ExpectedError): Promise<void> {
  const error: unknown = await run.then(
    (answer) => expect.unreachable(`succeeded with ${answer.rows.length} rows, expected error ${code}`),
    (reason: unknown) => reason,
  )
  if (error instanceof AnsweredError) return expectAnswer(error, { code, text })
  if (!isCnosError(error)) throw error
  expect(/^\d/.test(code) ? error.code : error.errorName, error.fullMessage).toBe(code)
  expect(error.fullMessage).toContain(text)
}

function expectAnswer(error: AnsweredError, { code, text }: ExpectedError): void {
  const entry = Object.entries(ERROR_CODES).find(([name]) => name === code)?.[1]
  expect(error.code, error.message).toBe(entry?.code ?? code)
  expect(error.message).toContain(text)
  expect(error.status).toBe(422)
}

/** A line of expected values as CSV has them: NULL and '' are the same, times have nine digits. */
function csvValues(line: string, types: string): string[] {
  const words = line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []
  return words.map((word, index) => {
    const value: string = word.startsWith('"') ? JSON.parse(word) : word
    if (word === 'NULL') return ''
    return types[index] === 'D' && word !== 'NULL' ? csvTime(value) : value
  })
}

const csvTime = (text: string) => {
  const [whole = '', fraction = ''] = text.split('.')
  return `${whole}.${fraction.padEnd(9, '0')}`
}

/** CSV writes numbers differently; they are the same when they read back as the same. */
const csvRow = (values: readonly (string | null)[], types: string) =>
  values.map((value, i) => (types[i] === 'R' && value ? String(Number(value)) : value)).join(' | ')

function checkTypes(types: string, { columns }: SltAnswer): void {
  const actual = columns.map(({ type = '' }, index) => (types[index] === '?' ? '?' : letterOf(type)))
  const shown = columns.map(({ name, type }) => `${name} ${type}`).join(', ')
  expect(actual.join(''), shown).toBe(types)
}

export interface SltRun {
  /** For failures. */
  readonly path: string
  /** What `$TMP` stands for. */
  readonly directory: string
}

async function runRecord(target: SltTarget, record: SltRecord, connection: SltConnection, { directory }: SltRun) {
  const resolve = (text: string) => text.replaceAll('$TMP', directory)
  if (record.kind === 'restart') await target.restart()
  else if (record.kind === 'file') {
    const path = join(directory, record.path)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, record.content)
  } else if (record.kind === 'statement') {
    const run = target.execute(connection, resolve(record.sql))
    await (record.error ? expectError(run, record.error) : run)
  } else if (record.kind === 'query') {
    const answer = await target.execute(connection, resolve(record.sql))
    const sorted = (rows: readonly string[]) => (record.isSorted ? [...rows].sort() : rows)
    const expected = record.rows.map(resolve)
    if (answer.columns.some(({ type }) => type === undefined)) {
      const { types } = record
      const rows = answer.rows.map((row) => csvRow(row, types))
      expect(sorted(rows)).toEqual(sorted(expected.map((line) => csvRow(csvValues(line, types), types))))
    } else {
      checkTypes(record.types, answer)
      expect(sorted(printRows(answer))).toEqual(sorted(expected))
    }
  }
}

/** Runs the records in order, all of them; what failed is one error, with path, line and SQL of each. */
export async function runSlt(target: SltTarget, records: readonly SltRecord[], first: SltConnection, run: SltRun) {
  let connection = first
  const failures: string[] = []
  for (const record of records) {
    if (record.kind === 'connection') connection = record.connection
    try {
      await runRecord(target, record, connection, run)
    } catch (error) {
      const reason = isCnosError(error) ? `${error.errorName} ${error.code} ${error.fullMessage}` : String(error)
      failures.push(`${run.path}:${record.line}: ${sqlOf(record)}\n${reason}${differenceOf(error)}`)
    }
  }
  if (failures.length > 0) throw new Error(`${failures.length} of ${records.length} failed\n\n${failures.join('\n\n')}`)
}

const sqlOf = (record: SltRecord) => ('sql' in record ? record.sql : record.kind)

/** What an assertion expected and got. */
function differenceOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('expected' in error) || !('actual' in error)) return ''
  const show = (value: unknown) => (Array.isArray(value) ? value.map((row) => `\n  ${row}`).join('') : ` ${value}`)
  return `\nexpected:${show(error.expected)}\nactual:${show(error.actual)}`
}

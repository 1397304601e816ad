import fc from 'fast-check'
import { expect, it } from 'vitest'
import { CnosError } from '../../src/errors/cnos-error.ts'
import type { Statement } from '../../src/sql/ast.ts'
import { parseStatement } from '../../src/sql/parser.ts'
import { printStatement } from '../../src/sql/printer.ts'
import { redactStatement } from '../../src/sql/redact.ts'
import { arbitraryStatement } from './arbitrary-statement.ts'
import { ALL_STATEMENTS } from './statements.ts'

const MARK = 'hunter2'
const odd = fc.string({
  unit: fc.constantFrom("'", '"', ' ', ',', ')', ';', '=', '--', '/*', '\n', '\\', 'ü', '||'),
  maxLength: 8,
})
const secret = fc.tuple(odd, odd).map(([before, after]) => `${before}${MARK}${after}`)
const key = fc.constantFrom(
  'secret_key',
  'token',
  'private_key',
  'access_key',
  'bearer_token',
  'SecretKey',
  'my password',
)

const copy = fc.tuple(key, secret, odd).map(([name, value, path]): Statement => {
  const connection = new Map([
    ['region', 'r'],
    [name, value],
    ['account', 'a'],
  ])
  const location = { path, connection, fileFormat: undefined, copyOptions: undefined }
  return { kind: 'copy-into-table', table: { parts: ['t'] }, columns: undefined, location }
})
const user = fc.tuple(secret, odd, fc.constantFrom('password', 'hashPassword', 'rsaPublicKey')).map(
  ([value, comment, option]): Statement => ({
    kind: 'create-user',
    name: 'u',
    ifNotExists: false,
    options: { comment, [option]: value },
  }),
)

it('no printed statement keeps its secret, and what is left still parses', () => {
  const check = (statement: Statement) => {
    const redacted = redactStatement(printStatement(statement))
    expect(redacted).not.toContain(MARK)
    expect(parseStatement(redacted).kind).toBe(statement.kind)
  }
  fc.assert(fc.property(fc.oneof(copy, user), check), { numRuns: 3_000 })
})

it('no error shows a secret, wherever the statement is cut or broken', () => {
  const check = (statement: Statement, at: number, piece: string) => {
    const sql = printStatement(statement)
    const place = Math.floor(at * sql.length)
    for (const broken of [sql.slice(0, place), sql.slice(0, place) + piece + sql.slice(place)]) {
      try {
        parseStatement(broken)
      } catch (error) {
        if (!(error instanceof CnosError)) throw error
        const shown = error.fullMessage
        if (broken.includes(MARK) && isBehindItsKey(broken)) expect(shown).not.toContain(MARK)
      }
    }
  }
  const place = fc.double({ min: 0, max: 1, noNaN: true })
  const piece = fc.constantFrom(' ', ' oops ', ')', ';', ' -1 ', '`')
  fc.assert(fc.property(fc.oneof(copy, user), place, piece, check), { numRuns: 3_000 })
})

/** Whether the secret still stands behind the name that makes it one. */
function isBehindItsKey(sql: string): boolean {
  const before = sql.slice(0, sql.indexOf(MARK))
  return /(?:secret_key|token|private_key|access_key|bearer_token|"SecretKey"|"my password"|password|rsa_public_key) = '/.test(
    before,
  )
}

it('redacting twice is redacting once', () => {
  const check = (sql: string) => {
    expect(redactStatement(redactStatement(sql))).toBe(redactStatement(sql))
  }
  for (const sql of ALL_STATEMENTS) check(sql)
  fc.assert(fc.property(arbitraryStatement.map(printStatement), check), { numRuns: 1_000 })
})

it('a redacted statement parses when the statement does', () => {
  for (const sql of ALL_STATEMENTS) expect(parseStatement(redactStatement(sql)).kind).toBe(parseStatement(sql).kind)
})

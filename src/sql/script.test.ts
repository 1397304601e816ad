import { describe, expect, it } from 'vitest'
import { isCnosError } from '../errors/cnos-error.ts'
import { splitScript } from './script.ts'

const DUMP = `-- Dump Global Object
create tenant if not exists "acme" with comment='it''s; a
-- test
\\c nothing;', drop_after='7days';
create user "anna" with hash_password='$2b$12$x', must_change_password=false;
-- Dump Tenant acme Object
\\change_tenant acme
create database if not exists "pl;ant" with ttl 'INF';
grant All on database "plant" to "lead"; create role "r";;
\\c My Database \r
create table "plant"."air" ("temp" DOUBLE, tags ());
`

function errorOf(text: string) {
  try {
    for (const _ of splitScript(text));
  } catch (error) {
    if (isCnosError(error, 'SQL_SYNTAX')) return error
    throw error
  }
  throw new Error('split')
}

describe('splitScript', () => {
  it('reads a dump', () => {
    expect([...splitScript(DUMP)]).toEqual([
      {
        kind: 'statement',
        text: `create tenant if not exists "acme" with comment='it''s; a\n-- test\n\\c nothing;', drop_after='7days'`,
        line: 2,
        isTerminated: true,
      },
      {
        kind: 'statement',
        text: `create user "anna" with hash_password='$2b$12$x', must_change_password=false`,
        line: 5,
        isTerminated: true,
      },
      { kind: 'change-tenant', name: 'acme', line: 7 },
      { kind: 'statement', text: `create database if not exists "pl;ant" with ttl 'INF'`, line: 8, isTerminated: true },
      { kind: 'statement', text: 'grant All on database "plant" to "lead"', line: 9, isTerminated: true },
      { kind: 'statement', text: 'create role "r"', line: 9, isTerminated: true },
      { kind: 'change-database', name: 'My Database', line: 10 },
      { kind: 'statement', text: 'create table "plant"."air" ("temp" DOUBLE, tags ())', line: 11, isTerminated: true },
    ])
  })

  it('says when the last statement has no end', () => {
    expect([...splitScript('select 1;\nselect 2 -- end')]).toEqual([
      { kind: 'statement', text: 'select 1', line: 1, isTerminated: true },
      { kind: 'statement', text: 'select 2', line: 2, isTerminated: false },
    ])
  })

  it('finds nothing in comments and blanks', () => {
    expect([...splitScript('\ufeff-- a;\n/* b; */ ;\n')]).toEqual([])
    expect([...splitScript('')]).toEqual([])
  })

  it('keeps backslashes inside statements', () => {
    expect([...splitScript("select '\\c x',\n'\\'; select 2;")].map((item) => item.kind)).toEqual([
      'statement',
      'statement',
    ])
  })

  it('yields what comes before a fault first', () => {
    const steps = splitScript("select 1;\nselect 'x")
    expect(steps.next().value).toMatchObject({ text: 'select 1' })
    expect(() => steps.next()).toThrow('Unterminated')
  })

  it('names the line of a fault', () => {
    const cut = errorOf("select 1;\nselect\n'abc;\n")
    expect(cut.context.line).toBe(3)
    expect(cut.hint).toContain('starts in line 2')
    expect(errorOf('select 1;\n\\q\n').message).toContain('Expected a statement, \\change_tenant or \\c, found: \\q')
    expect(errorOf('\\change_tenant  \nselect 1;').message).toContain('Expected a name after \\change_tenant')
  })

  it('never shows a secret', () => {
    expect(errorOf("create user u with password='hunter2").fullMessage).not.toContain('hunter2')
  })

  it('reads 100 000 statements in bounded time', () => {
    const start = performance.now()
    expect([...splitScript('create role "r";\n'.repeat(100_000))].at(-1)?.line).toBe(100_000)
    expect(performance.now() - start).toBeLessThan(5_000)
  })
})

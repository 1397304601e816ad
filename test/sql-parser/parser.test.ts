import { describe, expect, it } from 'vitest'
import { type CnosError, isCnosError } from '../../src/errors/cnos-error.ts'
import type { Statement, StatementKind } from '../../src/sql/ast.ts'
import { parseStatement } from '../../src/sql/parser.ts'
import { printStatement } from '../../src/sql/printer.ts'
import { ALL_STATEMENTS, BACKUP_PAGE, UNSUPPORTED_STATEMENTS } from './statements.ts'
import { withoutOffsets } from './without-offsets.ts'

function errorOf(sql: string): CnosError {
  try {
    parseStatement(sql)
  } catch (error) {
    if (isCnosError(error)) return error
    throw error
  }
  throw new Error(`parsed: ${sql}`)
}

const parse = <K extends StatementKind>(kind: K, sql: string) => {
  const statement = parseStatement(sql)
  expect(statement.kind).toBe(kind)
  return statement as Statement & { readonly kind: K }
}

describe('round trip', () => {
  it.each(ALL_STATEMENTS)('%s', (sql) => {
    const statement = parseStatement(sql)
    const printed = printStatement(statement)
    expect(withoutOffsets(parseStatement(printed))).toEqual(withoutOffsets(statement))
    expect(printStatement(parseStatement(printed))).toBe(printed)
  })

  it('covers every kind of statement', () => {
    const kinds = new Set(ALL_STATEMENTS.map((sql) => parseStatement(sql).kind))
    expect([...kinds].sort()).toEqual([...Object.keys(EVERY_KIND)].sort())
  })
})

const EVERY_KIND: Record<StatementKind, true> = {
  query: true,
  insert: true,
  delete: true,
  update: true,
  'copy-into-table': true,
  'copy-into-location': true,
  explain: true,
  'create-database': true,
  'alter-database': true,
  'drop-database': true,
  'recover-database': true,
  'describe-database': true,
  'create-table': true,
  'create-external-table': true,
  'create-stream-table': true,
  'alter-table': true,
  'drop-table': true,
  'describe-table': true,
  'create-tenant': true,
  'alter-tenant': true,
  'drop-tenant': true,
  'recover-tenant': true,
  'create-user': true,
  'alter-user': true,
  'drop-user': true,
  'create-role': true,
  'drop-role': true,
  grant: true,
  revoke: true,
  show: true,
  'show-series': true,
  'show-tag-values': true,
  'kill-query': true,
  unsupported: true,
}

describe('COPY INTO', () => {
  it('reads the direction from the token behind INTO', () => {
    expect(parseStatement("COPY INTO 'x' FROM t").kind).toBe('copy-into-location')
    const { table, location } = parse('copy-into-table', 'COPY INTO "file:///x" FROM t')
    expect(table.parts).toEqual(['file:///x'])
    expect(location.path).toBe('t')
  })

  it('keeps the characters of a region', () => {
    const { location } = parse('copy-into-table', BACKUP_PAGE[6] as string)
    expect(location.connection?.get('region')).toBe('us\u2011east\u20111')
    expect(location.fileFormat).toEqual(new Map([['type', 'CSV']]))
    expect(location.copyOptions).toBeUndefined()
  })

  it('takes the clauses in any order, without =, without commas', () => {
    const { location } = parse(
      'copy-into-table',
      "copy into t from 'x' copy_options (auto_infer_schema true) file_format (TYPE 'csv' Delimiter ';') connection=(region='r')",
    )
    expect(location.connection).toEqual(new Map([['region', 'r']]))
    expect(location.fileFormat).toEqual(
      new Map([
        ['type', 'csv'],
        ['delimiter', ';'],
      ]),
    )
    expect(location.copyOptions).toEqual(new Map([['auto_infer_schema', true]]))
  })

  it('lets a later clause replace an earlier one, and a later key an earlier one', () => {
    const { location } = parse(
      'copy-into-table',
      "COPY INTO t FROM 'x' CONNECTION = (a = 'b') CONNECTION = (c = 'd', c = 'e')",
    )
    expect(location.connection).toEqual(new Map([['c', 'e']]))
  })

  it('keeps quoted keys as they are', () => {
    const { location } = parse('copy-into-table', `COPY INTO t FROM 'x' FILE_FORMAT = ("TYPE" = 'csv')`)
    expect([...(location.fileFormat?.keys() ?? [])]).toEqual(['TYPE'])
  })

  it('flattens TAGS(…) in the column list', () => {
    expect(parse('copy-into-table', `COPY INTO t (time, TAGS(a, "B"), f) FROM 'x'`).columns).toEqual([
      'time',
      'a',
      'B',
      'f',
    ])
  })

  it('leaves backslashes alone and halves doubled quotes', () => {
    const { location } = parse('copy-into-table', `COPY INTO t FROM 'x' FILE_FORMAT = (delimiter = '\\t', a = 'it''s')`)
    expect(location.fileFormat).toEqual(
      new Map([
        ['delimiter', '\\t'],
        ['a', "it's"],
      ]),
    )
  })

  it('says where a query starts', () => {
    const sql = "EXPLAIN COPY INTO 'x' FROM ( /* all */ select 1 -- x\n )"
    const { statement } = parse('explain', sql)
    const source = statement.kind === 'copy-into-location' ? statement.source : undefined
    const query = source?.kind === 'query' ? source.query : { text: '', offset: 0 }
    expect(query.text).toBe('select 1')
    expect(sql.slice(query.offset)).toMatch(/^select 1/)
  })

  it.each([
    ["COPY INTO t FROM 'x' FILE_FORMAT = ()", 'Expected identifier, found: )'],
    ["COPY INTO t FROM 'x' FILE_FORMAT = (type = 'csv',)", 'Expected identifier, found: )'],
    ["COPY INTO t FROM 'x' FILE_FORMAT = (type = csv)", 'Expected a concrete value, found: csv'],
    ["COPY INTO t FROM 'x' FILE_FORMAT = (type = -1)", 'Expected a value, found: -'],
    [`COPY INTO t FROM 'x' FILE_FORMAT = (type = "csv")`, 'expected string value, but found : "csv"'],
    [`COPY INTO t FROM 'x' FILE_FORMAT = (type = E'csv')`, "Expected a value, found: E'csv'"],
    ["COPY INTO t FROM E'x'", "Expected a path in single quotes, found: E'x'"],
    ["COPY INTO 'x' FROM t AS z", 'Expected end of statement, found: AS'],
    ["COPY INTO 'x' FROM t WHERE a = 1", 'Expected end of statement, found: WHERE'],
    ["COPY INTO 'x' FROM (select 1) AS z", 'Expected end of statement, found: AS'],
    ['COPY INTO t FROM (select 1)', 'Expected a path in single quotes, found: ('],
    ["COPY INTO t FROM 'x' PATTERN = 'y'", 'Expected end of statement, found: PATTERN'],
    ["COPY INTO t () FROM 'x'", 'Expected identifier, found: )'],
    ['COPY t', 'Expected INTO or VNODE after COPY, found: t'],
    ["COPY INTO `t` FROM 'x'", 'Expected a table name or a path in single quotes, found: `'],
  ])('%s', (sql, message) => {
    const error = errorOf(sql)
    expect(error.errorName).toBe('SQL_SYNTAX')
    expect(error.message.split('\n')[0]).toBe(`sql parser error: ${message}`)
  })
})

describe('names', () => {
  it('folds bare ones in ASCII, keeps quoted ones', () => {
    expect(parse('describe-table', 'DESC TABLE AIR."Öl""Ä".ÖLb').table.parts).toEqual(['air', 'Öl"Ä', 'Ölb'])
    expect(parse('describe-table', "DESC TABLE 'Tbl'").table.parts).toEqual(['Tbl'])
    expect(parse('describe-table', 'DESC TABLE #a@$1').table.parts).toEqual(['#a@$1'])
  })

  it('may be keywords', () => {
    expect(parse('copy-into-table', "COPY INTO from FROM 'x'").table.parts).toEqual(['from'])
    expect(parse('grant', 'grant all on database d to role').role).toBe('role')
    expect(parse('create-table', 'create table t (tags bigint, codec string)').fields.map((f) => f.name)).toEqual([
      'tags',
      'codec',
    ])
  })

  it('may not hold a slash or be blank when they are new', () => {
    expect(errorOf('CREATE DATABASE "ba/sic"').message).toContain("not supported keyword contains '/': ba/sic")
    expect(errorOf('CREATE TABLE "  " (a DOUBLE)').message).toContain('Name cannot be empty or contain only spaces')
  })
})

describe('types and codecs', () => {
  it('are put into canonical form', () => {
    const { fields } = parse(
      'create-table',
      'create table t (a bigint   unsigned codec(delta), b geometry( point ,0), c decimal(10, 6), d timestamp(nanosecond))',
    )
    expect(fields).toEqual([
      { name: 'a', type: 'BIGINT UNSIGNED', codec: 'DELTA' },
      { name: 'b', type: 'GEOMETRY(POINT, 0)' },
      { name: 'c', type: 'DECIMAL(10,6)' },
      { name: 'd', type: 'TIMESTAMP(NANOSECOND)' },
    ])
  })
})

describe('tenants and users', () => {
  it('reads the limiter groups', () => {
    const { options } = parse(
      'create-tenant',
      "CREATE TENANT t WITH comment='c', object_config max_users_number = 1 max_databases 2, http_writes remote_max = 3 local_max=4",
    )
    expect(options).toEqual({
      comment: 'c',
      objectConfig: new Map([
        ['max_users_number', 1n],
        ['max_databases', 2n],
      ]),
      requestConfig: new Map([
        [
          'http_writes',
          new Map([
            ['remote_max', 3n],
            ['local_max', 4n],
          ]),
        ],
      ]),
    })
  })

  it('names an unknown tenant option', () => {
    expect(errorOf('CREATE TENANT t WITH nope = 1').message).toContain('Unknown tenant option: nope')
  })

  it('reads only the user options that were written', () => {
    expect(parse('create-user', "create user u with password='p', granted_admin=true").options).toEqual({
      password: 'p',
      grantedAdmin: true,
    })
    expect(parse('create-user', 'create user u').options).toEqual({})
  })

  it('refuses what CnosDB refuses', () => {
    expect(errorOf("create user u with must_change_password='true'").message).toContain(
      "expected boolean value, but found : 'true'",
    )
    expect(errorOf("create user u with nope='true'").code).toBe('010003')
    expect(errorOf("alter user u set comment='a', comment='b'").message).toContain(
      'Expected end of statement, found: ,',
    )
    expect(errorOf("alter database d set precision 'ns'").hint).toContain('fixed by CREATE DATABASE')
    expect(errorOf("create database d with ttl '1d', shard 1").message).toContain('found: ,')
    expect(errorOf('create table t (tags (a))').message).toContain('at least one field')
    expect(errorOf("create external table t stored as csv compression type gziplocation '/x'").message).toContain(
      'Missing LOCATION clause',
    )
  })
})

describe('unsupported statements', () => {
  it.each(UNSUPPORTED_STATEMENTS)('%s', (sql, feature) => {
    expect(parseStatement(sql)).toEqual({ kind: 'unsupported', feature })
  })
})

describe('errors', () => {
  it('point at the fault', () => {
    const error = errorOf("SELECT 1\n;\n-- ü\nCOPY INTO t FROM 'x'")
    expect(error.errorName).toBe('MULTI_STATEMENT')
    const typo = errorOf('CREATE TABLE t (\n  a DOUBLE,\n  ü DUOBLE COEDC(x)\n)')
    expect(typo.code).toBe('010009')
    expect(typo.message).toBe(
      'sql parser error: Expected , or ), found: COEDC\nline 3, column 12:\n    ü DUOBLE COEDC(x)\n             ^',
    )
    expect(typo.context).toEqual({ line: 3, position: 41 })
  })

  it.each([
    ['SELEC 1', 'Expected an SQL statement, found: SELEC', 'did you mean SELECT?'],
    ['', 'Expected an SQL statement, found: EOF', undefined],
    ['  -- nothing\n', 'Expected an SQL statement, found: EOF', undefined],
    [';;', 'Expected an SQL statement, found: EOF', undefined],
    ['DROP TABEL t', 'Expected DATABASE, TABLE, TENANT, USER or ROLE after DROP, found: TABEL', 'did you mean TABLE?'],
    ['SELECT (1', 'Expected ), found: EOF', undefined],
    ['SELECT (1; 2)', 'Expected ), found: ;', undefined],
    ['SELECT 1)', 'Expected end of statement, found: )', undefined],
    ["SELECT 'abc", 'Unterminated string literal', "it starts here; close it with '"],
    ['SELECT "abc', 'Unterminated quoted identifier', 'it starts here; close it with "'],
    ['SELECT /* abc', 'Unterminated multi-line comment', 'it starts here; close it with */'],
    ['EXPLAIN EXPLAIN SELECT 1', 'Explain must be root of the plan', undefined],
    ['KILL QUERY 1.5', 'Expected a query id, found: 1.5', 'SHOW QUERIES lists the ids'],
  ])('%s', (sql, message, hint) => {
    const error = errorOf(sql)
    expect(error.message.split('\n')[0]).toBe(`sql parser error: ${message}`)
    expect(error.hint).toBe(hint)
  })

  it('counts statements as CnosDB does', () => {
    const sql = "select 1;; select ';'; -- ;\nselect 3;"
    expect(errorOf(sql).message).toBe(`Multi-statement not allow, found num:3, sql:${sql}`)
    expect(errorOf(sql).code).toBe('010013')
  })

  it('never show a secret', () => {
    const connection = "CONNECTION = (region='r', secret_key = 'hunter2'"
    for (const sql of [
      `COPY INTO t FROM 's3://b' ${connection} oops oops`,
      `COPY INTO t FROM 's3://b' ${connection}) oops`,
      `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = "hunter2")`,
      `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = hunter2)`,
      `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = 'hunter2)`,
      `COPY INTO t FROM 's3://b' ${connection}); select 1`,
      `CREATE USER u WITH password = hunter2`,
      `CREATE USER u WITH password = 'x' 'hunter2'`,
      `CREATE USER u WITH password = E'hunter2'`,
    ]) {
      expect(JSON.stringify(errorOf(sql).fullMessage)).not.toContain('hunter2')
    }
  })

  it('stay short when the statement is long', () => {
    const error = errorOf(`SELECT ${'x'.repeat(100_000)} ) ${'y'.repeat(100_000)}`)
    expect(error.message.length).toBeLessThan(400)
  })
})

describe('bounds', () => {
  it('refuses deep nesting without running out of stack', () => {
    expect(errorOf(`SELECT ${'('.repeat(100_000)}`).message).toContain('nested deeper than 500')
  })

  it('reads an INSERT of some megabytes in bounded time', () => {
    const sql = `INSERT INTO t (a, b) VALUES ${"(1, 'x;y'), ".repeat(200_000)}(1, 'z')`
    const { source } = parse('insert', sql)
    expect(source.text.length).toBe(sql.length - 'INSERT INTO t (a, b) '.length)
  }, 10_000)
})

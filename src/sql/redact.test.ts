import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSecretName, redactStatement } from './redact.ts'

const SECRET = 'hunter2'

describe('isSecretName', () => {
  it('knows the names of all stores and users', () => {
    const secret = [
      'secret_key',
      'token',
      'private_key',
      'access_key',
      'bearer_token',
      'password',
      'hash_password',
      'rsa_public_key',
      'SECRET_KEY',
      'secret_acces_key',
      'sig',
      'AccountKey',
      'access_key_id',
      'client_email',
    ]
    expect(secret.filter((name) => !isSecretName(name))).toEqual([])
    const open = [
      'region',
      'account',
      'endpoint_url',
      'must_change_password',
      'type',
      'time',
      'passenger',
      'design',
      'author',
    ]
    expect(open.filter(isSecretName)).toEqual([])
  })
})

describe('redactStatement', () => {
  it('masks the values and nothing else', () => {
    const statement = (access: string, secret: string) =>
      `COPY INTO t -- all\n FROM 's3://b/x' CONNECTION = (region = 'r', access_key_id='${access}', secret_key =  ${secret})`
    expect(redactStatement(statement('AKIA', "'hunter2'"))).toBe(statement('******', "'******'"))
    expect(redactStatement("create user u with password='a''b', comment='c'")).toBe(
      "create user u with password='******', comment='c'",
    )
    expect(redactStatement("ALTER USER u SET hash_password '$2b$12$x'")).toBe("ALTER USER u SET hash_password '******'")
  })

  it.each([
    "SELECT * FROM air WHERE station = 'it''s'",
    'SELECT key, token FROM t ORDER BY key',
    'CREATE TABLE t ("api_key" STRING, TAGS ("key", "token"))',
    'SHOW TAG VALUES FROM t WITH KEY = station',
    'SHOW TAG VALUES FROM t WITH KEY IN (a, b)',
    "INSERT INTO t (token) VALUES ('a', 'key', 'b')",
    "COPY INTO 'file:///tmp/keys' FROM t FILE_FORMAT = (TYPE = 'CSV')",
    'CREATE USER u WITH must_change_password=true, granted_admin=false',
    'GRANT READ ON DATABASE secret TO "r"',
    '-- the key\nSELECT 1',
  ])('leaves %s', (sql) => {
    expect(redactStatement(sql)).toBe(sql)
  })

  it.each([
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = 'hunter2')`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key 'hunter2' region 'r')`,
    `COPY INTO t FROM 's3://b' CONNECTION = ('secret_key' 'hunter2')`,
    `COPY INTO t FROM 's3://b' CONNECTION = ("secret_key" = "hunter2")`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = "hunter2")`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = hunter2)`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = abc/hunter2+def==, region = 'r')`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key=ab--hunter2)`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key=ab'cd hunter2', region='r')`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = \`hunter2\`)`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = ‘hunter2’)`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = E'a\\'hunter2')`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = 'a' || 'hunter2')`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = 'a' 'hunter2')`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = $$hunter2$$)`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = 'hunter2)`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = 'it's hunter2', region = 'r')`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key = 'it' s hunter2', region = 'r')`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secret_key /* = */ = /* old key: hunter2 */ 'x')`,
    `COPY INTO t FROM 's3://b' CONNECTION = (region = 'r' -- secret_key = 'hunter2'\n)`,
    `COPY INTO t FROM 's3://b' /* token='hunter2' */`,
    `COPY INTO t FROM 's3://b' /* token='hunter2'`,
    `COPY INTO t FROM 's3://b' CONNECTION = (secretkey => 'hunter2')`,
    `{"secret_key": "hunter2", "region": "r"}`,
    `COPY INTO t FROM 's3://user:hunter2@b/x'`,
    `COPY INTO t FROM s3://user:hunter2@b/x`,
    `COPY INTO t FROM 'azblob://c/x?sv=1&sig=hunter2&se=2'`,
    `COPY INTO t FROM 'x' CONNECTION = (account = 'AccountName=a;AccountKey=hunter2==;EndpointSuffix=x')`,
    `COPY INTO t FROM 'gcs://b' CONNECTION = (client_email = '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----')`,
    `COPY INTO t FROM 'gcs://b' CONNECTION = (client_email = -----BEGIN PRIVATE KEY-----\nhunter2\n`,
    `CREATE USER u WITH password='hunter2'`,
    `CREATE USER u PASSWORD 'hunter2'`,
    `ALTER USER u SET PASSWORD TO 'hunter2'`,
    `CREATE USER u IDENTIFIED BY 'hunter2'`,
    `CREATE USER u WITH rsa_public_key='hunter2'`,
    `EXPLAIN COPY INTO t FROM 's3://b' CONNECTION = (TOKEN='hunter2'); SELECT 'x`,
  ])('hides the secret of %s', (sql) => {
    const redacted = redactStatement(sql)
    expect(redacted).not.toContain(SECRET)
    expect(redacted).toContain('******')
    expect(redactStatement(redacted)).not.toContain(SECRET)
  })

  it('hides a secret of any characters, wherever the statement is cut off', () => {
    const odd = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    const around = fc.string({
      unit: fc.constantFrom("''", ' ', ',', ')', ';', '=', '-', '--', '/*', '\n', '"', 'x'),
      maxLength: 6,
    })
    fc.assert(
      fc.property(odd, around, around, fc.nat({ max: 40 }), (comment, before, after, cut) => {
        const head = 'ALTER USER u /* c */ SET secret_key = '
        const sql = `${head}'${before}${SECRET}${after}', comment = '${comment.replaceAll("'", "''")}'`
        const redacted = redactStatement(sql.slice(0, Math.max(head.length + 1, sql.length - cut)))
        expect(redacted).not.toContain(SECRET)
        expect(redacted.startsWith(`${head}'******'`)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['keys', 'key'.repeat(700_000)],
    ['equal signs', 'key='.repeat(500_000)],
    ['addresses', "'://a:".repeat(300_000)],
    ['PEM heads', '-----BEGIN '.repeat(150_000)],
    ['comments', '/* key = */ -- token = x\n'.repeat(70_000)],
    ['quotes', `secret_key = ${"'".repeat(2_000_000)}`],
  ])('is done with 2 MB of %s in a few seconds', (_, sql) => {
    const start = performance.now()
    redactStatement(sql)
    expect(performance.now() - start).toBeLessThan(5_000)
  })
})

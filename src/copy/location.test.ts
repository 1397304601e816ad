import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../async/clock.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { OptionLiteral } from '../options/option-spec.ts'
import { type CopyAccess, type CopyLocationClauses, openLocation } from './location.ts'

let root: string
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'cnosdb-location-')))
  mkdirSync(join(root, 'open', 'inner'), { recursive: true })
  mkdirSync(join(root, 'closed'))
  symlinkSync(join(root, 'closed'), join(root, 'open', 'leak'))
  symlinkSync(join(root, 'open'), join(root, 'alias'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const warnings: string[] = []
const access = (changes: Partial<CopyAccess> = {}): CopyAccess => ({
  isAdministrator: true,
  copyRoots: [],
  storeContext: {
    clock: systemClock,
    env: {},
    ambientCredentials: false,
    checkEndpoint: () => {},
    warn: (message) => warnings.push(message),
  },
  cwd: root,
  ...changes,
})
const literals = (entries: Readonly<Record<string, OptionLiteral>>) => new Map(Object.entries(entries))
const clauses = (path: string, changes: Partial<CopyLocationClauses> = {}): CopyLocationClauses => ({
  path,
  connection: undefined,
  fileFormat: undefined,
  copyOptions: undefined,
  ...changes,
})
const S3 = literals({ region: 'us-east-1', access_key_id: 'k', secret_key: 's' })

const failure = (work: () => unknown): CnosError => {
  try {
    work()
  } catch (error) {
    if (error instanceof CnosError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('paths', () => {
  it.each([
    ['file:///tmp/air', 'tmp/air', false],
    ['file:///tmp/air/', 'tmp/air', true],
    ['FILE:///tmp/air', 'tmp/air', false],
    ['file://localhost/tmp/air', 'tmp/air', false],
    ['file:/tmp/air', 'tmp/air', false],
    ['/tmp/air', 'tmp/air', false],
    ['/tmp/air/', 'tmp/air', true],
    ['file:///tmp//air///x', 'tmp/air/x', false],
    ['file:///tmp/a%20b/%E6%BC%A2', 'tmp/a b/漢', false],
    ['file:///tmp/a b', 'tmp/a b', false],
    ['/tmp/a%20b', 'tmp/a%20b', false],
    ['file:///tmp/100%', 'tmp/100%', false],
    ['file:///tmp/a*b[1]', 'tmp/a*b[1]', false],
    ['file:///tmp/x/../air', 'tmp/air', false],
    ['file:///', '', true],
  ])('%s', (path, expected, isDirectory) => {
    expect(openLocation(clauses(path), 'load', access())).toMatchObject({
      path: expected,
      isDirectory,
      glob: undefined,
    })
    expect(openLocation(clauses(path), 'unload', access())).toMatchObject({ path: expected })
  })

  it('starts relative paths at the working directory', () => {
    expect(openLocation(clauses('inner/x'), 'load', access({ cwd: '/srv' })).path).toBe('srv/inner/x')
    expect(openLocation(clauses('./../x/'), 'load', access({ cwd: '/srv/a' }))).toMatchObject({
      path: 'srv/x',
      isDirectory: true,
    })
  })

  it('takes patterns in bare paths of a load only', () => {
    const location = openLocation(clauses('/data/2024-*/part-?.csv'), 'load', access())
    expect(location).toMatchObject({ path: 'data', isDirectory: true })
    expect(location.glob?.test('2024-01/part-1.csv')).toBe(true)
    expect(location.glob?.test('2024-01/deep/part-1.csv')).toBe(true)
    expect(location.glob?.test('2024-01/part-10.csv')).toBe(false)
    expect(openLocation(clauses('/data/*'), 'unload', access())).toMatchObject({ path: 'data/*', glob: undefined })
  })

  it.each([
    ['s3://b/air/', 'air', true],
    ['s3://b/air', 'air', false],
    ['s3://b', '', true],
    ['S3://b:9000/a%20b//c', 'a b/c', false],
  ])('%s', (path, expected, isDirectory) => {
    expect(openLocation(clauses(path, { connection: S3 }), 'load', access())).toMatchObject({
      path: expected,
      isDirectory,
    })
  })

  it.each([
    ['s3:///x', 'BAD_OPTION', 'Semantic error: Lost bucket in url'],
    ['hdfs://b/x', 'BAD_OPTION', 'Semantic error: Unsupported url schema [hdfs]'],
    ['https://b/x', 'BAD_OPTION', 'Semantic error: Unsupported url schema [https]'],
    ['file://host/x', 'PLANNING', 'Datafusion: Internal error: No suitable object store found for file://host/x'],
    ['', 'BAD_OPTION', 'Semantic error: the path is empty or holds NUL'],
    ['file:///a%00b', 'BAD_OPTION', 'NUL'],
    ['file:///tmp/a?b', 'BAD_OPTION', 'ends where ? stands'],
    ['s3://b/a#b', 'BAD_OPTION', 'ends where # stands'],
    ['s3://key:secret@b/a', 'BAD_OPTION', 'no user or password'],
    ['s3://b/a/../b', 'BAD_OPTION', 'no . or .. segment'],
    ['file:///%ff', 'BAD_OPTION', 'no UTF-8'],
  ])('refuses %s', (path, name, message) => {
    const error = failure(() => openLocation(clauses(path, { connection: S3 }), 'load', access()))
    expect(error.errorName).toBe(name)
    expect(error.message).toContain(message)
    expect(error.fullMessage).not.toContain('secret@')
  })
})

describe('options', () => {
  const open = (fileFormat: Readonly<Record<string, OptionLiteral>>) =>
    openLocation(clauses('/x', { fileFormat: literals(fileFormat) }), 'load', access())

  it('is CSV with a header and commas when nothing is said', () => {
    const location = openLocation(clauses('/x'), 'load', access())
    expect(location.format.names[0]).toBe('CSV')
    expect(location.formatOptions).toEqual({ delimiter: ',', with_header: true })
    expect(location.autoInferSchema).toBe(false)
  })

  it.each(['json', 'JSON', 'NDJSON', 'ndjson'])('knows %s', (type) => {
    expect(open({ type }).format.names[0]).toBe('JSON')
  })

  it.each(['PARQUET', 'JSON'])('ignores DELIMITER for %s with a warning', (type) => {
    warnings.length = 0
    expect(open({ type, delimiter: ',', with_header: true }).formatOptions).not.toHaveProperty('delimiter')
    expect(warnings).toEqual([
      `FILE_FORMAT: delimiter means nothing for TYPE = '${type}' and is ignored`,
      `FILE_FORMAT: with_header means nothing for TYPE = '${type}' and is ignored`,
    ])
  })

  it.each<readonly [Readonly<Record<string, OptionLiteral>>, string, string]>([
    [{ type: 'XML' }, 'BAD_OPTION', 'Semantic error: Unknown FileType: XML, only support AVRO | PARQUET | CSV | JSON'],
    [{ type: 'AVRO' }, 'UNSUPPORTED', 'TYPE AVRO is not supported'],
    [{ type: 5n }, 'SQL_SYNTAX', 'sql parser error: expected string value, but found : 5'],
    [{ delimiter: ';;' }, 'SQL_SYNTAX', 'sql parser error: Delimiter must be a single char'],
    [{ delimiter: '' }, 'SQL_SYNTAX', 'sql parser error: Delimiter must be a single char'],
    [{ delimiter: 'é' }, 'SQL_SYNTAX', 'sql parser error: Delimiter must be a single char'],
    [{ delimiter: '"' }, 'BAD_OPTION', 'cannot be a quote'],
    [{ with_header: 'true' }, 'SQL_SYNTAX', "sql parser error: expected boolean value, but found : 'true'"],
    [
      { file_compression_type: 'LZMA' },
      'BAD_OPTION',
      'Semantic error: Unknown FileCompressionType: LZMA, only support GZIP | BZIP2 | ZSTD',
    ],
    [{ file_compression_type: 'BZIP2' }, 'UNSUPPORTED', 'BZIP2 files cannot be read or written'],
    [{ delimeter: ',' }, 'BAD_OPTION', 'Semantic error: Unsupported option [delimeter]'],
    [{ compression: 'zstd' }, 'BAD_OPTION', 'Semantic error: Unsupported option [compression]'],
    [{ type: 'parquet', compression: 'rar' }, 'BAD_OPTION', 'Unknown compression [rar]'],
  ])('refuses %o', (fileFormat, name, message) => {
    const error = failure(() => open(fileFormat))
    expect(error.errorName).toBe(name)
    expect(error.message).toContain(message)
  })

  it('knows one COPY_OPTION', () => {
    const copyOptions = literals({ auto_infer_schema: true })
    expect(openLocation(clauses('/x', { copyOptions }), 'load', access()).autoInferSchema).toBe(true)
    const unknown = clauses('/x', { copyOptions: literals({ on_error: 'abort' }) })
    expect(failure(() => openLocation(unknown, 'load', access())).message).toBe(
      'Semantic error: Unsupported option [on_error]',
    )
  })

  it('ignores CONNECTION of local paths, and no other', () => {
    const connection = literals({ nonsense: 1n })
    expect(openLocation(clauses('/x', { connection }), 'load', access()).path).toBe('x')
    expect(failure(() => openLocation(clauses('s3://b/x', { connection }), 'load', access())).message).toContain(
      'Unsupported option [nonsense]',
    )
  })
})

describe('what users may reach', () => {
  const user = (copyRoots: readonly string[]) => access({ isAdministrator: false, copyRoots })
  const reach = (path: string, copyRoots: readonly string[]) => openLocation(clauses(path), 'unload', user(copyRoots))

  it('lets administrators go anywhere', () => {
    expect(openLocation(clauses(`file://${root}/closed`), 'unload', access()).path).toBe(join(root, 'closed').slice(1))
  })

  it.each(['open', 'open/inner', 'open/new/deep', 'open/inner/../inner'])('lets users go to %s', (path) => {
    expect(reach(`file://${join(root, 'x')}/../${path}`, [join(root, 'open')]).store.files).toBeDefined()
    expect(reach(`file://${root}/${path}`, [join(root, 'alias')]).store.files).toBeDefined()
  })

  it.each(['closed', 'open/../closed', 'open/leak', 'open/leak/x', 'open/%2e%2e/closed', 'opening', ''])(
    'keeps users from %s',
    (path) => {
      const error = failure(() => reach(`file://${root}/${path}`, [join(root, 'open')]))
      expect(error.errorName).toBe('PATH_NOT_ALLOWED')
      expect(error.hint).toContain(join(root, 'open'))
    },
  )

  it('keeps users from every path when there is no root', () => {
    const error = failure(() => reach('/tmp', []))
    expect(error.errorName).toBe('PATH_NOT_ALLOWED')
    expect(error.hint).toContain('--copy-root')
  })
})

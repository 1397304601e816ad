import { describe, expect, it } from 'vitest'
import { CnosError } from '../errors/cnos-error.ts'
import { fromDuckDbError, parseFault } from './duckdb-errors.ts'

describe('parseFault', () => {
  it.each([
    [
      '{"exception_type":"Binder","exception_message":"no \\"x\\"","position":"13"}',
      { type: 'Binder', message: 'no "x"', position: 13 },
    ],
    [
      'Parser Error: {"exception_type":"Parser","exception_message":"syntax error","position":"0"}',
      { type: 'Parser', message: 'syntax error', position: 0 },
    ],
    ['IO Error: Cannot open file "x"', { type: 'IO', message: 'Cannot open file "x"' }],
    ['Out of Range Error: too big', { type: 'Out of Range', message: 'too big' }],
    ['{"exception_type": broken', { type: '', message: '{"exception_type": broken' }],
    ['something else', { type: '', message: 'something else' }],
  ])('%s', (text, fault) => {
    expect(parseFault(text)).toEqual(fault)
  })
})

describe('fromDuckDbError', () => {
  it('lets a CnosError through', () => {
    const error = new CnosError('BAD_FILE', 'mine')
    expect(fromDuckDbError(error)).toBe(error)
  })

  it.each([
    [
      'Out of Memory Error: failed to allocate data of size 1 MiB (9 MiB/9 MiB used)\n\nPossible solutions:\n* x',
      'OUT_OF_MEMORY',
      "The statement needs more memory than the server's budget (9 MiB/9 MiB in use)",
    ],
    [
      'IO Error: Could not write file "x": No space left on device',
      'NO_SPACE',
      'Could not write file "x": No space left on device',
    ],
    ['Missing Extension Error: needs httpfs\n\nPlease try installing it', 'UNSUPPORTED', 'needs httpfs'],
    ['TransactionContext Error: Conflict on update!', 'META_CONFLICT', 'Conflict on update!'],
    ['FATAL Error: database has been invalidated', 'INTERNAL', 'database has been invalidated'],
    [
      'FATAL Error: Failed: database has been invalidated because of a previous fatal error. The database must be restarted prior to being used again.\nOriginal error: "Could not write file "x": File too large"',
      'INTERNAL',
      'The database must be opened again: Could not write file "x": File too large',
    ],
    ['Brandnew Error: whatever', 'PLANNING', 'whatever'],
  ])('%s is %s', (text, errorName, message) => {
    expect(fromDuckDbError(new Error(text))).toMatchObject({ errorName, message })
  })

  it.each([
    'Catalog Error: Table with name t42 does not exist!\nDid you mean "t4"?',
    'Binder Error: Table "t39" does not have a column with name "f0"',
    'Binder Error: table "result" has 5 columns available but 6 columns specified',
    'TransactionContext Error: Failed to commit: Transaction conflict: attempting to insert into table "t9" but',
  ])('%s says that another statement came first, without the name the table has inside', (text) => {
    const message = 'A table was altered or dropped meanwhile. Please try again'
    expect(fromDuckDbError(new Error(text))).toMatchObject({ errorName: 'META_CONFLICT', message })
  })
})

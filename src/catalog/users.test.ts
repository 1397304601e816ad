import { expect, it } from 'vitest'
import { type Build, startCatalog } from '../../test/catalog/catalog-fixture.ts'
import { keyOf } from './state.ts'
import { alterUser, createUser, dropUser, type WrittenUserOptions } from './users.ts'

const create =
  (name: string, written: WrittenUserOptions = {}, ifNotExists = false): Build =>
  (state, context) =>
    createUser(state, name, { ifNotExists, written }, context)
const alter =
  (name: string, written: WrittenUserOptions): Build =>
  (state) =>
    alterUser(state, name, written)

it('keeps a hash as given, the key and the comment', () => {
  const catalog = startCatalog()
  const written = { hashPassword: 'anything', rsaPublicKey: '-----BEGIN', comment: "it's", mustChangePassword: true }
  catalog.run(create('anna', written))
  expect(catalog.state.users.get(keyOf('anna'))).toMatchObject({ ...written, grantedAdmin: false })
})

it('clears must_change_password with a new password only', () => {
  const catalog = startCatalog()
  catalog.run(create('anna', { hashPassword: 'a', mustChangePassword: true }), alter('anna', { comment: 'x' }))
  expect(catalog.state.users.get(keyOf('anna'))?.mustChangePassword).toBe(true)
  catalog.run(alter('anna', { hashPassword: 'b' }))
  expect(catalog.state.users.get(keyOf('anna'))).toMatchObject({ mustChangePassword: false, comment: 'x' })
})

it('refuses a second user of a name, and a missing one', () => {
  const catalog = startCatalog()
  catalog.run(create('anna', { comment: 'first' }), create('anna', { comment: 'second' }, true))
  expect(catalog.state.users.get(keyOf('anna'))?.comment).toBe('first')
  expect(catalog.refusal(create('anna'))).toBe('USER_EXISTS')
  expect(catalog.refusal(alter('bob', { comment: 'x' }))).toBe('USER_NOT_FOUND')
  expect(catalog.refusal((state) => dropUser(state, 'bob', { ifExists: false }))).toBe('USER_NOT_FOUND')
  catalog.run((state) => dropUser(state, 'bob', { ifExists: true }))
})

it('leaves root an administrator', () => {
  const catalog = startCatalog()
  expect(catalog.refusal((state) => dropUser(state, 'root', { ifExists: true }))).toBe('DROP_SYSTEM_USER')
  expect(catalog.refusal(alter('root', { grantedAdmin: false }))).toBe('INSUFFICIENT_PRIVILEGES')
})

it('refuses a hash that would take minutes to check', () => {
  const catalog = startCatalog()
  const hashPassword = `$2b$31$${'a'.repeat(53)}`
  expect(catalog.refusal(create('anna', { hashPassword }))).toBe('BAD_OPTION')
  expect(catalog.refusal(alter('root', { hashPassword }))).toBe('BAD_OPTION')
})

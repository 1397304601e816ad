import { expect, it } from 'vitest'
import { parseClusterAddress } from './cluster-address.ts'

it.each([
  ['root:root@127.0.0.1:8902', 'http://127.0.0.1:8902', 'root', 'root'],
  ['https://ann:p:a@ss@db.example:443', 'https://db.example:443', 'ann', 'p:a@ss'],
  ['root:@[::1]:8902', 'http://[::1]:8902', 'root', ''],
  ['localhost', 'http://localhost:8902', 'root', undefined],
  ['bob@localhost:1', 'http://localhost:1', 'bob', undefined],
])('parses %s', (text, origin, user, password) => {
  expect(parseClusterAddress(text, '--src')).toMatchObject({ origin, user, password })
})

it('names the flag and hides the password when the host is wrong', () => {
  expect(() => parseClusterAddress('root:hunter2@a b:1', '--dst')).toThrow(/--dst/)
  expect(() => parseClusterAddress('root:hunter2@host:99999', '--dst')).not.toThrow(/hunter2/)
  expect(() => parseClusterAddress('root:hunter2', '--dst')).toThrow(/--dst: this is not a host and port/)
  expect(() => parseClusterAddress('root:hunter2', '--dst')).not.toThrow(/hunter2/)
})

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { hashSync } from 'bcryptjs'
import { expect, it } from 'vitest'
import { isCnosError } from '../errors/cnos-error.ts'
import { checkHash, createPasswordChecker, hashPassword } from './passwords.ts'

const cheap = (password: string) => hashSync(password, 4)
const slow = (password: string) => hashSync(password, 10)

async function took(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

it('hashes as CnosDB does, and knows its own', async () => {
  const hashed = await hashPassword('sécret')
  expect(hashed).toMatch(/^\$2b\$12\$.{53}$/)
  const { check } = createPasswordChecker()
  expect(await check('sécret', hashed)).toBe(true)
  expect(await check('secret', hashed)).toBe(false)
  expect(await check('', hashed)).toBe(false)
})

it('takes as long for an unknown user as for a wrong password', async () => {
  const hashed = hashSync('right', 12)
  const { check } = createPasswordChecker()
  const wrong = await took(() => check('wrong', hashed))
  const unknown = await took(() => check('wrong', undefined))
  expect(unknown).toBeGreaterThan(wrong / 10)
})

it('remembers right and wrong passwords, and asks anew when the hash changes', async () => {
  const { check } = createPasswordChecker()
  const [first, second] = [slow('one'), slow('two')]
  const once = await took(async () => {
    expect([await check('one', first), await check('two', first)]).toEqual([true, false])
  })
  const again = await took(async () => {
    expect([await check('one', first), await check('two', first)]).toEqual([true, false])
  })
  expect(again).toBeLessThan(once / 2)
  expect([await check('one', second), await check('two', second)]).toEqual([false, true])
})

it('never lets a user without a password in', async () => {
  const { check } = createPasswordChecker()
  for (let attempt = 0; attempt < 2; attempt += 1) expect(await check('', undefined)).toBe(false)
})

it('checks many requests with one password once, and leaves the event loop free', async () => {
  const hashed = hashSync('shared', 12)
  const { check } = createPasswordChecker()
  const single = await took(() => createPasswordChecker().check('shared', hashed))
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const all = await took(async () => {
    expect(await Promise.all(Array.from({ length: 40 }, () => check('shared', hashed)))).not.toContain(false)
  })
  delay.disable()
  expect(all).toBeLessThan(single * 10)
  expect(delay.percentile(50) / 1e6).toBeLessThan(90)
})

it('turns away a flood of guesses', async () => {
  const { check } = createPasswordChecker()
  const hashed = cheap('right')
  const guesses = await Promise.allSettled(Array.from({ length: 200 }, (_, i) => check(`guess ${i}`, hashed)))
  const refused = guesses.filter((guess) => guess.status === 'rejected')
  expect(refused).toHaveLength(200 - 64)
  expect(refused.every(({ reason }) => isCnosError(reason, 'TOO_MANY_QUERIES'))).toBe(true)
  expect(await check('right', hashed)).toBe(true)
})

it.each(['', 'plain', '$2b$12$short', '*'])('takes %j for nobody’s hash', async (hashed) => {
  expect(await createPasswordChecker().check('', hashed)).toBe(false)
})

it('refuses a password that bcrypt would cut', async () => {
  await expect(hashPassword('x'.repeat(73))).rejects.toSatisfy((error) => isCnosError(error, 'BAD_OPTION'))
  await expect(hashPassword('é'.repeat(37))).rejects.toThrow(/74 bytes/)
})

it('refuses a hash that would keep the server busy', () => {
  checkHash(cheap('x'))
  checkHash('anything')
  expect(() => checkHash(cheap('x').replace('$04$', '$31$'))).toThrow(/cost 31/)
})

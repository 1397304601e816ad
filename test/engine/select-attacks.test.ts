import { afterAll, beforeAll, expect, it } from 'vitest'
import { planExpression, planSelect } from '../../src/engine/select.ts'
import { type CnosError, isCnosError } from '../../src/errors/cnos-error.ts'
import { ATTACKS } from './select-attacks.ts'
import { openSelectFixture, type SelectFixture } from './select-fixture.ts'

let fixture: SelectFixture
beforeAll(async () => {
  fixture = await openSelectFixture()
})
afterAll(() => fixture.close())

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'was accepted',
    (error: unknown) => error,
  )

it.each(ATTACKS.map((attack) => [attack.text.slice(0, 100), attack] as const))('refuses %s', async (_, attack) => {
  const text = attack.text.replaceAll('@', fixture.directory)
  const error = await failure(planSelect(fixture.engine, { text, offset: 0 }, fixture.resolver))
  expect(isCnosError(error), String(error)).toBe(true)
  expect(attack.refused, (error as CnosError).message).toContain((error as CnosError).errorName)
})

it.each(ATTACKS.map((attack) => [attack.text.slice(0, 100), attack] as const))(
  'refuses as a condition: %s',
  async (_, attack) => {
    const text = attack.text.replaceAll('@', fixture.directory).replace(/^SELECT /, '')
    for (const condition of [`(${text})`, text]) {
      const columns = [{ name: 'station', type: 'VARCHAR' }]
      const error = await failure(planExpression(fixture.engine, { text: condition, offset: 0 }, columns))
      expect(isCnosError(error), String(error)).toBe(true)
      expect((error as CnosError).errorName, (error as CnosError).message).not.toBe('INTERNAL')
    }
  },
)

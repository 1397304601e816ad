import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { hasRoomForLog, lengthOf } from './log-room.ts'

it('wants twice the log to be free', async () => {
  expect(await hasRoomForLog(tmpdir(), 1)).toBe(true)
  expect(await hasRoomForLog(tmpdir(), 2 ** 60)).toBe(false)
})

it('takes a file that is not there for an empty one', async () => {
  const here = fileURLToPath(import.meta.url)
  expect(await lengthOf(here)).toBeGreaterThan(0)
  expect(await lengthOf(`${here}.nope`)).toBe(0)
})

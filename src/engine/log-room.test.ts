import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { hasRoomForLog } from './log-room.ts'

it('wants twice the log to be free', async () => {
  expect(await hasRoomForLog(tmpdir(), 1)).toBe(true)
  expect(await hasRoomForLog(tmpdir(), 2 ** 60)).toBe(false)
})

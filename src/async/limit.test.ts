import { expect, it } from 'vitest'
import { mapLimited } from './limit.ts'

it('mapLimited runs so many at once and keeps the order of the items', async () => {
  let running = 0
  let most = 0
  const results = await mapLimited([5, 1, 4, 2, 3], 2, async (item) => {
    running += 1
    most = Math.max(most, running)
    for (let turn = 0; turn < item; turn += 1) await Promise.resolve()
    running -= 1
    return `item ${item}`
  })
  expect(results).toEqual(['item 5', 'item 1', 'item 4', 'item 2', 'item 3'])
  expect(most).toBe(2)
})

it('mapLimited starts nothing after a failure, and throws it once what runs has ended', async () => {
  const started: number[] = []
  const ended: number[] = []
  let tellSecond = () => {}
  const second = new Promise<void>((resolve) => {
    tellSecond = resolve
  })
  const failing = mapLimited([1, 2, 3, 4], 2, async (item, { signal }) => {
    started.push(item)
    if (item === 1) {
      await second
      throw new Error('one failed')
    }
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    tellSecond()
    await aborted
    ended.push(item)
  })
  await expect(failing).rejects.toThrow('one failed')
  expect([started, ended]).toEqual([[1, 2], [2]])
})

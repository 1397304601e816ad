import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeDirectories } from './make-directories.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'make-directories-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

it('makes what is missing and tells where it began', async () => {
  expect(await makeDirectories(join(root, 'a', 'b', 'c'))).toBe(join(root, 'a'))
  expect((await stat(join(root, 'a', 'b', 'c'))).isDirectory()).toBe(true)
  expect(await makeDirectories(join(root, 'a', 'b', 'c'))).toBeUndefined()
  expect(await makeDirectories(join(root, 'a', 'b', 'd'))).toBe(join(root, 'a', 'b', 'd'))
})

it('may be called at the same time', async () => {
  const calls = Array.from({ length: 8 }, () => makeDirectories(join(root, 'x', 'y', 'z')))
  await Promise.all(calls)
  expect((await stat(join(root, 'x', 'y', 'z'))).isDirectory()).toBe(true)
})

it('refuses a file in the way', async () => {
  await writeFile(join(root, 'file'), 'x')
  await expect(makeDirectories(join(root, 'file', 'a'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  await expect(makeDirectories(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
})

it('ends where a file system has no room for directories', async () => {
  if (process.platform !== 'linux') return
  await expect(makeDirectories('/proc/nothing/here')).rejects.toMatchObject({ code: 'ENOENT' })
})

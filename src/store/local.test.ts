import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../async/clock.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import { localStoreError } from './local-error.ts'
import type { ObjectStore } from './object-store.ts'
import { openStore } from './registry.ts'

const text = (value: string) => new TextEncoder().encode(value)

describe('local store', () => {
  let directory: string
  let store: ObjectStore
  const inside = (name: string) => `${directory.slice(1)}/${name}`
  const open = (localRoots?: readonly string[]) =>
    openStore({ scheme: 'file', bucket: '', path: '/' }, new Map([['anything', 'goes']]), {
      clock: systemClock,
      env: {},
      ambientCredentials: false,
      checkEndpoint: () => {},
      warn: () => {},
      localRoots,
    })
  const names = async (prefix: string, from = store) => {
    const found: string[] = []
    for await (const { path } of from.list(inside(prefix))) found.push(path.slice(inside('').length))
    return found
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'local-store-'))
    store = open()
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  it('lists recursively, hidden files too, symbolic links followed, in byte order', async () => {
    await mkdir(join(directory, 'b/c'), { recursive: true })
    for (const name of ['a', '.hidden', 'b/.x', 'b/c/1', 'b.csv', 'B']) await writeFile(join(directory, name), name)
    await symlink('a', join(directory, 'link'))
    await symlink(join(directory, 'b'), join(directory, 'dirlink'))
    await symlink('nowhere', join(directory, 'broken'))
    expect(await names('')).toEqual([
      '.hidden',
      'B',
      'a',
      'b.csv',
      'b/.x',
      'b/c/1',
      'dirlink/.x',
      'dirlink/c/1',
      'link',
    ])
  })

  it('leaves unfinished uploads out, but not every name with a #', async () => {
    for (const name of ['air.csv#1', '.unfinished#123', 'a#b.csv', 'a#2.csv', '#'])
      await writeFile(join(directory, name), 'x')
    expect(await names('')).toEqual(['#', 'a#2.csv', 'a#b.csv'])
  })

  it('survives a link that points back', async () => {
    await mkdir(join(directory, 'a/b'), { recursive: true })
    await writeFile(join(directory, 'a/file'), 'x')
    await symlink(join(directory, 'a'), join(directory, 'a/b/again'))
    expect(await names('a/')).toEqual(['a/file'])
  })

  it('holds to its roots, through links too', async () => {
    await mkdir(join(directory, 'root/sub'), { recursive: true })
    await writeFile(join(directory, 'secret'), 'secret')
    await symlink(join(directory, 'secret'), join(directory, 'root/link'))
    await symlink(directory, join(directory, 'root/sub/up'))
    const rooted = open([join(directory, 'root')])
    const denied = expect.objectContaining({ errorName: 'PATH_NOT_ALLOWED' })
    await rooted.put(inside('root/new/file'), text('fine'))
    await expect(rooted.head(inside('secret'))).rejects.toEqual(denied)
    await expect(rooted.head(inside('root/../secret'))).rejects.toEqual(denied)
    await expect(rooted.get(inside('root/link'))).rejects.toEqual(denied)
    await expect(rooted.put(inside('root/sub/up/file'), text('x'))).rejects.toEqual(denied)
    await expect(rooted.delete(inside('root/sub/up/secret'))).rejects.toEqual(denied)
    await expect(rooted.files?.filePath(inside('root/link'))).rejects.toEqual(denied)
    await expect(names('root/', rooted)).rejects.toEqual(denied)
    await expect(open([]).head(inside('secret'))).rejects.toEqual(denied)
    expect(await readdir(directory)).toEqual(['root', 'secret'])
  })

  it('lets nobody read the state of the machine, not through links either', async () => {
    if (process.platform !== 'linux') return
    await symlink('/proc/self', join(directory, 'me'))
    const denied = expect.objectContaining({ errorName: 'PATH_NOT_ALLOWED' })
    for (const path of ['proc/self/environ', 'sys/kernel/notes', inside('me/environ')]) {
      await expect(open().get(path)).rejects.toEqual(denied)
      await expect(open().files?.filePath(path)).rejects.toEqual(denied)
    }
  })

  it('resolves dots before it follows links', async () => {
    await mkdir(join(directory, 'root'))
    await mkdir(join(directory, 'elsewhere'))
    await writeFile(join(directory, 'root/x'), 'inside')
    await writeFile(join(directory, 'x'), 'outside')
    await symlink(join(directory, 'elsewhere'), join(directory, 'root/link'))
    const { body } = await open([join(directory, 'root')]).get(inside('root/link/../x'))
    for await (const chunk of body) expect(Buffer.from(chunk).toString()).toBe('inside')
    expect(await names('root/./link/../')).toEqual(['root/x'])
  })

  it('makes directories for a file and takes them away with it, but no others', async () => {
    await mkdir(join(directory, 'there'))
    await store.put(inside('there/x/y/file'), text('1'))
    await store.put(inside('there/x/other'), text('2'))
    await store.delete(inside('there/x/y/file'))
    expect(await names('')).toEqual(['there/x/other'])
    expect(await readdir(join(directory, 'there/x'))).toEqual(['other'])
    await store.delete(inside('there/x/other'))
    expect(await readdir(directory)).toEqual(['there'])
  })

  it('writes nothing under the final name before it is complete', async () => {
    const upload = await store.putMultipart(inside('big'))
    await upload.putPart(1, text('hello'))
    expect(await names('')).toEqual([])
    expect((await readdir(directory)).every((name) => /#\d+$/.test(name))).toBe(true)
    await upload.complete()
    expect(await readdir(directory)).toEqual(['big'])
  })

  it('notices a part that is missing in the middle', async () => {
    const upload = await store.putMultipart(inside('gap'))
    await upload.putPart(2, text('second'))
    await expect(upload.complete()).rejects.toMatchObject({ errorName: 'STORE_PRECONDITION' })
    await upload.abort()
    expect(await readdir(directory)).toEqual([])
  })

  it('adopts a finished file', async () => {
    await writeFile(join(directory, 'spool'), 'content')
    const result = await store.files?.adopt(inside('deep/down/final'), join(directory, 'spool'))
    expect(await readFile(join(directory, 'deep/down/final'), 'utf8')).toBe('content')
    await expect(stat(join(directory, 'spool'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(result?.etag).toBe((await store.head(inside('deep/down/final'))).etag)
  })

  it('adopts across file systems', async () => {
    const other = await mkdtemp('/dev/shm/local-store-').catch(() => mkdtemp(join(tmpdir(), 'other-')))
    try {
      await writeFile(join(other, 'spool'), 'content')
      await store.files?.adopt(inside('final'), join(other, 'spool'))
      expect(await readFile(join(directory, 'final'), 'utf8')).toBe('content')
      expect(await readdir(other)).toEqual([])
      expect(await readdir(directory)).toEqual(['final'])
    } finally {
      await rm(other, { recursive: true, force: true })
    }
  })

  it('says what is wrong with a path, and names it', async () => {
    await writeFile(join(directory, 'file'), 'x')
    await mkdir(join(directory, 'dir'))
    const failing = [
      [() => store.put(inside('file/below'), text('x')), /file.*directory/],
      [() => store.get(inside('file/below')), /directory is a file/],
      [() => store.get(inside('dir')), /is directory/],
      [() => store.put(inside('dir'), text('x')), /dir/],
      [() => store.put(inside('n'.repeat(300)), text('x')), /too long/],
      [() => store.get(inside('nul\0')), /NUL/],
      [() => store.head('dev/zero'), /no regular file/],
    ] as const
    for (const [attempt, message] of failing) {
      const error: unknown = await attempt().then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (!isCnosError(error)) expect.fail(String(error))
      expect(error.message).toMatch(message)
    }
    expect((await readdir(directory)).sort()).toEqual(['dir', 'file'])
  })

  it('tells a full disk from everything else', async () => {
    const error: unknown = await writeFile('/dev/full', 'x').catch((reason: unknown) => reason)
    const translated = localStoreError(error, '/data/x.csv')
    expect(isCnosError(translated, 'NO_SPACE')).toBe(true)
    expect(translated).toMatchObject({
      message: expect.stringContaining('/data/x.csv'),
      hint: expect.stringContaining('free'),
    })
  })

  it('notices a file that is replaced between opening and reading', async () => {
    await writeFile(join(directory, 'moving'), 'first')
    const { body } = await store.get(inside('moving'))
    await writeFile(join(directory, 'moving'), 'second, longer')
    const reading = (async () => {
      for await (const chunk of body) expect(chunk).toBeDefined()
    })()
    await expect(reading).rejects.toMatchObject({ errorName: 'STORE_PRECONDITION' })
  })
})

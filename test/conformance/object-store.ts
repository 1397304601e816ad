import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CnosError, isCnosError } from '../../src/errors/cnos-error.ts'
import type { ErrorName } from '../../src/errors/codes.ts'
import { readResuming } from '../../src/store/layers/resume.ts'
import type { ObjectMeta, ObjectStore } from '../../src/store/object-store.ts'

/** What a store's tests are given: an empty place of their own, and the way to leave it. */
export interface OpenedStore {
  readonly store: ObjectStore
  /** Every path of the suite starts with it; ends in `/`. */
  readonly prefix: string
  /** A store of the same kind over a bucket (or directory) that does not exist. */
  readonly missing: ObjectStore
  /** Paths of multi-part uploads that are neither completed nor aborted, where the store can tell. */
  unfinishedUploads?(): Promise<readonly string[]>
  close(): Promise<void>
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function listAll(store: ObjectStore, prefix: string): Promise<ObjectMeta[]> {
  const found: ObjectMeta[] = []
  for await (const meta of store.list(prefix)) found.push(meta)
  return found
}

async function rejection(promise: Promise<unknown>, name: ErrorName): Promise<CnosError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isCnosError(error, name)) expect.fail(`expected ${name}, got ${String(error)}`)
  return error
}

const ODD_NAMES = [
  'a b.csv',
  'plus+sign.csv',
  '100%.csv',
  '%41.csv',
  'a%20b.csv',
  'hash#tag.csv',
  'question?mark.csv',
  `single'quote.csv`,
  'double"quote.csv',
  'per&cent=amp;.csv',
  'semi;comma,colon:.csv',
  '<xml>&amp;.csv',
  '測試 データ 시험.csv',
  'naïve-Ünïcödé.csv',
  'emoji-🦆.csv',
  '(paren)[bracket]{brace}!*~^.csv',
  'dots..and.ext..csv',
  'partition=2024-01-01/hour=00/part 0.csv',
] as const

/** 900 bytes: five segments, because a file system allows 255 bytes in one. */
const LONG_NAME = `${Array.from({ length: 4 }, (_, i) => String(i).repeat(199)).join('/')}/${'z'.repeat(100)}`

/** The promises of ObjectStore, sentence by sentence. Every store must pass all of them. */
export function describeObjectStore(name: string, open: () => Promise<OpenedStore>): void {
  describe(`object store: ${name}`, () => {
    let opened: OpenedStore
    let store: ObjectStore
    let at: (path: string) => string

    beforeAll(async () => {
      opened = await open()
      store = opened.store
      at = (path) => opened.prefix + path
    })
    afterAll(async () => {
      for (const meta of await listAll(store, opened.prefix)) await store.delete(meta.path)
      await opened.close()
    })

    const roundTrip = async (path: string, bytes: Uint8Array) => {
      await store.put(path, bytes)
      const { meta, body } = await store.get(path)
      const read = await collect(body)
      expect(sha(read)).toBe(sha(bytes))
      expect(meta).toMatchObject({ path, sizeBytes: bytes.byteLength })
    }

    describe('put, head, get', () => {
      it('gives back what was put', () => roundTrip(at('basic.txt'), bytesOf('hello\nworld\n')))

      it('keeps an empty object', () => roundTrip(at('empty'), new Uint8Array(0)))

      it('keeps bytes that are no text', () => roundTrip(at('binary'), randomBytes(300_000)))

      it('replaces what was there', async () => {
        await store.put(at('replaced'), bytesOf('first, and longer'))
        await roundTrip(at('replaced'), bytesOf('second'))
      })

      it('puts a view of a larger buffer', async () => {
        const whole = bytesOf('----inside----')
        await roundTrip(at('view'), whole.subarray(4, 10))
      })

      it('describes an object: path, size, time, etag', async () => {
        const put = await store.put(at('meta'), bytesOf('12345'))
        const meta = await store.head(at('meta'))
        expect(meta).toMatchObject({ path: at('meta'), sizeBytes: 5 })
        expect(Math.abs(meta.lastModified.getTime() - Date.now())).toBeLessThan(120_000)
        expect(meta.etag).toBeTruthy()
        expect(put.etag).toBe(meta.etag)
        const { meta: fromGet, body } = await store.get(at('meta'))
        await collect(body)
        expect(fromGet).toMatchObject({ sizeBytes: 5, etag: meta.etag })
      })

      it('changes the etag with the content', async () => {
        const first = await store.put(at('etag'), bytesOf('one'))
        const second = await store.put(at('etag'), bytesOf('three'))
        expect(second.etag).not.toBe(first.etag)
      })

      it.each([
        [0, 1],
        [0, 10],
        [3, 7],
        [9, 10],
        [5, 100],
      ])('reads the range [%i, %i)', async (start, end) => {
        const text = '0123456789'
        await store.put(at('range'), bytesOf(text))
        const { meta, body } = await store.get(at('range'), { range: { start, end } })
        expect((await collect(body)).toString()).toBe(text.slice(start, end))
        expect(meta.sizeBytes).toBe(10)
      })

      it('reads under a matching etag and refuses under another', async () => {
        const { etag } = await store.put(at('match'), bytesOf('old'))
        const { body } = await store.get(at('match'), { ifMatch: etag })
        expect((await collect(body)).toString()).toBe('old')
        await store.put(at('match'), bytesOf('newer'))
        const error = await rejection(store.get(at('match'), { ifMatch: etag }), 'STORE_PRECONDITION')
        expect(error.fullMessage).toContain('match')
      })

      it('frees the connection when the reader leaves early', async () => {
        await store.put(at('large'), randomBytes(4 * 1024 * 1024))
        for (let i = 0; i < 60; i += 1) {
          const { body } = await store.get(at('large'))
          for await (const chunk of body) {
            expect(chunk.byteLength).toBeGreaterThan(0)
            break
          }
        }
        await roundTrip(at('after-leaving'), bytesOf('still works'))
      })

      it('resumes into the middle of an object', async () => {
        const bytes = randomBytes(3_000_000)
        await store.put(at('resume'), bytes)
        const { body } = await readResuming(store, at('resume'), { range: { start: 1000, end: 2_999_999 } })
        expect(sha(await collect(body))).toBe(sha(bytes.subarray(1000, 2_999_999)))
      })
    })

    describe('what is not there', () => {
      it('head and get reject with OBJECT_NOT_FOUND and name the object', async () => {
        for (const attempt of [() => store.head(at('nothing/here')), () => store.get(at('nothing/here'))]) {
          const error = await rejection(attempt(), 'OBJECT_NOT_FOUND')
          expect(error.message).toContain('nothing/here')
          expect(error.context.path).toBeTruthy()
        }
      })

      it('delete succeeds, twice', async () => {
        await store.put(at('deleted'), bytesOf('x'))
        await store.delete(at('deleted'))
        await store.delete(at('deleted'))
        await rejection(store.head(at('deleted')), 'OBJECT_NOT_FOUND')
      })

      it('an unknown prefix lists nothing', async () => {
        expect(await listAll(store, at('no/such/prefix/'))).toEqual([])
      })

      it('a missing bucket is OBJECT_NOT_FOUND, or nothing to list for files', async () => {
        await rejection(opened.missing.head('x'), 'OBJECT_NOT_FOUND')
        if (store.files === undefined) {
          await rejection(listAll(opened.missing, ''), 'OBJECT_NOT_FOUND')
          await rejection(opened.missing.put('x', bytesOf('x')), 'OBJECT_NOT_FOUND')
        }
      })
    })

    describe('list', () => {
      it('gives every object under a prefix by ascending bytes of its path', async () => {
        const names = ['b/2', 'b/10', 'a', 'b.csv', 'b/é', 'b/z', 'b/Z', 'b/c/d/e', 'b/.hidden']
        for (const path of names) await store.put(at(`list/${path}`), bytesOf(path))
        const found = await listAll(store, at('list/'))
        const expected = names
          .map((path) => at(`list/${path}`))
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(found.map((meta) => meta.path)).toEqual(expected)
        expect(found.find((meta) => meta.path === at('list/b/10'))).toMatchObject({ sizeBytes: 4 })
      })

      it('takes the prefix literally, inside a name too', async () => {
        for (const path of ['pre/air-1', 'pre/air/1', 'pre/airport', 'pre/ai']) await store.put(at(path), bytesOf('x'))
        expect((await listAll(store, at('pre/air'))).map((meta) => meta.path)).toEqual(
          ['pre/air-1', 'pre/air/1', 'pre/airport'].map(at),
        )
        expect((await listAll(store, at('pre/air/'))).map((meta) => meta.path)).toEqual([at('pre/air/1')])
      })

      it('gives the same etag as head', async () => {
        await store.put(at('listed-etag/x'), bytesOf('x'))
        const [listed] = await listAll(store, at('listed-etag/'))
        expect(listed?.etag).toBe((await store.head(at('listed-etag/x'))).etag)
      })
    })

    describe('names', () => {
      it.each(ODD_NAMES)('%s', async (odd) => {
        const path = at(`odd/${odd}`)
        await roundTrip(path, bytesOf(odd))
        const upload = await store.putMultipart(path)
        await upload.putPart(1, bytesOf(`${odd} again`))
        await upload.complete()
        expect((await store.head(path)).sizeBytes).toBe(bytesOf(`${odd} again`).byteLength)
      })

      it('lists all of them unchanged, and deletes them', async () => {
        const expected = ODD_NAMES.map((odd) => at(`odd/${odd}`)).sort()
        expect((await listAll(store, at('odd/'))).map((meta) => meta.path).sort()).toEqual(expected)
        for (const path of expected) await store.delete(path)
        expect(await listAll(store, at('odd/'))).toEqual([])
      })

      it('a name of 900 bytes', async () => {
        const path = at(`${LONG_NAME}`).slice(0, 900)
        await roundTrip(path, bytesOf('long'))
        expect((await listAll(store, path)).map((meta) => meta.path)).toEqual([path])
      })
    })

    describe('multi-part upload', () => {
      it('makes one object of several parts, sent in any order the store permits', async () => {
        const upload = await store.putMultipart(at('parts'))
        const size = upload.partSizeBytes
        const bytes = randomBytes(size * 2 + 12_345)
        const part = (n: number) => upload.putPart(n, bytes.subarray((n - 1) * size, n * size))
        await rejection(store.head(at('parts')), 'OBJECT_NOT_FOUND')
        if (upload.maxConcurrentParts > 1) await Promise.all([part(3), part(1), part(2)])
        else for (const n of [1, 2, 3]) await part(n)
        await rejection(store.head(at('parts')), 'OBJECT_NOT_FOUND')
        const { etag } = await upload.complete()
        const { meta, body } = await store.get(at('parts'))
        expect(sha(await collect(body))).toBe(sha(bytes))
        expect(meta).toMatchObject({ sizeBytes: bytes.byteLength, etag })
      })

      it('of exactly one full part', async () => {
        const upload = await store.putMultipart(at('one-part'))
        const bytes = randomBytes(upload.partSizeBytes)
        await upload.putPart(1, bytes)
        await upload.complete()
        expect((await store.head(at('one-part'))).sizeBytes).toBe(bytes.byteLength)
      })

      it('of no part at all is an empty object', async () => {
        const upload = await store.putMultipart(at('no-part'))
        await upload.complete()
        expect((await store.head(at('no-part'))).sizeBytes).toBe(0)
      })

      it('replaces an object only when complete', async () => {
        await store.put(at('swap'), bytesOf('before'))
        const upload = await store.putMultipart(at('swap'))
        await upload.putPart(1, bytesOf('after, longer'))
        expect((await store.head(at('swap'))).sizeBytes).toBe(6)
        await upload.complete()
        expect((await store.head(at('swap'))).sizeBytes).toBe(13)
      })

      it('leaves nothing when aborted, and may be aborted twice', async () => {
        const upload = await store.putMultipart(at('aborted/x'))
        await upload.putPart(1, randomBytes(upload.partSizeBytes))
        await upload.abort()
        await upload.abort()
        await rejection(store.head(at('aborted/x')), 'OBJECT_NOT_FOUND')
        expect(await listAll(store, at('aborted/'))).toEqual([])
        expect((await opened.unfinishedUploads?.()) ?? []).toEqual([])
      })
    })

    describe('cancel', () => {
      const reason = new Error('cancelled by the test')
      const aborted = AbortSignal.abort(reason)

      it('rejects with the reason before any work', async () => {
        await expect(store.head(at('basic.txt'), { signal: aborted })).rejects.toBe(reason)
        await expect(store.get(at('basic.txt'), { signal: aborted })).rejects.toBe(reason)
        await expect(store.put(at('never'), bytesOf('x'), { signal: aborted })).rejects.toBe(reason)
        await expect(store.putMultipart(at('never'), { signal: aborted })).rejects.toBe(reason)
        await expect(store.delete(at('basic.txt'), { signal: aborted })).rejects.toBe(reason)
        const first = store.list(at(''), { signal: aborted })[Symbol.asyncIterator]().next()
        await expect(first).rejects.toBe(reason)
        await rejection(store.head(at('never')), 'OBJECT_NOT_FOUND')
      })

      it('breaks a body with the reason', async () => {
        await store.put(at('cancel'), randomBytes(24 * 1024 * 1024))
        const stop = new AbortController()
        const { body } = await store.get(at('cancel'), { signal: stop.signal })
        const reading = (async () => {
          for await (const chunk of body) {
            expect(chunk.byteLength).toBeGreaterThan(0)
            stop.abort(reason)
            await delay(20)
          }
        })()
        await expect(reading).rejects.toBe(reason)
      })
    })

    it('never shows a secret in its label', () => {
      expect(store.label).toMatch(/^[a-z0-9]+:\/\/[^@?]*$/)
    })
  })
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { LineBatch } from './line-batch.ts'
import { type ParseOptions, parseLines } from './line-parser.ts'
import { parseBody } from './parse-body.ts'
import { ParseThread } from './parse-thread.ts'

const OPTIONS: ParseOptions = { precision: 'NS', timeUnit: 'US', nowNs: 7_000n }
const thread = new ParseThread()
afterAll(() => thread.close())

function parseHere(body: Buffer): LineBatch[] {
  const steps = parseLines(body, OPTIONS)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** What came of it: the rows, or all that an error says. */
async function outcomeOf(work: () => LineBatch[] | Promise<LineBatch[]>): Promise<unknown> {
  try {
    return await work()
  } catch (error) {
    return { ...(error as object), message: String(error) }
  }
}

const shared = (text: string) => {
  const bytes = Buffer.from(text)
  const body = Buffer.from(new SharedArrayBuffer(bytes.length))
  body.set(bytes)
  return body
}

const key = fc.constantFrom('m', 'm,a=1', 'm,a=', 'm,b=ü\\ ö,a=2', 'm,a=2,b=ü\\ ö', 'n,a=1', 'n')
const field = fc.constantFrom(
  'f=1',
  'f=-1.5e3',
  'i=12i',
  'u=18446744073709551615u',
  'ok=t',
  's="häh, \\"x\\"\n 😀"',
  's=""',
)
const time = fc.constantFrom('', ' 1', ' -1', ' 1700000000000000001')
const goodLine = fc
  .tuple(key, fc.uniqueArray(field, { minLength: 1, maxLength: 4 }), time)
  .map(([k, fields, t]) => `${k} ${fields.join(',')}${t}`)
const badLine = fc.constantFrom(
  'm',
  'm f=',
  'm f="open',
  'm i=12u',
  'm a=1',
  'm,f=1 g=1',
  'm f=1 99999999999999999999',
  'm,a f=1',
  ',a=1 f=1',
  'm,a=\\x f=1',
  'm f=1 1 1',
)

describe('a body that is parsed beside the main thread', () => {
  it('yields the same rows or the same error', async () => {
    const bodies = fc.tuple(
      fc.array(goodLine, { maxLength: 20 }),
      fc.option(badLine, { freq: 3 }),
      fc.array(goodLine, { maxLength: 3 }),
    )
    await fc.assert(
      fc.asyncProperty(bodies, fc.boolean(), async ([before, bad, after], isLong) => {
        const padding = isLong ? [`# ${'x'.repeat(200_000)}`] : []
        const text = [...padding, ...before, ...(bad === null ? [] : [bad]), ...after].join('\n')
        const expected = await outcomeOf(() => parseHere(Buffer.from(text)))
        for (const body of [Buffer.from(text), shared(text)]) {
          expect(await outcomeOf(() => parseBody(body, OPTIONS, { thread, isAlone: false }))).toEqual(expected)
          const batches = await thread.parse(body, OPTIONS, {})
          expect(batches).toEqual(Array.isArray(expected) ? expected : undefined)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('says what is wrong with bytes that are not UTF-8', async () => {
    const body = Buffer.concat([Buffer.alloc(200_000, '#'), Buffer.from([0xff])])
    await expect(parseBody(body, OPTIONS, { thread, isAlone: false })).rejects.toMatchObject({
      errorName: 'INVALID_UTF8',
    })
  })

  it('ends when nobody wants it any more, and lets others have their turn', async () => {
    const large = shared('m,a=1 f=1,g=2 1\n'.repeat(1_000_000))
    const stop = new AbortController()
    const stopped = expect(thread.parse(large, OPTIONS, { signal: stop.signal })).rejects.toThrow('enough')
    let isLargeDone = false
    const other = thread.parse(large, OPTIONS, {}).finally(() => {
      isLargeDone = true
    })
    expect(await thread.parse(Buffer.from('m f=1 1'), OPTIONS, {})).toMatchObject([{ rows: 1 }])
    expect(isLargeDone).toBe(false)
    stop.abort(new Error('enough'))
    await stopped
    expect(await other).toMatchObject([{ rows: 1_000_000 }])
    await expect(thread.parse(large, OPTIONS, { signal: stop.signal })).rejects.toThrow('enough')
  })

  it('fails when its thread dies, and the next one gets another', async () => {
    const deadly = { ...OPTIONS, nowNs: undefined as unknown as bigint }
    const others = ['m f=1 1', 'm f=2 2'].map((text) => thread.parse(Buffer.from(text), OPTIONS, {}))
    await expect(thread.parse(Buffer.from('m f=1'), deadly, {})).rejects.toMatchObject({ errorName: 'INTERNAL' })
    await Promise.allSettled(others)
    expect(await thread.parse(Buffer.from('m f=1 1'), OPTIONS, {})).toMatchObject([{ rows: 1 }])
  })

  it('does not keep the process alive', async () => {
    const program = `
      const { ParseThread } = await import('${new URL('./parse-thread.ts', import.meta.url)}')
      const options = { precision: 'NS', timeUnit: 'NS', nowNs: 1n }
      const batches = await new ParseThread().parse(Buffer.from('m f=1 1'), options, {})
      console.log(batches.length)`
    const args = ['--import', 'tsx', '--input-type=module', '-e', program]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 })
    expect(stdout).toBe('1\n')
  })
})

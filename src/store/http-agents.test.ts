import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { describe, expect, it } from 'vitest'
import { guardLookup } from './http-agents.ts'

const resolve = (guarded: LookupFunction, host: string, all: boolean) =>
  new Promise<unknown>((done, fail) => {
    guarded(host, { all }, (error, address) => (error ? fail(error) : done(address)))
  })

describe('name resolution for stores', () => {
  it('finds this machine under any name below localhost', async () => {
    const guarded = guardLookup(lookup as LookupFunction)
    for (const host of ['localhost', 'bucket.s3.localhost', 'a.b.LOCALHOST']) {
      expect(await resolve(guarded, host, false)).toMatch(/^(127\.0\.0\.1|::1)$/)
    }
  })

  it.each(['169.254.169.254', 'fd00:ec2::254', '::ffff:169.254.169.254'])(
    'refuses a name that leads to %s, alone or among others',
    async (address) => {
      const one = ((_host, _options, callback) => callback(null, address, 4)) as LookupFunction
      const many = ((_host, _options, callback) =>
        callback(null, [
          { address: '93.184.216.34', family: 4 },
          { address, family: 4 },
        ])) as LookupFunction
      const refused = expect.objectContaining({ errorName: 'PATH_NOT_ALLOWED' })
      await expect(resolve(guardLookup(one), 'harmless.example', false)).rejects.toEqual(refused)
      await expect(resolve(guardLookup(many), 'harmless.example', true)).rejects.toEqual(refused)
    },
  )

  it('passes everything else on', async () => {
    const found = [{ address: '93.184.216.34', family: 4 }]
    const many = ((_host, _options, callback) => callback(null, found)) as LookupFunction
    expect(await resolve(guardLookup(many), 'example.com', true)).toBe(found)
    const failing = ((_host, _options, callback) => callback(new Error('ENOTFOUND'), '')) as LookupFunction
    await expect(resolve(guardLookup(failing), 'example.com', false)).rejects.toThrow('ENOTFOUND')
  })
})

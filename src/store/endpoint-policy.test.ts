import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCnosError } from '../errors/cnos-error.ts'
import { endpointPolicy, isMetadataAddress } from './endpoint-policy.ts'

const permits = (check: (endpoint: URL) => void, url: string) => {
  try {
    check(new URL(url))
    return true
  } catch (error) {
    if (isCnosError(error, 'PATH_NOT_ALLOWED')) return false
    throw error
  }
}

describe('endpointPolicy', () => {
  const user = endpointPolicy([], false)
  const admin = endpointPolicy([], true)

  it.each([
    'https://s3.amazonaws.com/',
    'https://s3.eu-west-3.amazonaws.com/bucket',
    'https://bucket.s3.eu-west-3.amazonaws.com/',
    'https://my.dotted.bucket.s3.us-east-1.amazonaws.com/',
    'https://s3-us-west-2.amazonaws.com/',
    'https://bucket.s3.dualstack.us-east-1.amazonaws.com/',
    'https://bucket.s3.cn-north-1.amazonaws.com.cn/',
    'https://storage.googleapis.com/',
    'https://bucket.storage.googleapis.com/',
    'https://oauth2.googleapis.com/token',
    'https://myaccount.blob.core.windows.net/container',
  ])("lets everybody reach the clouds' own %s", (url) => {
    expect(permits(user, url)).toBe(true)
  })

  it.each([
    'https://ec2-1-2-3-4.compute.amazonaws.com/',
    'https://s3.amazonaws.com.evil.example/',
    'https://evils3.amazonaws.co/',
    'https://storage.googleapis.com.evil.example/',
    'https://evil-storage.googleapis.com/',
    'https://a.b.blob.core.windows.net/',
    'http://10.0.0.1:9000/',
    'http://minio:9000/',
  ])('keeps everybody from %s until it is allowed', (url) => {
    expect(permits(user, url)).toBe(false)
    expect(permits(admin, url)).toBe(false)
    expect(permits(endpointPolicy([new URL(url).host], false), url)).toBe(true)
  })

  it.each([
    'http://127.0.0.1:9000/',
    'http://127.9.9.9/',
    'http://localhost:4443/',
    'http://LOCALHOST./',
    'http://bucket.s3.localhost:4566/',
    'http://[::1]:9000/',
    'http://0.0.0.0:9000/',
    'http://2130706433/',
  ])('lets administrators, and nobody else, reach loopback as %s', (url) => {
    expect(permits(admin, url)).toBe(true)
    expect(permits(user, url)).toBe(false)
  })

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://169.254.170.2/v2/credentials',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[fd00:ec2::254]/',
    'http://[fe80::1]/',
    'http://metadata.google.internal/',
    'http://METADATA.google.internal./',
    'http://metadata/',
    'http://100.100.100.200/',
  ])('never lets anybody reach the metadata service %s', (url) => {
    const all = endpointPolicy([new URL(url).hostname.replace(/^\[|\]$/g, ''), '*.internal', '169.254.169.254'], true)
    expect(permits(all, url)).toBe(false)
    expect(permits(admin, url)).toBe(false)
  })

  it('never lets a link-local address pass, however it is written', () => {
    const everything = endpointPolicy(['*'], true)
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), (c, d) => {
        const number = ((169 << 24) | (254 << 16) | (c << 8) | d) >>> 0
        expect(isMetadataAddress(`169.254.${c}.${d}`)).toBe(true)
        for (const host of [
          `169.254.${c}.${d}`,
          String(number),
          `0x${number.toString(16)}`,
          `[::ffff:169.254.${c}.${d}]`,
        ]) {
          expect(permits(everything, `http://${host}/`)).toBe(false)
        }
      }),
    )
  })

  it.each([
    ['minio', 'http://minio:9000/', true],
    ['minio:9000', 'http://minio:9000/', true],
    ['minio:9000', 'http://minio:9001/', false],
    ['minio:80', 'http://minio/', true],
    ['minio:80', 'https://minio/', false],
    ['http://minio:9000', 'http://minio:9000/', true],
    ['http://minio:9000', 'https://minio:9000/', false],
    ['https://minio', 'https://minio/', true],
    ['https://minio', 'https://minio:444/', false],
    ['*.corp.example', 'https://s3.corp.example/', true],
    ['*.corp.example', 'https://corp.example/', false],
    ['*.corp.example', 'https://s3.corp.example.evil/', false],
    ['10.0.0.7', 'http://10.0.0.7:9000/', true],
    ['fd12::1', 'http://[fd12::1]:9000/', true],
    ['MINIO', 'http://minio/', true],
    ['*', 'http://anything:1/', true],
    ['*', 'http://169.254.169.254/', false],
  ])('--allow-endpoint %s and %s: %s', (entry, url, expected) => {
    expect(permits(endpointPolicy([entry], false), url)).toBe(expected)
  })

  it('names a flag that is no host', () => {
    expect(() => endpointPolicy(['not a host'], false)).toThrow(/--allow-endpoint not a host/)
  })

  it('says which flag would permit it', () => {
    expect(() => user(new URL('http://minio:9000/x'))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('--allow-endpoint minio:9000') }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCnosError } from '../errors/cnos-error.ts'
import {
  alterDatabaseOptions,
  DEFAULT_DATABASE_SETTINGS,
  durationOf,
  printDatabaseSettings,
  readDatabaseOptions,
} from './database-settings.ts'

const read = (options: Readonly<Record<string, string | bigint>>) =>
  readDatabaseOptions(new Map(Object.entries(options)))
const refusal = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (isCnosError(error)) return error.errorName
    throw error
  }
  return 'accepted'
}

describe('database options', () => {
  it('have CnosDB’s defaults', () => {
    expect(printDatabaseSettings(DEFAULT_DATABASE_SETTINGS)).toMatchObject({
      ttl: 'INF',
      shard: 1,
      vnodeDuration: '1year',
      replica: 1,
      precision: 'NS',
      maxMemcacheSize: '128 MiB',
      walMaxFileSize: '128 MiB',
      walSync: false,
      strictWrite: false,
      maxCacheReaders: 32,
    })
  })

  it('print as written, all eleven, in the order of DESCRIBE DATABASE', () => {
    const settings = read({
      ttl: '365 Days',
      shard: 3n,
      vnode_duration: '1d 12h',
      replica: 1n,
      precision: 'us',
      max_memcache_size: '300000000',
      memcache_partitions: 7n,
      wal_max_file_size: '1GiB',
      wal_sync: 'TRUE',
      strict_write: 'true',
      max_cache_readers: 5n,
    })
    expect(Object.values(printDatabaseSettings(settings))).toEqual([
      '11months 30days 3h 50m 24s',
      3,
      '1day 12h',
      1,
      'US',
      '286.102294921875 MiB',
      7,
      '1 GiB',
      true,
      true,
      5,
    ])
    expect(durationOf(settings.ttl)).toBe(365n * 86_400n * 10n ** 9n)
  })

  it('read back what they print', () => {
    const positive = fc.bigInt({ min: 1n, max: 10n ** 18n })
    fc.assert(
      fc.property(positive, positive, positive, (ttl, vnode, size) => {
        const settings = read({ ttl: `${ttl}ns`, vnode_duration: `${vnode}us`, max_memcache_size: `${size}B` })
        const printed = printDatabaseSettings(settings)
        const again = read({
          ttl: printed.ttl,
          vnode_duration: printed.vnodeDuration,
          max_memcache_size: printed.maxMemcacheSize,
        })
        expect(again).toEqual(settings)
      }),
    )
  })

  it.each([
    [{ ttl: 'soon' }, 'BAD_OPTION'],
    [{ ttl: '0' }, 'BAD_OPTION'],
    [{ vnode_duration: '0s' }, 'BAD_OPTION'],
    [{ shard: 0n }, 'BAD_OPTION'],
    [{ shard: -1n }, 'BAD_OPTION'],
    [{ shard: 2n ** 60n }, 'BAD_OPTION'],
    [{ memcache_partitions: '0x10' }, 'BAD_OPTION'],
    [{ replica: 2n }, 'REPLICA_TOO_LARGE'],
    [{ precision: 's' }, 'BAD_OPTION'],
    [{ max_memcache_size: '1.5' }, 'BAD_OPTION'],
    [{ wal_sync: 'yes' }, 'BAD_OPTION'],
    [{ colour: 'red' }, 'BAD_OPTION'],
    [{ constructor: 'red' }, 'BAD_OPTION'],
  ])('refuse %o', (options, expected) => {
    expect(refusal(() => read(options as Record<string, string | bigint>))).toBe(expected)
  })

  it('of an ALTER are exactly one of four', () => {
    const alter = (options: Readonly<Record<string, string | bigint>>) =>
      refusal(() => alterDatabaseOptions(new Map(Object.entries(options)), DEFAULT_DATABASE_SETTINGS))
    for (const options of [{ ttl: '7d' }, { shard: 2n }, { vnode_duration: '1d' }, { replica: 1n }])
      expect(alter(options)).toBe('accepted')
    for (const options of [
      {},
      { ttl: '7d', shard: 2n },
      { precision: 'us' },
      { max_memcache_size: '1MiB' },
      { memcache_partitions: 2n },
      { wal_max_file_size: '1MiB' },
      { wal_sync: 'true' },
      { strict_write: 'true' },
      { max_cache_readers: 2n },
    ])
      expect(alter(options)).toBe('SQL_SYNTAX')
  })
})

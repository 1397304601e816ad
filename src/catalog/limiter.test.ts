import { describe, expect, it } from 'vitest'
import { isCnosError } from '../errors/cnos-error.ts'
import { mergeLimits, printLimits } from './limiter.ts'
import type { LimiterConfig } from './state.ts'

const refusal = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (isCnosError(error)) return error.errorName
    throw error
  }
  return 'accepted'
}

const group = (numbers: Readonly<Record<string, bigint>> = {}) =>
  new Map(Object.entries({ remote_initial: 1n, remote_refill: 2n, remote_interval: 3n, local_initial: 4n, ...numbers }))
const numbersOf = (value: bigint) => new Map([['max_databases', value]])
const read = (json: string) => mergeLimits(undefined, { limiterJson: json }, 'CREATE TENANT')

describe('limits', () => {
  it('become the JSON of cluster_schema.tenants, and the same limits again', () => {
    const limits = mergeLimits(
      undefined,
      {
        objectConfig: new Map([
          ['max_databases', 3n],
          ['max_users_number', 9n],
        ]),
        requestConfig: new Map([['http_queries', group({ remote_max: 7n })]]),
      },
      'CREATE TENANT',
    ) as LimiterConfig
    expect(JSON.parse(JSON.stringify(limits))).toMatchObject({
      object_config: {
        max_users_number: 9,
        max_databases: 3,
        max_shard_number: null,
        max_replicate_number: null,
        max_retention_time: null,
      },
      request_config: {
        coord_data_in: null,
        http_queries: {
          remote_bucket: { max: 7, initial: 1, refill: 2, interval: 3 },
          local_bucket: { max: null, initial: 4 },
        },
      },
    })
    expect(printLimits(limits)).toEqual([
      'object_config max_users_number = 9 max_databases = 3',
      'http_queries remote_max = 7 remote_initial = 1 remote_refill = 2 remote_interval = 3 local_initial = 4',
    ])
    expect(read(JSON.stringify(limits))).toEqual(limits)
  })

  it('of an ALTER replace their number or group, and leave the rest', () => {
    const before = mergeLimits(
      undefined,
      { objectConfig: numbersOf(3n), requestConfig: new Map([['http_queries', group({ local_max: 9n })]]) },
      'CREATE TENANT',
    )
    const after = mergeLimits(
      before,
      {
        objectConfig: new Map([['max_users_number', 5n]]),
        requestConfig: new Map([['http_writes', group()]]),
      },
      'ALTER TENANT',
    )
    expect(after?.object_config).toMatchObject({ max_databases: 3, max_users_number: 5 })
    expect(after?.request_config?.http_queries).toEqual(before?.request_config?.http_queries)
    expect(after?.request_config?.http_writes).not.toBeNull()
    expect(mergeLimits(before, {}, 'ALTER TENANT')).toBe(before)
  })

  it('need all mandatory numbers of a group', () => {
    const incomplete = { requestConfig: new Map([['http_queries', new Map([['remote_max', 1n]])]]) }
    expect(refusal(() => mergeLimits(undefined, incomplete, 'CREATE TENANT'))).toBe('TENANT_LIMITER_INVALID')
    expect(refusal(() => mergeLimits(undefined, incomplete, 'ALTER TENANT'))).toBe('SQL_SYNTAX')
  })

  it('are kept exactly or refused', () => {
    const merge = (value: bigint) =>
      refusal(() => mergeLimits(undefined, { objectConfig: numbersOf(value) }, 'CREATE TENANT'))
    expect(merge(2n ** 53n - 1n)).toBe('accepted')
    expect(merge(2n ** 53n)).toBe('BAD_OPTION')
    expect(merge(-1n)).toBe('BAD_OPTION')
  })

  it('are read as CnosDB 2.3 spelt them', () => {
    expect(read('{"object_config":{"max_replica_number":2},"request_config":null}')?.object_config).toMatchObject({
      max_replicate_number: 2,
      max_databases: null,
    })
  })

  it.each([
    ['not JSON', '{', 'BAD_OPTION'],
    ['null', 'null', 'BAD_OPTION'],
    ['a list', '[]', 'BAD_OPTION'],
    ['an unknown name', '{"colour":1}', 'BAD_OPTION'],
    ['an unknown limit', '{"object_config":{"max_databases = 1; drop tenant x":1}}', 'BAD_OPTION'],
    ['an inherited name', '{"object_config":{"constructor":1}}', 'BAD_OPTION'],
    ['a text for a number', '{"object_config":{"max_databases":"1"}}', 'BAD_OPTION'],
    ['a fraction', '{"object_config":{"max_databases":1.5}}', 'BAD_OPTION'],
    ['a number JSON rounds', '{"object_config":{"max_databases":18446744073709551615}}', 'BAD_OPTION'],
    ['an unknown group', '{"request_config":{"disk":null}}', 'BAD_OPTION'],
    ['half a group', '{"request_config":{"http_writes":{"remote_bucket":{}}}}', 'TENANT_LIMITER_INVALID'],
  ])('refuse %s', (_, json, expected) => {
    expect(refusal(() => read(json))).toBe(expected)
  })
})

import { CnosError } from '../errors/cnos-error.ts'
import { LOCAL_NUMBERS, OBJECT_LIMITS, parseLimiterJson, REMOTE_NUMBERS, REQUEST_GROUPS } from './limiter-json.ts'
import type { LimiterConfig, LimiterNumbers } from './state.ts'

/** Groups as written in CREATE/ALTER TENANT. */
export interface WrittenLimits {
  readonly objectConfig?: ReadonlyMap<string, bigint> | undefined
  readonly requestConfig?: ReadonlyMap<string, ReadonlyMap<string, bigint>> | undefined
  /** `_limiter = '{…}'` of a dump. */
  readonly limiterJson?: string | undefined
}

/** CnosDB answers an incomplete group with another code on CREATE than on ALTER. */
export type LimiterStatement = 'CREATE TENANT' | 'ALTER TENANT'

/**
 * The limits after a CREATE or ALTER: each number of `object_config` and each request group that is written replaces its
 * old one, the rest stays; `limiterJson` replaces all. Throws BAD_OPTION for a number that cannot be kept exactly,
 * TENANT_LIMITER_INVALID (SQL_SYNTAX on ALTER) for a group that lacks a mandatory number.
 */
export function mergeLimits(
  base: LimiterConfig | undefined,
  written: WrittenLimits,
  statement: LimiterStatement,
): LimiterConfig | undefined {
  if (written.limiterJson !== undefined) return parseLimiterJson(written.limiterJson)
  if (!written.objectConfig && !written.requestConfig) return base
  const requests = REQUEST_GROUPS.map((group) => {
    const numbers = written.requestConfig?.get(group)
    return [group, numbers ? bucketsOf(group, numbers, statement) : (base?.request_config?.[group] ?? null)] as const
  })
  return {
    object_config: written.objectConfig
      ? objectNumbers(written.objectConfig, base?.object_config)
      : (base?.object_config ?? null),
    request_config: requests.some(([, buckets]) => buckets !== null) ? Object.fromEntries(requests) : null,
  }
}

function objectNumbers(written: ReadonlyMap<string, bigint>, base: LimiterNumbers | null | undefined): LimiterNumbers {
  return Object.fromEntries(
    OBJECT_LIMITS.map((name) => {
      const value = written.get(name)
      return [name, value === undefined ? (base?.[name] ?? null) : exactNumber(value, name)]
    }),
  )
}

function bucketsOf(group: string, written: ReadonlyMap<string, bigint>, statement: LimiterStatement) {
  const bucket = (prefix: string, names: readonly string[]): LimiterNumbers =>
    Object.fromEntries(
      names.map((name) => {
        const value = written.get(prefix + name)
        if (value === undefined && name !== 'max') refuseIncomplete(group, prefix + name, statement)
        return [name, value === undefined ? null : exactNumber(value, `${group} ${prefix}${name}`)]
      }),
    )
  return { remote_bucket: bucket('remote_', REMOTE_NUMBERS), local_bucket: bucket('local_', LOCAL_NUMBERS) }
}

function refuseIncomplete(group: string, name: string, statement: LimiterStatement): never {
  const isCreate = statement === 'CREATE TENANT'
  const message = `${isCreate ? 'Semantic' : 'sql parser'} error: ${group} lacks ${name}`
  throw new CnosError(isCreate ? 'TENANT_LIMITER_INVALID' : 'SQL_SYNTAX', message, {
    hint: `${group} needs remote_initial, remote_refill, remote_interval and local_initial; only the two …_max may be left out`,
  })
}

function exactNumber(value: bigint, name: string): number {
  if (value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value)
  throw new CnosError('BAD_OPTION', `Semantic error: ${name} must be between 0 and 2^53 - 1, not ${value}`)
}

/** As CREATE and ALTER TENANT write it: `object_config max_databases = 3`, `http_queries remote_max = …`. */
export function printLimits(limiter: LimiterConfig): string[] {
  const print = (numbers: LimiterNumbers, prefix: string) =>
    Object.entries(numbers).flatMap(([name, value]) => (value === null ? [] : [`${prefix}${name} = ${value}`]))
  const objects = limiter.object_config ? print(limiter.object_config, '') : []
  const requests = REQUEST_GROUPS.flatMap((group) => {
    const buckets = limiter.request_config?.[group]
    if (!buckets) return []
    return [[group, ...print(buckets.remote_bucket, 'remote_'), ...print(buckets.local_bucket, 'local_')].join(' ')]
  })
  return [...(objects.length > 0 ? [['object_config', ...objects].join(' ')] : []), ...requests]
}

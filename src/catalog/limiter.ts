import { CnosError } from '../errors/cnos-error.ts'
import type { LimiterConfig, LimiterNumbers } from './state.ts'

export const OBJECT_LIMITS = [
  'max_users_number',
  'max_databases',
  'max_shard_number',
  'max_replicate_number',
  'max_retention_time',
] as const
export const REQUEST_GROUPS = [
  'coord_data_in',
  'coord_data_out',
  'coord_queries',
  'coord_writes',
  'http_data_in',
  'http_data_out',
  'http_queries',
  'http_writes',
] as const

const REMOTE = ['max', 'initial', 'refill', 'interval'] as const
const LOCAL = ['max', 'initial'] as const

/** Groups as written in CREATE/ALTER TENANT. */
export interface WrittenLimits {
  readonly objectConfig?: ReadonlyMap<string, bigint> | undefined
  readonly requestConfig?: ReadonlyMap<string, ReadonlyMap<string, bigint>> | undefined
  /** `_limiter = '{…}'` of a dump. */
  readonly limiterJson?: string | undefined
}

function objectNumbers(written: ReadonlyMap<string, bigint>, base: LimiterNumbers | null | undefined): LimiterNumbers {
  return Object.fromEntries(
    OBJECT_LIMITS.map((name) => {
      const value = written.get(name)
      return [name, value === undefined ? (base?.[name] ?? null) : Number(value)]
    }),
  )
}

function bucket(
  group: string,
  written: ReadonlyMap<string, bigint>,
  prefix: string,
  names: readonly string[],
): LimiterNumbers {
  return Object.fromEntries(
    names.map((name) => {
      const value = written.get(`${prefix}${name}`)
      if (value === undefined && name !== 'max') {
        throw new CnosError('TENANT_LIMITER_INVALID', `Semantic error: ${group} lacks ${prefix}${name}`, {
          hint: `${group} needs remote_initial, remote_refill, remote_interval and local_initial; only the two …_max may be left out`,
        })
      }
      return [name, value === undefined ? null : Number(value)]
    }),
  )
}

/** The limits after a CREATE or ALTER: what is written replaces its group, the rest stays. */
export function mergeLimits(base: LimiterConfig | undefined, written: WrittenLimits): LimiterConfig | undefined {
  if (written.limiterJson !== undefined) return parseLimiter(written.limiterJson)
  if (!written.objectConfig && !written.requestConfig) return base
  const objects = written.objectConfig
    ? objectNumbers(written.objectConfig, base?.object_config)
    : (base?.object_config ?? null)
  const requests = Object.fromEntries(
    REQUEST_GROUPS.map((group) => {
      const numbers = written.requestConfig?.get(group)
      if (!numbers) return [group, base?.request_config?.[group] ?? null]
      return [
        group,
        {
          remote_bucket: bucket(group, numbers, 'remote_', REMOTE),
          local_bucket: bucket(group, numbers, 'local_', LOCAL),
        },
      ]
    }),
  )
  const hasRequests = Object.values(requests).some((value) => value !== null)
  return { object_config: objects, request_config: hasRequests ? requests : null }
}

function parseLimiter(json: string): LimiterConfig {
  try {
    const { object_config, request_config } = JSON.parse(json) as Partial<LimiterConfig>
    return { object_config: object_config ?? null, request_config: request_config ?? null }
  } catch (cause) {
    throw new CnosError('BAD_OPTION', 'Semantic error: _limiter is not JSON', { cause })
  }
}

/** As CREATE and ALTER TENANT write it: `object_config max_databases = 3, http_queries remote_max = …`. */
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

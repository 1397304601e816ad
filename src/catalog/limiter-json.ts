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

/** Numbers of the two buckets of a request group; only `max` may be left out. */
export const REMOTE_NUMBERS = ['max', 'initial', 'refill', 'interval'] as const
export const LOCAL_NUMBERS = ['max', 'initial'] as const

type JsonObject = Readonly<Record<string, unknown>>

/** CnosDB 2.3 spelt one limit differently. */
const OLD_NAMES: Readonly<Record<string, string>> = { max_replica_number: 'max_replicate_number' }

/**
 * Reads `_limiter='{…}'` of a dump. Throws BAD_OPTION for what is not JSON, for an unknown name and for a number that is
 * not a whole one, TENANT_LIMITER_INVALID for a missing mandatory number.
 */
export function parseLimiterJson(json: string): LimiterConfig {
  const { object_config, request_config, ...unknown } = objectOf(parsed(json), '_limiter')
  for (const name of Object.keys(unknown)) refuse(`unknown name ${name}`)
  return { object_config: objectLimits(object_config), request_config: requestLimits(request_config) }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new CnosError('BAD_OPTION', 'Semantic error: _limiter is not JSON', { cause })
  }
}

function refuse(reason: string): never {
  throw new CnosError('BAD_OPTION', `Semantic error: _limiter: ${reason}`, {
    hint: 'it holds object_config and request_config, as cluster_schema.tenants shows them',
  })
}

function objectOf(value: unknown, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  return refuse(`${where} is no object`)
}

function numbersOf(value: unknown, names: readonly string[], where: string): LimiterNumbers {
  const numbers = new Map(Object.entries(objectOf(value, where)).map(([name, n]) => [OLD_NAMES[name] ?? name, n]))
  for (const name of numbers.keys()) if (!names.includes(name)) refuse(`unknown name ${where}.${name}`)
  return Object.fromEntries(
    names.map((name) => {
      const number = numbers.get(name) ?? null
      if (number !== null && !isExact(number)) refuse(`${where}.${name} is no whole number between 0 and 2^53 - 1`)
      return [name, number]
    }),
  )
}

const isExact = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function objectLimits(value: unknown): LimiterNumbers | null {
  return value === undefined || value === null ? null : numbersOf(value, OBJECT_LIMITS, 'object_config')
}

function requestLimits(value: unknown): LimiterConfig['request_config'] {
  if (value === undefined || value === null) return null
  const groups = objectOf(value, 'request_config')
  for (const name of Object.keys(groups)) {
    if (!REQUEST_GROUPS.some((group) => group === name)) refuse(`unknown name request_config.${name}`)
  }
  return Object.fromEntries(
    REQUEST_GROUPS.map((group) => {
      const buckets = groups[group] ?? null
      return [group, buckets === null ? null : bucketsOf(group, objectOf(buckets, group))]
    }),
  )
}

function bucketsOf(group: string, { remote_bucket, local_bucket, ...unknown }: JsonObject) {
  for (const name of Object.keys(unknown)) refuse(`unknown name ${group}.${name}`)
  const bucket = (value: unknown, names: readonly string[], where: string) => {
    const numbers = numbersOf(value, names, where)
    for (const name of names) {
      if (numbers[name] !== null || name === 'max') continue
      throw new CnosError('TENANT_LIMITER_INVALID', `Semantic error: ${where} lacks ${name}`)
    }
    return numbers
  }
  return {
    remote_bucket: bucket(remote_bucket, REMOTE_NUMBERS, `${group}.remote_bucket`),
    local_bucket: bucket(local_bucket, LOCAL_NUMBERS, `${group}.local_bucket`),
  }
}

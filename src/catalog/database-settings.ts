import { CnosError } from '../errors/cnos-error.ts'
import { parseByteSize, printByteSize } from '../model/byte-size.ts'
import { type Duration, parseDuration, printDuration } from '../model/duration.ts'
import type { DatabaseSettings } from './state.ts'

/** Options as written: text of a string literal, or an integer. Names in lower case. */
export type WrittenDatabaseOptions = ReadonlyMap<string, string | bigint>

export const DEFAULT_DATABASE_SETTINGS: DatabaseSettings = {
  ttl: 'INF',
  shard: 1,
  vnodeDuration: '31557600000000000',
  replica: 1,
  precision: 'NS',
  maxMemcacheSize: '134217728',
  memcachePartitions: 2,
  walMaxFileSize: '134217728',
  walSync: false,
  strictWrite: false,
  maxCacheReaders: 32,
}

const ALTERABLE: ReadonlySet<string> = new Set(['ttl', 'shard', 'vnode_duration', 'replica'])

/** Zero is refused: other databases take it for "for ever", and here it would expire every row at once. */
function positiveDuration(value: string | bigint, name: string): string {
  const duration = parseDuration(String(value), name.toUpperCase())
  if (duration !== 0n) return String(duration)
  throw new CnosError(
    'BAD_OPTION',
    `Semantic error: ${name.toUpperCase()} must be longer than nothing, not '${value}'`,
    {
      hint: `write ${name.toUpperCase()} 'INF' for no end`,
    },
  )
}

/** Nanoseconds, or INF, from the text kept in a catalog object. */
export const durationOf = (stored: string): Duration => (stored === 'INF' ? 'INF' : BigInt(stored))

const text = (value: string | bigint) => String(value)

function positive(value: string | bigint, name: string): number {
  const number = /^\d+$/.test(text(value)) ? Number(value) : 0
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new CnosError('BAD_OPTION', `Semantic error: ${name.toUpperCase()} must be a positive integer, not ${value}`)
}

function flag(value: string | bigint, name: string): boolean {
  const lower = text(value).toLowerCase()
  if (lower === 'true' || lower === 'false') return lower === 'true'
  throw new CnosError('BAD_OPTION', `Semantic error: ${name.toUpperCase()} must be 'true' or 'false', not '${value}'`)
}

function precision(value: string | bigint): 'NS' | 'US' | 'MS' {
  const upper = text(value).toUpperCase()
  if (upper === 'NS' || upper === 'US' || upper === 'MS') return upper
  throw new CnosError('BAD_OPTION', `Semantic error: PRECISION must be 'ns', 'us' or 'ms', not '${value}'`)
}

type Reader = (value: string | bigint, name: string) => Partial<DatabaseSettings>

const READERS: Readonly<Record<string, Reader>> = {
  ttl: (value, name) => ({ ttl: positiveDuration(value, name) }),
  shard: (value, name) => ({ shard: positive(value, name) }),
  vnode_duration: (value, name) => ({ vnodeDuration: positiveDuration(value, name) }),
  replica: (value, name) => ({ replica: replica(value, name) }),
  precision: (value) => ({ precision: precision(value) }),
  max_memcache_size: (value) => ({ maxMemcacheSize: String(parseByteSize(text(value), 'MAX_MEMCACHE_SIZE')) }),
  memcache_partitions: (value, name) => ({ memcachePartitions: positive(value, name) }),
  wal_max_file_size: (value) => ({ walMaxFileSize: String(parseByteSize(text(value), 'WAL_MAX_FILE_SIZE')) }),
  wal_sync: (value, name) => ({ walSync: flag(value, name) }),
  strict_write: (value, name) => ({ strictWrite: flag(value, name) }),
  max_cache_readers: (value, name) => ({ maxCacheReaders: positive(value, name) }),
}

function replica(value: string | bigint, name: string): number {
  const count = positive(value, name)
  if (count === 1) return count
  throw new CnosError('REPLICA_TOO_LARGE', `Valid node is not enough, need: ${count}, but found: 1`, {
    hint: 'an embedded server is one node: use REPLICA 1',
  })
}

/** `base` with the written options in place. Throws BAD_OPTION or REPLICA_TOO_LARGE naming the option. */
export function readDatabaseOptions(
  written: WrittenDatabaseOptions,
  base = DEFAULT_DATABASE_SETTINGS,
): DatabaseSettings {
  let settings = base
  for (const [name, value] of written) {
    const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined
    if (!reader) throw new CnosError('BAD_OPTION', `Semantic error: Unsupported option [${name}]`)
    settings = { ...settings, ...reader(value, name) }
  }
  return settings
}

/** As `readDatabaseOptions`, for ALTER: exactly one of the four options that may change. */
export function alterDatabaseOptions(written: WrittenDatabaseOptions, base: DatabaseSettings): DatabaseSettings {
  const [name] = written.keys()
  if (written.size !== 1 || name === undefined || !ALTERABLE.has(name)) {
    throw new CnosError(
      'SQL_SYNTAX',
      `sql parser error: Expected one of TTL, SHARD, VNODE_DURATION, REPLICA, found: ${[...written.keys()].join(', ')}`,
    )
  }
  return readDatabaseOptions(written, base)
}

/** Values as `information_schema.databases`, DESCRIBE DATABASE and the dump show them. */
export function printDatabaseSettings(settings: DatabaseSettings) {
  return {
    ttl: printDuration(durationOf(settings.ttl)),
    shard: settings.shard,
    vnodeDuration: printDuration(durationOf(settings.vnodeDuration)),
    replica: settings.replica,
    precision: settings.precision,
    maxMemcacheSize: printByteSize(BigInt(settings.maxMemcacheSize)),
    memcachePartitions: settings.memcachePartitions,
    walMaxFileSize: printByteSize(BigInt(settings.walMaxFileSize)),
    walSync: settings.walSync,
    strictWrite: settings.strictWrite,
    maxCacheReaders: settings.maxCacheReaders,
  }
}

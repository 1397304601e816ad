import { describe, expect, it } from 'vitest'
import { systemClock } from '../async/clock.ts'
import type { Principal } from '../catalog/privileges.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import type { UserSession } from '../plan/session.ts'
import { QueryRegistry, randomId } from './query-registry.ts'

const session = (user: string, tenant = 'cnosdb'): UserSession => ({
  user,
  tenant,
  database: 'public',
  mustChangePassword: false,
})
const principal = (
  user: string,
  rights: { isAdmin?: boolean; systemRole?: 'owner' | 'member'; tenant?: string } = {},
): Principal => ({
  user,
  tenant: rights.tenant ?? 'cnosdb',
  tenantId: '1',
  isAdmin: rights.isAdmin ?? false,
  mustChangePassword: false,
  role: rights.systemRole,
  systemRole: rights.systemRole,
  grants: {},
})

describe('QueryRegistry', () => {
  it('lists what runs', () => {
    const queries = new QueryRegistry(systemClock)
    const handle = queries.start(session('anna', 'acme'), 'SELECT 1', undefined)
    handle.setState('SCHEDULING')
    handle.setProgress({ rows: 7n, percent: 12 })
    expect(queries.list()).toMatchObject([
      { queryId: handle.id, user: 'anna', tenant: 'acme', state: 'SCHEDULING', processedCount: 7n, percent: 12 },
    ])
    handle.end()
    expect(queries.list()).toEqual([])
  })

  it('is killed by its user, an owner of the tenant and an administrator, and by nobody else', () => {
    const queries = new QueryRegistry(systemClock)
    const start = () => queries.start(session('anna', 'acme'), 'SELECT 1', undefined)
    const handle = start()
    for (const who of [principal('bob', { tenant: 'acme' }), principal('bob', { systemRole: 'owner' })]) {
      expect(() => queries.kill(handle.id, who)).toThrow('Query not found')
    }
    expect(handle.signal.aborted).toBe(false)
    for (const who of [
      principal('anna', { tenant: 'acme' }),
      principal('bob', { tenant: 'acme', systemRole: 'owner' }),
      principal('root', { isAdmin: true }),
    ]) {
      const { id, signal } = start()
      queries.kill(id, who)
      expect(isCnosError(signal.reason, 'QUERY_CANCELED')).toBe(true)
    }
  })

  it('follows the signal of the caller', () => {
    const queries = new QueryRegistry(systemClock)
    const caller = new AbortController()
    const handle = queries.start(session('anna'), 'SELECT 1', caller.signal)
    caller.abort(new Error('gone'))
    expect(handle.signal.reason).toEqual(new Error('gone'))
  })

  it('ends everything, admits nothing more, and tells when it is empty', async () => {
    const queries = new QueryRegistry(systemClock)
    const handle = queries.start(session('anna'), 'SELECT 1', undefined)
    queries.abortAll()
    expect(isCnosError(handle.signal.reason, 'SERVER_CLOSED')).toBe(true)
    expect(() => queries.start(session('anna'), 'SELECT 1', undefined)).toThrow('closed')
    const empty = queries.whenEmpty()
    handle.end()
    handle.end()
    await empty
    expect(queries.size).toBe(0)
  })

  it('makes ids of 64 bits', () => {
    const ids = Array.from({ length: 100 }, () => randomId(systemClock))
    expect(new Set(ids).size).toBe(100)
    for (const id of ids) expect(id >= 0n && id < 2n ** 64n).toBe(true)
  })
})

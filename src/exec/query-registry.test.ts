import { describe, expect, it } from 'vitest'
import { systemClock } from '../async/clock.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import type { UserSession } from '../plan/session.ts'
import { QueryRegistry, randomId } from './query-registry.ts'

const session = (user: string, tenant = 'cnosdb'): UserSession => ({
  user,
  tenant,
  database: 'public',
  mustChangePassword: false,
})
const viewer = (user: string, rights: { isAdministrator?: boolean; isOwner?: boolean; tenant?: string } = {}) => ({
  session: session(user, rights.tenant),
  isAdministrator: rights.isAdministrator ?? false,
  isOwner: rights.isOwner ?? false,
})

describe('QueryRegistry', () => {
  it('shows a statement to its user, to owners of the tenant and to administrators', () => {
    const queries = new QueryRegistry(systemClock)
    const { id } = queries.start(session('anna', 'acme'), 'SELECT 1', undefined)
    const seenBy = (who: ReturnType<typeof viewer>) => queries.list(who).map((query) => query.id)
    expect(seenBy(viewer('anna', { tenant: 'acme' }))).toEqual([id])
    expect(seenBy(viewer('bob', { tenant: 'acme' }))).toEqual([])
    expect(seenBy(viewer('bob', { tenant: 'acme', isOwner: true }))).toEqual([id])
    expect(seenBy(viewer('bob', { tenant: 'other', isOwner: true }))).toEqual([])
    expect(seenBy(viewer('root', { isAdministrator: true }))).toEqual([id])
  })

  it('kills what the viewer may see, and nothing else', () => {
    const queries = new QueryRegistry(systemClock)
    const handle = queries.start(session('anna'), 'SELECT 1', undefined)
    expect(() => queries.kill(handle.id, viewer('bob'))).toThrow('Query not found')
    expect(handle.signal.aborted).toBe(false)
    queries.kill(handle.id, viewer('anna'))
    expect(isCnosError(handle.signal.reason, 'QUERY_CANCELED')).toBe(true)
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

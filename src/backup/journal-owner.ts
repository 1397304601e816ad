import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Abortable } from '../async/abort.ts'
import { systemClock } from '../async/clock.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { JournalPlace } from './journal.ts'
import { readObject } from './manifest.ts'

interface Owner {
  readonly id: string
  readonly host: string
  readonly pid: number
}

const OURS: Owner = { id: randomUUID(), host: hostname(), pid: process.pid }
const ownerPath = ({ prefix }: JournalPlace) => `${prefix}owner.json`
/** An earlier owner that still lives has by then seen that it is replaced, and what it recorded last has arrived. */
const GRACE_MS = 2_000

/**
 * Makes this process the one that may write the journal. Whoever had it before stops at its next entry: no lock is left
 * behind by a crash, and two runs of one command never write one backup.
 */
export async function takeOver(place: JournalPlace, { signal }: Abortable): Promise<void> {
  const earlier = await readObject(place.store, ownerPath(place), { signal })
  await place.store.put(ownerPath(place), Buffer.from(JSON.stringify(OURS)), { signal })
  if (earlier && mayLive(earlier.toString('utf8'))) await systemClock.sleep(GRACE_MS, { signal })
}

function mayLive(text: string): boolean {
  try {
    const { id, host, pid } = JSON.parse(text) as Owner
    if (id === OURS.id || host !== OURS.host) return id !== OURS.id
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

/** Throws RUN_REPLACED when another run has taken over since. */
export async function refuseReplaced(place: JournalPlace, { signal }: Abortable): Promise<void> {
  const owner = await readObject(place.store, ownerPath(place), { signal })
  if (owner?.toString('utf8').includes(OURS.id)) return
  throw new CnosError(
    'RUN_REPLACED',
    `another run of this command has taken over ${place.store.label}/${place.prefix}`,
    {
      hint: 'this run has stopped; the other one goes on with what was done',
    },
  )
}

export const releaseJournal = (place: JournalPlace, options: Abortable) => place.store.delete(ownerPath(place), options)

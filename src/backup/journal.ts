import type { Abortable } from '../async/abort.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { refuseReplaced, releaseJournal, takeOver } from './journal-owner.ts'
import { readObject, sha256, type UnitRecord } from './manifest.ts'

/** What is known of a unit before the manifest is written. */
type UnitState =
  /** Attempt `attempt` was begun; whether it ended is unknown. */
  | { readonly state: 'started'; readonly attempt: number }
  | { readonly state: 'finished'; readonly attempt: number; readonly record: UnitRecord }
  /** Replaced by these smaller units after it failed as a whole. */
  | { readonly state: 'split'; readonly attempt: number }
  /** Of a target table: whether all its rows come from this import, because it was empty or emptied first. */
  | { readonly state: 'table'; readonly attempt: 0; readonly isOurs: boolean }
  /** What of the backup's metadata the target had before the import. */
  | { readonly state: 'earlier'; readonly attempt: 0; readonly objects: readonly string[] }

/**
 * The memory of a run, one small object per unit, so that the same command continues after any crash: works on object
 * stores, which cannot append. An entry is durable when its `put` resolves.
 */
export interface Journal {
  readonly states: ReadonlyMap<string, UnitState>
  /** The earlier run had done everything, and was ended while it cleared its journal. */
  readonly isComplete: boolean
  /** Throws RUN_REPLACED when another run has opened the journal since. */
  record(unit: string, state: UnitState, options?: Abortable): Promise<void>
  /** Throws RUN_REPLACED when this run may no longer write. */
  refuseReplaced(options?: Abortable): Promise<void>
  /** Forgets everything. When ended half-way, the next run of the same plan finds `isComplete`. */
  finish(options?: Abortable): Promise<void>
  /** Forgets a run that has not begun to move anything. */
  discard(options?: Abortable): Promise<void>
}

export interface JournalPlace {
  readonly store: ObjectStore
  /** Ends in `/`. */
  readonly prefix: string
}

interface Head {
  readonly planHash: string
  readonly plan: unknown
}

/**
 * Opens the journal of an earlier run of the same plan, or begins one; from then on it is this process's alone. Throws
 * BACKUP_INVALID when the journal there is damaged, or belongs to a different plan: continuing with other filters would
 * call an incomplete backup complete.
 */
export async function openJournal(place: JournalPlace, plan: unknown, { signal }: Abortable): Promise<Journal> {
  const { store, prefix } = place
  const planHash = sha256(JSON.stringify(plan))
  const headPath = `${prefix}plan.json`
  const donePath = `${prefix}done.json`
  const head = await readObject(store, headPath, { signal })
  const isComplete = head !== undefined && (await readObject(store, donePath, { signal })) !== undefined
  if (head === undefined) {
    await store.delete(donePath, { signal })
    await store.put(headPath, Buffer.from(JSON.stringify({ planHash, plan } satisfies Head)), { signal })
  } else {
    checkSamePlan(parseEntry<Head>(head, place, headPath), planHash, `${store.label}/${prefix}`)
  }
  await takeOver(place, { signal })
  const states = head === undefined ? new Map<string, UnitState>() : await readStates(place, { signal })
  const discard = async (options: Abortable = {}) => {
    for await (const { path } of store.list(`${prefix}unit-`, options)) await store.delete(path, options)
    await store.delete(headPath, options)
    await store.delete(donePath, options)
    await releaseJournal(place, options)
    states.clear()
  }
  return {
    states,
    isComplete,
    refuseReplaced: (options = {}) => refuseReplaced(place, options),
    async record(unit, state, options = {}) {
      await refuseReplaced(place, options)
      const path = `${prefix}unit-${sha256(unit).slice(0, 24)}.json`
      await store.put(path, Buffer.from(JSON.stringify({ unit, ...state })), options)
      states.set(unit, state)
    },
    async finish(options = {}) {
      await store.put(donePath, Buffer.from('{}'), options)
      await discard(options)
    },
    discard,
  }
}

async function readStates(place: JournalPlace, { signal }: Abortable): Promise<Map<string, UnitState>> {
  const { store, prefix } = place
  const states = new Map<string, UnitState>()
  for await (const { path } of store.list(`${prefix}unit-`, { signal })) {
    const bytes = await readObject(store, path, { signal })
    if (!bytes) continue
    const { unit, ...state } = parseEntry<UnitState & { unit: string }>(bytes, place, path)
    states.set(unit, state)
  }
  return states
}

function parseEntry<T extends object>(bytes: Buffer, { store, prefix }: JournalPlace, path: string): T {
  try {
    return JSON.parse(bytes.toString('utf8')) as T
  } catch (cause) {
    throw new CnosError('BACKUP_INVALID', `${store.label}/${path} is damaged`, {
      cause,
      hint: `remove ${store.label}/${prefix} to start anew (what was moved is moved again), or take the file from a copy`,
    })
  }
}

function checkSamePlan(head: Head, planHash: string, where: string): void {
  if (head.planHash === planHash) return
  throw new CnosError('BACKUP_INVALID', `an unfinished run with other options is recorded in ${where}`, {
    hint: `repeat that run's options to continue it, or remove ${where} to start anew`,
  })
}

import type { Abortable } from '../async/abort.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { readObject, sha256, type UnitRecord } from './manifest.ts'

/** What is known of a unit before the manifest is written. */
export type UnitState =
  /** Attempt `attempt` was begun; whether it ended is unknown. */
  | { readonly state: 'started'; readonly attempt: number }
  | { readonly state: 'finished'; readonly attempt: number; readonly record: UnitRecord }
  /** Replaced by these smaller units after it failed as a whole. */
  | { readonly state: 'split'; readonly attempt: number }
  /** Of a target table: whether all its rows come from this import, because it was empty or emptied first. */
  | { readonly state: 'table'; readonly attempt: 0; readonly isOurs: boolean }

/**
 * The memory of a run, one small object per unit, so that the same command continues after any crash: works on object
 * stores, which cannot append. An entry is durable when its `put` resolves.
 */
export interface Journal {
  readonly states: ReadonlyMap<string, UnitState>
  record(unit: string, state: UnitState, options?: Abortable): Promise<void>
  /** Forgets everything: the run is complete and its manifest is in place. */
  remove(options?: Abortable): Promise<void>
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
 * Opens the journal of an earlier run of the same plan, or begins one. Throws BACKUP_INVALID when the journal there
 * belongs to a different plan: continuing with other filters would call an incomplete backup complete.
 */
export async function openJournal(place: JournalPlace, plan: unknown, { signal }: Abortable): Promise<Journal> {
  const { store, prefix } = place
  const planHash = sha256(JSON.stringify(plan))
  const headPath = `${prefix}plan.json`
  const head = await readObject(store, headPath, { signal })
  const states = new Map<string, UnitState>()
  if (head === undefined) {
    await store.put(headPath, Buffer.from(JSON.stringify({ planHash, plan } satisfies Head)), { signal })
  } else {
    checkSamePlan(JSON.parse(head.toString('utf8')) as Head, planHash, `${store.label}/${prefix}`)
    for await (const { path } of store.list(`${prefix}unit-`, { signal })) {
      const bytes = await readObject(store, path, { signal })
      if (!bytes) continue
      const { unit, ...state } = JSON.parse(bytes.toString('utf8')) as UnitState & { unit: string }
      states.set(unit, state)
    }
  }
  return {
    states,
    async record(unit, state, options = {}) {
      const path = `${prefix}unit-${sha256(unit).slice(0, 24)}.json`
      await store.put(path, Buffer.from(JSON.stringify({ unit, ...state })), options)
      states.set(unit, state)
    },
    async remove(options = {}) {
      for await (const { path } of store.list(prefix, options)) await store.delete(path, options)
      states.clear()
    },
  }
}

function checkSamePlan(head: Head, planHash: string, where: string): void {
  if (head.planHash === planHash) return
  throw new CnosError('BACKUP_INVALID', `an unfinished run with other options is recorded in ${where}`, {
    hint: `repeat that run's options to continue it, or remove ${where} to start anew`,
  })
}

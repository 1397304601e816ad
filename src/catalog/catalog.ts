import type { Abortable } from '../async/abort.ts'
import type { Clock } from '../async/clock.ts'
import { Limit } from '../async/limit.ts'
import type { Engine, Session } from '../engine/engine.ts'
import { quoteString } from '../engine/quote.ts'
import { CnosError } from '../errors/cnos-error.ts'
import { firstObjects } from './first-objects.ts'
import type { CatalogState, ObjectKind } from './state.ts'

/** One object put or, when `value` is undefined, removed. */
export interface ObjectChange {
  readonly kind: ObjectKind
  readonly key: string
  readonly value: unknown
}

/** What a change of metadata does: to the catalog, and to physical tables, in one transaction. */
export interface CatalogChange {
  readonly objects: readonly ObjectChange[]
  /** Statements for the engine, run before the objects are written. */
  readonly ddl?: readonly string[]
}

/** What a change may use besides the state it changes. */
export interface ChangeContext {
  /** Never given twice in the life of a data directory. */
  newId(): string
  readonly nowNs: bigint
}

export const NO_CHANGE: CatalogChange = { objects: [] }

export const put = (kind: ObjectKind, key: string, value: unknown): ObjectChange => ({ kind, key, value })
export const remove = (kind: ObjectKind, key: string): ObjectChange => ({ kind, key, value: undefined })

/** Metadata: a snapshot in memory, and rows of the same DuckDB file that holds the tables. */
export interface Catalog {
  /** The state after the last finished change. Never changes itself. */
  readonly state: CatalogState
  /**
   * Applies what `build` makes of the latest state, one change at a time; durable when it resolves. What `build` throws
   * is passed on, and nothing is changed. An abort before the change has begun leaves the queue.
   */
  change(build: (state: CatalogState, context: ChangeContext) => CatalogChange, options?: Abortable): Promise<void>
}

export interface OpenCatalogOptions {
  readonly clock: Clock
  /** Makes the bcrypt of root's first password; called when the catalog is new only, since it takes a while. */
  readonly hashRootPassword: () => Promise<string>
}

const KINDS: readonly ObjectKind[] = ['tenants', 'users', 'roles', 'members', 'databases', 'tables']

type MutableState = { readonly [K in ObjectKind]: Map<string, unknown> }

/** Loads the catalog of an engine, or writes the first one: tenant `cnosdb`, user `root`, three databases. */
export async function openCatalog(engine: Engine, { clock, hashRootPassword }: OpenCatalogOptions): Promise<Catalog> {
  await engine.run('CREATE SCHEMA IF NOT EXISTS catalog')
  await engine.run('CREATE TABLE IF NOT EXISTS catalog.objects (kind VARCHAR, key VARCHAR, value VARCHAR)')
  await engine.run('CREATE TABLE IF NOT EXISTS catalog.next_id (id BIGINT)')
  let state = await loadState(engine)
  let nextId = await loadNextId(engine)
  const oneAtATime = new Limit(1)

  const catalog: Catalog = {
    get state() {
      return state
    },
    change(build, { signal } = {}) {
      const apply = async () => {
        let id = nextId
        const context: ChangeContext = { newId: () => String(id++), nowNs: clock.nowNs() }
        const change = build(state, context)
        if (change.objects.length === 0 && !change.ddl?.length) return
        await engine.transaction((session) => commit(session, change, id))
        state = applyChange(state, change)
        nextId = id
      }
      return oneAtATime.run(apply, { signal })
    },
  }
  if (state.tenants.size === 0) {
    const rootHash = await hashRootPassword()
    await catalog.change((_, context) => firstObjects(context, rootHash))
  }
  return catalog
}

async function loadState(engine: Engine): Promise<CatalogState> {
  const state = emptyState()
  for (const row of await engine.all('SELECT kind, key, value FROM catalog.objects')) {
    const kind = KINDS.find((name) => name === row.kind)
    if (!kind) throw new CnosError('INTERNAL', `the catalog holds an object of unknown kind ${String(row.kind)}`)
    state[kind].set(String(row.key), JSON.parse(String(row.value)))
  }
  return state as unknown as CatalogState
}

/** A catalog without any object. */
export const emptyCatalogState = (): CatalogState => emptyState() as unknown as CatalogState

function emptyState(): MutableState {
  return Object.fromEntries(KINDS.map((kind) => [kind, new Map<string, unknown>()])) as MutableState
}

async function loadNextId(engine: Engine): Promise<bigint> {
  const [row] = await engine.all('SELECT max(id) AS id FROM catalog.next_id')
  return typeof row?.id === 'bigint' ? row.id : 1n
}

/** Rows written or removed by one statement: without an index, each statement reads the whole table. */
const ROWS_PER_STATEMENT = 500

async function commit(session: Session, { objects, ddl = [] }: CatalogChange, nextId: bigint): Promise<void> {
  const statements = [...ddl]
  const latest = [...new Map(objects.map((object) => [`${object.kind} ${object.key}`, object])).values()]
  for (let at = 0; at < latest.length; at += ROWS_PER_STATEMENT) {
    const batch = latest.slice(at, at + ROWS_PER_STATEMENT)
    const keys = batch.map(({ kind, key }) => `(${quoteString(kind)}, ${quoteString(key)})`)
    statements.push(`DELETE FROM catalog.objects WHERE (kind, key) IN (${keys.join(', ')})`)
    const rows = batch.flatMap(({ kind, key, value }) =>
      value === undefined ? [] : [`(${[kind, key, JSON.stringify(value)].map(quoteString).join(', ')})`],
    )
    if (rows.length > 0) statements.push(`INSERT INTO catalog.objects VALUES ${rows.join(', ')}`)
  }
  statements.push('DELETE FROM catalog.next_id', `INSERT INTO catalog.next_id VALUES (${nextId})`)
  await session.run(statements.join(';\n'))
}

/** The state after a change, physical tables aside; `state` itself stays as it is. */
export function applyChange(state: CatalogState, { objects }: CatalogChange): CatalogState {
  const changed = new Set(objects.map(({ kind }) => kind))
  const next = Object.fromEntries(
    KINDS.map((kind) => [kind, changed.has(kind) ? new Map<string, unknown>(state[kind]) : state[kind]]),
  ) as MutableState
  for (const { kind, key, value } of objects) {
    if (value === undefined) next[kind].delete(key)
    else next[kind].set(key, value)
  }
  return next as unknown as CatalogState
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from '../../src/copy/load.ts'
import type { LoadOptions } from '../../src/copy/load-job.ts'
import { type CopyAccess, type CopyDirection, type CopyStats, openLocation } from '../../src/copy/location.ts'
import { unload } from '../../src/copy/unload.ts'
import type { UnloadOptions } from '../../src/copy/unload-job.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { quoteIdentifier } from '../../src/engine/quote.ts'
import type { Relation } from '../../src/engine/relation.ts'
import { createTableSql, engineTypeOf, type StoredTable, tableReference } from '../../src/engine/table.ts'
import type { OptionLiteral } from '../../src/options/option-spec.ts'
import { openTestEngine } from '../engine/engine-fixture.ts'
import { testStoreContext } from '../fakes/store-context.ts'

export type Literals = Readonly<Record<string, OptionLiteral>>

export interface CopyClauses {
  readonly connection?: ReadonlyMap<string, OptionLiteral>
  readonly format?: Literals
  readonly options?: Literals
}

export interface CopyFixture extends AsyncDisposable {
  readonly engine: Engine
  /** For the files of a test. */
  readonly directory: string
  readonly spoolDir: string
  readonly warnings: string[]
  readonly access: CopyAccess
  location(path: string, direction: CopyDirection, clauses?: CopyClauses): ReturnType<typeof openLocation>
  /** COPY INTO 'path' FROM table or query. */
  unload(
    path: string,
    source: StoredTable | Relation,
    clauses?: CopyClauses,
    options?: Partial<UnloadOptions>,
  ): Promise<CopyStats>
  /** COPY INTO table [(columns)] FROM 'path'. */
  load(
    table: StoredTable,
    path: string,
    clauses?: CopyClauses & { readonly columns?: readonly string[] },
    options?: Partial<LoadOptions>,
  ): Promise<CopyStats>
  create(table: StoredTable): Promise<void>
}

const ID = { tenant: 'cnosdb', database: 'public', table: 'air' }
const literalsOf = (literals: Literals | undefined) => literals && new Map(Object.entries(literals))

export function wholeTable(table: StoredTable): Relation {
  const { columns } = table.schema
  return {
    columns: columns.map(({ name, type }) => ({ name, type: engineTypeOf(type) })),
    select: `SELECT ${columns.map(({ name }) => quoteIdentifier(name)).join(', ')} FROM ${tableReference(table)}`,
  }
}

/** An engine, a directory and the two halves of COPY INTO, as an administrator sees them. */
export async function openCopyFixture(changes: Partial<CopyAccess> = {}): Promise<CopyFixture> {
  const { engine, ...fixture } = await openTestEngine()
  const directory = await mkdtemp(join(tmpdir(), 'cnosdb-copy-'))
  const spoolDir = await mkdtemp(join(tmpdir(), 'cnosdb-spool-'))
  const warnings: string[] = []
  const access: CopyAccess = {
    isAdministrator: true,
    copyRoots: [],
    storeContext: testStoreContext({ warn: (message) => warnings.push(message) }),
    cwd: directory,
    ...changes,
  }
  let queries = 0n
  const location = (path: string, direction: CopyDirection, { connection, format, options }: CopyClauses = {}) =>
    openLocation(
      { path, connection, fileFormat: literalsOf(format), copyOptions: literalsOf(options) },
      direction,
      access,
    )
  return {
    engine,
    directory,
    spoolDir,
    warnings,
    access,
    location,
    unload(path, source, clauses, options = {}) {
      queries += 1n
      const table = 'schema' in source ? { id: ID, schema: source.schema } : undefined
      return unload(engine, 'schema' in source ? wholeTable(source) : source, location(path, 'unload', clauses), {
        queryId: queries,
        taskId: 7n,
        spoolDir,
        spoolBytes: 2 ** 30,
        table,
        ...options,
      })
    },
    load(table, path, clauses = {}, options = {}) {
      const target = { id: ID, name: table.name, schema: table.schema, columns: clauses.columns }
      return load(engine, target, location(path, 'load', clauses), { spoolDir, spoolBytes: 2 ** 30, ...options })
    },
    async create(table) {
      await engine.run(createTableSql(table))
    },
    async [Symbol.asyncDispose]() {
      await fixture[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
      await rm(spoolDir, { recursive: true, force: true })
    },
  }
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine } from '../../src/engine/duckdb.ts'
import type { Engine, EngineOptions } from '../../src/engine/engine.ts'
import type { StoredTable } from '../../src/engine/table.ts'
import type { Column, DataType } from '../../src/model/schema.ts'

export interface EngineFixture extends AsyncDisposable {
  readonly directory: string
  readonly engine: Engine
}

/** An engine in a directory of its own; both go when it is disposed. */
export async function openTestEngine(options: Partial<EngineOptions> = {}): Promise<EngineFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'cnosdb-engine-'))
  const engine = await openEngine(engineOptions(directory, options))
  return {
    directory,
    engine,
    async [Symbol.asyncDispose]() {
      await engine.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export function engineOptions(directory: string, options: Partial<EngineOptions> = {}): EngineOptions {
  return {
    path: join(directory, 'data', 'cnosdb.duckdb'),
    memoryBytes: 512 * 1024 * 1024,
    tempDirectory: join(directory, 'data', 'spill'),
    tempBytes: 1024 * 1024 * 1024,
    maxQueries: 4,
    ...options,
  }
}

const column = (name: string, kind: Column['kind'], type: DataType): Column => ({ name, kind, type, codec: 'DEFAULT' })

/** A table with the given time type, tags and fields (`name: type`). */
export function storedTable(
  name: string,
  tags: readonly string[],
  fields: Readonly<Record<string, DataType>>,
  timeType: DataType = 'TIMESTAMP(NANOSECOND)',
): StoredTable {
  const columns = [
    column('time', 'time', timeType),
    ...tags.map((tag) => column(tag, 'tag', 'STRING')),
    ...Object.entries(fields).map(([field, type]) => column(field, 'field', type)),
  ]
  return { name, schema: { columns } }
}

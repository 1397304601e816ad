import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from '../engine/engine.ts'

/** Bytes in use now. */
export interface Usage {
  /** Of the engine; its budget is `duckdbMemoryBytes`. */
  readonly memoryBytes: number
  /** Of intermediate results that did not fit into memory. */
  readonly spillBytes: number
  /** Of files on their way in or out. */
  readonly spoolBytes: number
}

/** Asks the engine and the file system; `spool` is a directory. */
export async function readUsage(engine: Engine, spool: string): Promise<Usage> {
  const [row] = await engine.all(
    `SELECT coalesce(sum(memory_usage_bytes), 0)::DOUBLE AS memory, coalesce(sum(temporary_storage_bytes), 0)::DOUBLE AS spilled FROM duckdb_memory()`,
  )
  return { memoryBytes: Number(row?.memory), spillBytes: Number(row?.spilled), spoolBytes: await sizeOf(spool) }
}

/** Of all files below; one that vanishes meanwhile counts nothing. */
async function sizeOf(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(
    files.map(async (file) => {
      const found = await stat(join(file.parentPath, file.name)).catch(() => undefined)
      return found?.size ?? 0
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

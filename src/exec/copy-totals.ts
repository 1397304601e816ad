import type { CopyStats } from '../copy/location.ts'

/** What COPY has moved since the start, in one direction and one format. */
export interface CopyTotal {
  /** `load` read files into tables, `unload` wrote rows to files. */
  readonly direction: 'load' | 'unload'
  /** The name of the format, such as CSV. */
  readonly format: string
  readonly statements: number
  readonly files: number
  readonly rows: bigint
  readonly bytes: number
}

/** Counts the COPY statements that succeeded. */
export class CopyTotals {
  readonly #totals = new Map<string, CopyTotal>()

  add(direction: CopyTotal['direction'], format: string, { files, rows, bytes }: CopyStats): void {
    const key = `${direction} ${format}`
    const before = this.#totals.get(key)
    this.#totals.set(key, {
      direction,
      format,
      statements: (before?.statements ?? 0) + 1,
      files: (before?.files ?? 0) + files,
      rows: (before?.rows ?? 0n) + rows,
      bytes: (before?.bytes ?? 0) + bytes,
    })
  }

  list(): readonly CopyTotal[] {
    return [...this.#totals.values()]
  }
}

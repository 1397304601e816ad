import type { CopyUnit } from './unit.ts'

/** What a run tells while it runs. The JSON form of these is a documented contract: docs/imexport.md. */
export type ProgressEvent =
  | { readonly type: 'phase'; readonly phase: string }
  | { readonly type: 'planned'; readonly verb: 'export' | 'import'; readonly units: number; readonly rows: bigint }
  | { readonly type: 'unit-started'; readonly unit: CopyUnit }
  | { readonly type: 'unit-skipped'; readonly unit: CopyUnit; readonly rows: bigint; readonly reason: string }
  | { readonly type: 'unit-split'; readonly unit: CopyUnit; readonly into: number; readonly error: Error }
  | {
      readonly type: 'unit-finished'
      readonly unit: CopyUnit
      readonly rows: bigint
      readonly bytes: number | undefined
      readonly elapsedMs: number
    }
  | { readonly type: 'unit-failed'; readonly unit: CopyUnit; readonly error: Error }
  /** Something a person should know, though nothing failed. */
  | { readonly type: 'notice'; readonly message: string }

/** Must not throw and must not block: a slow terminal never slows a copy. */
export interface ProgressReporter {
  report(event: ProgressEvent): void
}

/** How a run ended. `failures` empty means everything asked for is done and was checked. */
export interface RunSummary {
  readonly units: number
  readonly skipped: number
  readonly rows: bigint
  readonly bytes: number
  readonly elapsedMs: number
  readonly failures: readonly { readonly what: string; readonly error: Error }[]
  readonly notCarried: readonly string[]
}

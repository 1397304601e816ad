import { systemClock } from '../async/clock.ts'
import type { LoadJob } from './load-job.ts'

/** What a load from a store has come to: half of it is fetching, half storing. */
export class LoadTally {
  readonly #job: LoadJob
  readonly #startedMs = systemClock.elapsedMs()
  #rows = 0n
  #fetched = 0
  #stored = 0

  constructor(job: LoadJob) {
    this.#job = job
  }

  /** Until all has come, at the pace so far. */
  get secondsToCome(): number {
    const seconds = (systemClock.elapsedMs() - this.#startedMs) / 1000
    return ((this.#job.bytes - this.#fetched) * seconds) / Math.max(this.#fetched, 1)
  }

  addFetched(bytes: number): void {
    this.#fetched += bytes
    this.#report()
  }

  addStored(bytes: number): void {
    this.#stored += bytes
    this.#report()
  }

  /** How far a statement over all bytes is. */
  setStored(percent: number, rows: bigint): void {
    this.#stored = (this.#job.bytes * Math.max(percent, 0)) / 100
    this.setRows(rows)
  }

  setRows(rows: bigint): void {
    this.#rows = rows
    this.#report()
  }

  #report(): void {
    const { bytes, options, location } = this.#job
    const total = Math.max(bytes, 1)
    const stored = (this.#stored / total) * 100
    const percent = location.store.files ? stored : (this.#fetched / total) * 50 + stored / 2
    options.onProgress?.({ rows: this.#rows, bytes: location.store.files ? bytes : this.#fetched, percent })
  }
}

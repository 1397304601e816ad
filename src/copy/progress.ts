/** What a running COPY has done so far. */
export interface CopyTally {
  readonly rows: bigint
  /** 0…100; -1 while unknown. */
  readonly percent: number
  /** Moved from or to the location. */
  readonly bytes: number
}

import type { RowSource } from '../../src/engine/table.ts'
import { storedTable } from './engine-fixture.ts'

export const CRASH_ROWS = 60_000
export const CRASH_TABLE = storedTable('t1', ['host'], { generation: 'BIGINT', half: 'BIGINT' })

/** Every row of the table with this generation; every second one twice, the last of the two being right. */
export function generationSource(generation: number): RowSource {
  const distinct = CRASH_ROWS / 2 + CRASH_ROWS / 4
  const key = `CASE WHEN range < ${distinct} THEN range ELSE range - ${distinct} END`
  return {
    from:
      `(SELECT make_timestamp_ns((${key}) // 10), 'h' || ((${key}) % 10), ` +
      `CASE WHEN range < ${CRASH_ROWS / 4} THEN -1 ELSE ${generation} END::BIGINT, NULL::BIGINT FROM range(${CRASH_ROWS}))`,
    columns: ['time', 'host', 'generation', 'half'],
    cheapToReread: false,
  }
}

export const CRASH_KEYS = BigInt(CRASH_ROWS / 2 + CRASH_ROWS / 4)

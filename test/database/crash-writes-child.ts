import { systemClock } from '../../src/async/clock.ts'
import { openDatabase } from '../../src/database.ts'

/**
 * Writers of line protocol in the data directory `argv[2]`, all at once and for ever; each tells `[writer, round]` of
 * every answer. Times of the writers lie side by side, in turns, so that some writes are stored together and some merge.
 */
const ROWS_OF_WRITER = [1, 50, 50, 50, 400, 40_000, 5_000, 5_000, 5_000, 40_000]

const database = await openDatabase({
  dataDir: process.argv[2] as string,
  memoryBytes: 2 ** 28,
  spoolBytes: 2 ** 28,
  copyRoots: [],
  allowEndpoints: [],
  ambientCredentials: false,
  env: {},
  clock: systemClock,
  warn: () => {},
})
const session = await database.authenticate({ user: 'root', password: 'root' })
process.send?.('open')

async function writeForever(writer: number, rows: number): Promise<never> {
  for (let round = 0; ; round += 1) {
    const first = (round * 10 + (writer >> 1)) * 100_000
    const lines = Array.from(
      { length: rows },
      (_, i) => `w,writer=${writer} sent=${rows}i,round=${round}i ${first + i}`,
    )
    await database.writeLineProtocol(session, Buffer.from(lines.join('\n')))
    process.send?.([writer, round])
  }
}

await Promise.all(ROWS_OF_WRITER.map((rows, writer) => writeForever(writer, rows)))

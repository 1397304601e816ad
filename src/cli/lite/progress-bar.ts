import { systemClock } from '../../async/clock.ts'
import type { SqlState } from './run-statement.ts'

const FIRST_AFTER_MS = 700
const EVERY_MS = 500
const WIDTH = 30

/** A progress line on stderr that follows a COPY. `stop` wipes it. */
export interface Progress {
  stop(): Promise<void>
}

interface ListedCopy {
  readonly query_text?: string
  readonly duration?: number
  readonly processed_count?: number
  readonly progress?: number
}

/** Follows the running statement whose redacted text is `text`, through SHOW QUERIES on a connection of its own. */
export function startProgress(state: SqlState, text: string): Progress {
  const stopped = new AbortController()
  const following = follow(state, text, stopped.signal).catch(() => {})
  return {
    async stop() {
      if (stopped.signal.aborted) return
      stopped.abort()
      await following
      process.stderr.write('\r\u001b[K')
    },
  }
}

async function follow(state: SqlState, text: string, signal: AbortSignal): Promise<void> {
  await systemClock.sleep(FIRST_AFTER_MS, { signal })
  for (;;) {
    const copy = await findCopy(state, text, signal)
    if (copy) process.stderr.write(`\r\u001b[K${describeProgress(copy)}`)
    await systemClock.sleep(EVERY_MS, { signal })
  }
}

async function findCopy(
  { connection, scope }: SqlState,
  text: string,
  signal: AbortSignal,
): Promise<ListedCopy | undefined> {
  let json = ''
  for await (const piece of connection.execute('SHOW QUERIES', scope, 'json', { signal })) json += piece
  const queries = JSON.parse(json || '[]') as ListedCopy[]
  return queries.find((query) => query.query_text?.trim() === text.trim())
}

/** `[#########.....................]  30 %  1,200,000 rows  12 s`. */
function describeProgress({ progress, processed_count = 0, duration = 0 }: ListedCopy): string {
  const rows = processed_count > 0 ? `  ${processed_count.toLocaleString('en-US')} rows` : ''
  const seconds = `  ${Math.round(duration)} s`
  if (progress === undefined) return `working …${rows}${seconds}`
  const done = Math.min(WIDTH, Math.max(0, Math.round((progress / 100) * WIDTH)))
  const bar = `[${'#'.repeat(done)}${'.'.repeat(WIDTH - done)}]`
  return `${bar} ${String(Math.round(progress)).padStart(3)} %${rows}${seconds}`
}

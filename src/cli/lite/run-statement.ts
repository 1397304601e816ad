import { redactStatement } from '../../sql/redact.ts'
import { startProgress } from './progress-bar.ts'
import type { FormatName, SqlConnection, SqlScope } from './sql-connection.ts'

/** What statements run with; a shell changes scope and format as it goes. */
export interface SqlState {
  readonly connection: SqlConnection
  scope: SqlScope
  format: FormatName
}

/**
 * Runs one statement and prints its answer, with a line break at its end. On a terminal a COPY INTO shows a bar.
 * Waits while the reader of stdout is slower than the server. Whether there was an answer.
 */
export async function runStatement(sql: string, state: SqlState, signal: AbortSignal): Promise<boolean> {
  const { connection, scope, format } = state
  const isCopy = /^\s*COPY\s+INTO\b/i.test(sql)
  const progress = isCopy && process.stderr.isTTY ? startProgress(state, redactStatement(sql)) : undefined
  let last: string | undefined
  try {
    for await (const piece of connection.execute(sql, scope, format, { signal })) {
      await progress?.stop()
      await print(piece)
      last = piece
    }
  } finally {
    await progress?.stop()
  }
  if (last !== undefined && !last.endsWith('\n')) await print('\n')
  return last !== undefined
}

/** Resolves when stdout took it. A reader that went away (`| head`) ends the program quietly. */
function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (!error) return resolve()
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0)
      reject(error)
    })
  })
}

import { appendFile, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { redactStatement } from '../../sql/redact.ts'

const MAX_LINES = 1000

/** What the shell was told in earlier sessions. Secrets are masked before anything is kept. */
export interface History {
  /** The latest first, as readline wants it. */
  readonly lines: readonly string[]
  add(statement: string): Promise<void>
}

/**
 * The history in CNOSDB_LITE_HISTORY, or `~/.cnosdb_lite_history`; readable by its owner only. Empty text in the
 * variable switches it off. A file that cannot be read or written only means that nothing is remembered.
 */
export async function openHistory(env: Readonly<Record<string, string | undefined>>): Promise<History> {
  const path = env.CNOSDB_LITE_HISTORY ?? join(homedir(), '.cnosdb_lite_history')
  if (path === '') return { lines: [], add: async () => {} }
  const text = await readFile(path, 'utf8').catch(() => '')
  return {
    lines: text.split('\n').filter(Boolean).slice(-MAX_LINES).reverse(),
    async add(statement) {
      const line = redactStatement(statement)
        .replace(/\s*\n\s*/g, ' ')
        .trim()
      await appendFile(path, `${line}\n`, { mode: 0o600 }).catch(() => {})
    },
  }
}

import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { CnosError } from '../../errors/cnos-error.ts'

/** The one line of a password file. Throws USAGE when it cannot be read or is empty. */
export async function readPasswordFile(path: string, flag: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new CnosError('USAGE', `${flag}: ${path} cannot be read: ${reason}`, { cause })
  }
  const password = text.replace(/\r?\n$/, '')
  if (password !== '') return password
  throw new CnosError('USAGE', `${flag}: ${path} is empty`, { hint: 'put the password into its first line' })
}

/** Asks on the terminal, without showing what is typed. */
export async function askPassword(prompt: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    process.stderr.write(prompt)
    const answer = await terminal.question('')
    process.stderr.write('\n')
    return answer
  } finally {
    terminal.close()
  }
}

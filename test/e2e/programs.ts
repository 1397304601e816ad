import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The built programs, as a user runs them. */
export const programs = {
  lite: `${root}bin/cnosdb-lite.cjs`,
  imexport: `${root}bin/cnosdb-imexport.cjs`,
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Ends the program with SIGKILL after this time. */
  readonly killAfterMs?: number
  /** Called with the number of lines on stdout so far, at the start and whenever there are more. */
  readonly onLines?: (lines: number, child: ChildProcess) => void
}

/** Runs a program to its end. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  options.onLines?.(0, child)
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    options.onLines?.(stdout.split('\n').length - 1, child)
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdin.end(options.input ?? '')
  const timer =
    options.killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.killAfterMs)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  return { code, stdout, stderr }
}

export interface RunningServer {
  readonly url: string
  /** `host:port`. */
  readonly address: string
  readonly child: ChildProcess
  readonly stderr: () => string
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts `cnosdb-lite serve` on a free port and resolves when it says that it listens. */
export async function startServer(
  dataDir: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  [command, ...words]: readonly [string, ...string[]] = [process.execPath],
): Promise<RunningServer> {
  const child = spawn(
    command,
    [...words, programs.lite, 'serve', '--data-dir', dataDir, '--listen', '127.0.0.1:0', ...args],
    {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const url = await new Promise<string>((resolve, reject) => {
    let stdout = ''
    child.stdout.on('data', (chunk) => {
      stdout += chunk
      const match = /^cnosdb-lite listening on (http:\/\/\S+)\n/.exec(stdout)
      if (match) resolve(match[1] as string)
    })
    child.once('close', (code) => reject(new Error(`the server ended with ${code}: ${stderr}`)))
  })
  return {
    url,
    address: url.replace('http://', ''),
    child,
    stderr: () => stderr,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      child.kill(signal)
      const [code] = (await once(child, 'close')) as [number | null]
      return code
    },
  }
}

/** One statement over HTTP as root; rejects with the body of an error. */
export async function sql(
  server: { readonly url: string },
  statement: string,
  scope: { tenant?: string; db?: string; accept?: string } = {},
): Promise<string> {
  const url = new URL('/api/v1/sql', server.url)
  if (scope.tenant !== undefined) url.searchParams.set('tenant', scope.tenant)
  if (scope.db !== undefined) url.searchParams.set('db', scope.db)
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa('root:root')}`,
      accept: scope.accept ?? 'text/csv',
      'accept-encoding': 'identity',
    },
    body: statement,
  })
  const body = await answer.text()
  if (answer.status !== 200) throw new Error(`${answer.status} ${body}\n${statement}`)
  return body
}

/** The DDL dump, as root. */
export async function dump(server: { readonly url: string }): Promise<string> {
  const answer = await fetch(new URL('/api/v1/dump/sql/ddl', server.url), {
    headers: { authorization: `Basic ${btoa('root:root')}` },
  })
  if (answer.status !== 200) throw new Error(`dump answered ${answer.status}`)
  return answer.text()
}

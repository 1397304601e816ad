import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../async/clock.ts'
import { parseClusterAddress } from '../../client/cluster-address.ts'
import type { ClusterClient } from '../../client/cluster-client.ts'
import { createHttpClient } from '../../client/http-client.ts'
import { CnosError } from '../../errors/cnos-error.ts'

const PROGRAM = fileURLToPath(new URL('../../../bin/cnosdb-lite.cjs', import.meta.url))

/** A cnosdb-lite process of its own, as a user starts it. */
export interface DemoServer {
  readonly url: string
  readonly client: ClusterClient
  stop(): Promise<void>
  kill(): void
}

/** Starts the server on a free port. Rejects with CLUSTER_UNREACHABLE and its log when it does not come up. */
export async function startDemoServer(dataDir: string): Promise<DemoServer> {
  const args = [PROGRAM, 'serve', '--data-dir', dataDir, '--listen', '127.0.0.1:0', '--log-level', 'warn']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: withoutPassword() })
  const url = await listeningUrl(child)
  const address = parseClusterAddress(`root@${url.replace('http://', '')}`, '--src')
  return {
    url,
    client: createHttpClient(address, { clock: systemClock, password: 'root' }),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'close')
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

/** A password meant for another server is not this one's. */
function withoutPassword(): NodeJS.ProcessEnv {
  const { CNOSDB_ROOT_PASSWORD: _, ...env } = process.env
  return env
}

async function listeningUrl(child: ChildProcess & { readonly stdout: NonNullable<ChildProcess['stdout']> }) {
  let log = ''
  child.stderr?.on('data', (chunk) => {
    log += chunk
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^cnosdb-lite listening on (\S+)$/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new CnosError('CLUSTER_UNREACHABLE', `cnosdb-lite did not start: ${log}`)
}

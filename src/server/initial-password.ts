import { isIPv4 } from 'node:net'
import type { Database } from '../database.ts'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'

interface Listening {
  readonly host: string
  readonly allowInitialPassword?: boolean | undefined
}

/** Whoever reaches the port of a server whose root password is `root` owns it: throws USAGE beyond loopback. */
export async function refuseInitialPassword(database: Database, options: Listening): Promise<void> {
  if (options.allowInitialPassword || isLoopback(options.host) || !(await hasInitialPassword(database))) return
  throw new CnosError('USAGE', `Refused to listen on ${options.host}: user root still has the initial password`, {
    hint: "change it on a loopback address with ALTER USER root SET password = '…', give a fresh data directory one by --root-password-file or CNOSDB_ROOT_PASSWORD, or accept the risk with --insecure",
  })
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

async function hasInitialPassword(database: Database): Promise<boolean> {
  try {
    await database.authenticate({ user: 'root', password: 'root' })
    return true
  } catch (error) {
    if (isCnosError(error, 'ACCESS_DENIED')) return false
    throw error
  }
}

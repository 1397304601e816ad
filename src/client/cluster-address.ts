import { CnosError } from '../errors/cnos-error.ts'

/** Where a cluster is and who asks. Print `label`, never the whole. */
export interface ClusterAddress {
  /** Origin without credentials, such as `http://127.0.0.1:8902`. */
  readonly origin: string
  /** `host:port`, for messages. */
  readonly label: string
  readonly user: string
  /** Absent when the text has none; it may come from a file, the environment or a prompt. */
  readonly password: string | undefined
}

const DEFAULT_PORT = 8902

/**
 * Parses `user:password@host:port`, optionally with `http://` or `https://`. The last `@` ends the credentials and the
 * first `:` ends the user, so a password may hold both. IPv6 in brackets. The port defaults to 8902.
 * Throws USAGE without repeating the password.
 */
export function parseClusterAddress(text: string, flag: string): ClusterAddress {
  const [, scheme = 'http', rest = ''] = /^(?:(https?):\/\/)?(.*)$/s.exec(text) ?? []
  const at = rest.lastIndexOf('@')
  const credentials = at < 0 ? '' : rest.slice(0, at)
  const host = rest.slice(at + 1).replace(/\/+$/, '')
  const colon = credentials.indexOf(':')
  const user = colon < 0 ? credentials : credentials.slice(0, colon)
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]/?#@\s]+)(?::(\d{1,5}))?$/.exec(host)
  const port = Number(match?.[2] ?? DEFAULT_PORT)
  if (!match || port > 65_535) {
    // Where the host was forgotten, what stands for it is the password.
    const shown = at < 0 && host.includes(':') ? '' : ` '${host}'`
    throw new CnosError('USAGE', `${flag}: this is not a host and port${shown}`, {
      hint: `write ${flag} user:password@host:port, for example ${flag} root:secret@127.0.0.1:8902`,
    })
  }
  return {
    origin: `${scheme}://${match[1]}:${port}`,
    label: `${match[1]}:${port}`,
    user: user === '' ? 'root' : user,
    password: colon < 0 ? undefined : credentials.slice(colon + 1),
  }
}

import { BlockList, isIP } from 'node:net'
import { CnosError } from '../errors/cnos-error.ts'

const CLOUD_HOSTS = [
  /(^|\.)s3[a-z]*([.-][a-z0-9.-]+)?\.amazonaws\.com(\.cn)?$/,
  /(^|\.)storage\.googleapis\.com$/,
  /^oauth2\.googleapis\.com$/,
  /^[a-z0-9]+\.blob\.core\.(windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)$/,
] as const

const METADATA_HOSTS = new Set(['metadata', 'metadata.google.internal', 'metadata.goog', 'instance-data'])

const metadataAddresses = new BlockList()
metadataAddresses.addSubnet('169.254.0.0', 16, 'ipv4')
metadataAddresses.addAddress('100.100.100.200', 'ipv4')
metadataAddresses.addAddress('192.0.0.192', 'ipv4')
metadataAddresses.addSubnet('fe80::', 10, 'ipv6')
metadataAddresses.addAddress('fd00:ec2::254', 'ipv6')
metadataAddresses.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')

const loopbackAddresses = new BlockList()
loopbackAddresses.addSubnet('127.0.0.0', 8, 'ipv4')
loopbackAddresses.addAddress('0.0.0.0', 'ipv4')
loopbackAddresses.addAddress('::1', 'ipv6')
loopbackAddresses.addAddress('::', 'ipv6')

const isIn = (list: BlockList, host: string) => {
  const family = isIP(host)
  return family !== 0 && list.check(host, family === 6 ? 'ipv6' : 'ipv4')
}

/** A URL's host in lower case, without the brackets of IPv6 and without a root dot. */
export function bareHost(url: URL): string {
  const host = url.hostname.toLowerCase().replace(/\.$/, '')
  return host.startsWith('[') ? host.slice(1, -1) : host
}

/** Whether an address belongs to a cloud's instance metadata service or is link-local: never reached for a statement. */
export function isMetadataAddress(address: string): boolean {
  return isIn(metadataAddresses, address)
}

/** Whether a host is this machine: a store here is an emulator. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || isIn(loopbackAddresses, host)
}

/**
 * Which hosts a statement may reach, as the function of StoreContext: the clouds' own hosts always, loopback for
 * administrators, `allowEndpoints` (`host`, `host:port`, `*.suffix` or a URL) for everybody, `*` for all hosts; metadata services never.
 */
export function endpointPolicy(allowEndpoints: readonly string[], isAdmin: boolean): (endpoint: URL) => void {
  const allowed = allowEndpoints.map(parseAllowed)
  return (endpoint) => {
    const host = bareHost(endpoint)
    if (METADATA_HOSTS.has(host) || isMetadataAddress(host)) {
      throw denied(endpoint, 'this is a metadata service; no setting opens it')
    }
    if (CLOUD_HOSTS.some((pattern) => pattern.test(host))) return
    if (isAdmin && isLoopbackHost(host)) return
    if (allowed.some((matches) => matches(endpoint, host))) return
    throw denied(endpoint, `start the server with --allow-endpoint ${endpoint.host} to permit it`)
  }
}

function denied(endpoint: URL, hint: string): CnosError {
  return new CnosError('PATH_NOT_ALLOWED', `the server does not let you reach ${endpoint.protocol}//${endpoint.host}`, {
    hint,
  })
}

function parseAllowed(entry: string): (endpoint: URL, host: string) => boolean {
  if (entry === '*') return () => true
  if (entry.startsWith('*.')) {
    const suffix = entry.slice(1).toLowerCase()
    return (_, host) => host.endsWith(suffix)
  }
  const hasScheme = entry.includes('://')
  const text = hasScheme ? entry : `http://${isIP(entry) === 6 ? `[${entry}]` : entry}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || url.hostname === '') {
    throw new CnosError('USAGE', `--allow-endpoint ${entry} is no host`, {
      hint: 'write host, host:port, *.suffix or http://host:port',
    })
  }
  const wanted = bareHost(url)
  const port = portOf(entry, url)
  return (endpoint, host) =>
    host === wanted &&
    (port === undefined || port === effectivePort(endpoint)) &&
    (!hasScheme || url.protocol === endpoint.protocol)
}

/** A bare host permits every port. The default port vanishes from a parsed URL, so it is looked up in the text. */
function portOf(entry: string, url: URL): string | undefined {
  if (entry.includes('://')) return effectivePort(url)
  return isIP(entry) !== 6 && /:\d+$/.test(entry) ? effectivePort(url) : undefined
}

const effectivePort = (url: URL) => url.port || (url.protocol === 'https:' ? '443' : '80')

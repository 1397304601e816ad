import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { LookupFunction } from 'node:net'
import { CnosError } from '../errors/cnos-error.ts'
import { isLoopbackHost, isMetadataAddress } from './endpoint-policy.ts'

const AGENT_OPTIONS = { keepAlive: true, maxSockets: 128, timeout: 60_000 } as const

/**
 * Resolves names, except to a metadata service: a harmless-looking name may point there. `*.localhost` is this machine,
 * as RFC 6761 has it.
 */
const guardedLookup: LookupFunction = (hostname, options, callback) => {
  const name = isLoopbackHost(hostname.toLowerCase()) && hostname.includes('.') ? 'localhost' : hostname
  systemLookup(name, options as LookupOptions, (error, address, family) => {
    const found: readonly string[] = Array.isArray(address)
      ? address.map((entry: LookupAddress) => entry.address)
      : [address as unknown as string]
    const refused = error ? undefined : found.find(isMetadataAddress)
    if (refused === undefined) callback(error, address as string, family)
    else callback(metadataRefused(hostname, refused), address as string, family)
  })
}

function metadataRefused(hostname: string, address: string): CnosError {
  return new CnosError('PATH_NOT_ALLOWED', `${hostname} resolves to the link-local address ${address}`, {
    hint: 'metadata services are never reached for a statement',
  })
}

/** Connections of all stores, kept alive between statements. No request state lives in them. */
export const httpAgent = new HttpAgent({ ...AGENT_OPTIONS, lookup: guardedLookup })
export const httpsAgent = new HttpsAgent({ ...AGENT_OPTIONS, lookup: guardedLookup })

import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { CnosError } from '../errors/cnos-error.ts'
import { isLoopbackHost, isMetadataAddress } from './endpoint-policy.ts'

const AGENT_OPTIONS = { keepAlive: true, maxSockets: 128, timeout: 60_000 } as const

/**
 * A lookup for connections that refuses metadata services: a harmless-looking name may point there. `*.localhost` is
 * this machine, as RFC 6761 has it.
 */
export function guardLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    const name = isLoopbackHost(hostname.toLowerCase()) && isIP(hostname) === 0 ? 'localhost' : hostname
    lookup(name, options, (error, address, family) => {
      const found = Array.isArray(address) ? address.map((entry: LookupAddress) => entry.address) : [address]
      const refused = error ? undefined : found.find(isMetadataAddress)
      if (refused === undefined) callback(error, address, family)
      else callback(metadataRefused(hostname, refused), address, family)
    })
  }
}

function metadataRefused(hostname: string, address: string): CnosError {
  return new CnosError('PATH_NOT_ALLOWED', `${hostname} resolves to the link-local address ${address}`, {
    hint: 'metadata services are never reached for a statement',
  })
}

const lookup = guardLookup(systemLookup as LookupFunction)

/** Connections of all stores, kept alive between statements. No request state lives in them. */
export const httpAgent = new HttpAgent({ ...AGENT_OPTIONS, lookup })
export const httpsAgent = new HttpsAgent({ ...AGENT_OPTIONS, lookup })

import { CnosError } from '../errors/cnos-error.ts'
import { type OptionLiteral, parseOptions } from '../options/option-spec.ts'
import { azblob } from './azblob.ts'
import { gcs } from './gcs.ts'
import { local } from './local.ts'
import type { ObjectStore } from './object-store.ts'
import { s3 } from './s3.ts'
import type { StoreContext, StoreDriver, StoreUrl } from './store-driver.ts'

/** Every store COPY INTO can open. */
export const storeDrivers: readonly StoreDriver[] = [local, s3, gcs, azblob]

/** The driver of a URL scheme, in any case; BAD_OPTION for a scheme nobody speaks. */
export function findDriver(scheme: string): StoreDriver {
  const wanted = scheme.toLowerCase()
  const driver = storeDrivers.find((candidate) => candidate.schemes.includes(wanted))
  if (driver) return driver
  throw new CnosError('BAD_OPTION', `Semantic error: Unsupported url schema [${wanted}]`, {
    hint: `use one of ${storeDrivers.flatMap((known) => known.schemes.map((name) => `${name}://`)).join(', ')}`,
  })
}

/** Checks the CONNECTION options and opens the store without I/O. Local files take any CONNECTION and ignore it. */
export function openStore(
  url: StoreUrl,
  connection: ReadonlyMap<string, OptionLiteral>,
  context: StoreContext,
): ObjectStore {
  const driver = findDriver(url.scheme)
  const literals = driver === local ? new Map<string, OptionLiteral>() : connection
  return driver.open(url, parseOptions(driver.connection, literals, { clause: 'CONNECTION' }), context)
}

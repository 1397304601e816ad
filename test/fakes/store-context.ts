import { systemClock } from '../../src/async/clock.ts'
import { endpointPolicy } from '../../src/store/endpoint-policy.ts'
import type { StoreContext } from '../../src/store/store-driver.ts'

/** A StoreContext for tests: an administrator's, impatient, without any credential of this machine. */
export function testStoreContext(changes: Partial<StoreContext> = {}): StoreContext {
  return {
    clock: systemClock,
    env: {},
    ambientCredentials: false,
    checkEndpoint: endpointPolicy([], true),
    warn: () => {},
    patience: { baseDelayMs: 5, maxDelayMs: 50, stallMs: 5_000 },
    ...changes,
  }
}

import { defineConfig } from 'vitest/config'

/** `npm run test:stores`: against a real store; see endpoint.stores.ts. */
export default defineConfig({
  test: {
    testTimeout: 300_000,
    hookTimeout: 300_000,
    env: { UV_THREADPOOL_SIZE: '16', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    pool: 'forks',
    include: ['test/stores/*.stores.ts'],
    allowOnly: false,
    passWithNoTests: false,
  },
})

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/async/clock.ts'
import { openStore } from '../../src/store/registry.ts'
import { describeObjectStore } from './object-store.ts'

describeObjectStore('local', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-local-'))
  const context = {
    clock: systemClock,
    env: {},
    ambientCredentials: false,
    checkEndpoint: () => {},
    warn: () => {},
    localRoots: [directory],
  }
  const store = openStore({ scheme: 'file', bucket: '', path: directory }, new Map(), context)
  return {
    store,
    missing: openStore({ scheme: 'file', bucket: '', path: '/' }, new Map(), { ...context, localRoots: undefined }),
    prefix: `${directory.slice(1)}/`,
    unfinishedUploads: async () => (await readdir(directory, { recursive: true })).filter((name) => /#\d+$/.test(name)),
    close: () => rm(directory, { recursive: true, force: true }),
  }
})

import { readdir, readlink, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_EVERY_MS = 100

export interface FinishedFile {
  readonly path: string
  readonly sizeBytes: number
}

/**
 * The files an encoder leaves in `directory`, each as soon as it will not change any more. While `encoding` runs, that
 * is told by the system: a later file exists and this process has the file no longer open. Where the system does not
 * tell (it does on Linux), all files come when `encoding` has ended. Throws what `encoding` rejects with.
 */
export async function* finishedFiles(directory: string, encoding: Promise<unknown>): AsyncIterable<FinishedFile> {
  const given = new Set<string>()
  const state = { hasEnded: false }
  const ended = encoding.then(
    () => {
      state.hasEnded = true
    },
    () => {
      state.hasEnded = true
    },
  )
  while (!state.hasEnded) {
    await Promise.race([ended, delay(LOOK_EVERY_MS)])
    if (state.hasEnded) break
    for (const file of await closedFiles(directory, given)) yield file
  }
  await encoding
  for (const name of await namesIn(directory)) {
    if (given.has(name)) continue
    const path = join(directory, name)
    yield { path, sizeBytes: (await stat(path)).size }
  }
}

async function closedFiles(directory: string, given: Set<string>): Promise<readonly FinishedFile[]> {
  const names = await namesIn(directory)
  const candidates = names.slice(0, -1).filter((name) => !given.has(name))
  if (candidates.length === 0) return []
  const open = await openFiles()
  if (!open) return []
  const closed: FinishedFile[] = []
  for (const name of candidates) {
    const path = join(directory, name)
    if (open.has(resolve(path))) continue
    given.add(name)
    closed.push({ path, sizeBytes: (await stat(path)).size })
  }
  return closed
}

/** In the order they were begun: `data_2` before `data_10`. */
async function namesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => [])
  const numberOf = (name: string) => Number(/\d+/.exec(name)?.[0] ?? 0)
  return names.sort((a, b) => numberOf(a) - numberOf(b))
}

/** The real paths of the files this process has open; undefined where the system does not list them. */
async function openFiles(): Promise<ReadonlySet<string> | undefined> {
  if (process.platform !== 'linux') return undefined
  const descriptors = await readdir('/proc/self/fd').catch(() => undefined)
  if (!descriptors) return undefined
  const paths = await Promise.all(descriptors.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
  return new Set(paths)
}

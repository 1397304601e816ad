import type { Session } from '../engine/engine.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import type { LocalFile } from '../format/file-format.ts'
import type { Fetching } from './fetch.ts'
import { appendArriving, type LoadJob, mappingOf, readerOf } from './load-job.ts'
import type { LoadTally } from './load-tally.ts'
import type { ColumnMapping } from './target-columns.ts'

/** What a quick machine loads: the table is held about as long as that takes, however slow the store is. */
const LOADED_BYTES_PER_SECOND = 64 * 1024 * 1024
/** For the next file, while the table is held. */
const LONGEST_WAIT_MS = 10_000

/**
 * Loads files while the next are fetched. Undefined, and the table as it was, when that cannot be done or something is
 * wrong with the files: reading all of them at once, in order, does it or tells what it is.
 */
export async function loadInParts(job: LoadJob, fetching: Fetching, tally: LoadTally): Promise<bigint | undefined> {
  const { sources, options } = job
  const first = await firstFiles(job, fetching, tally)
  if (first.length === sources.length) return undefined
  try {
    const mapping = await mappingOf(job, first)
    const columns = mapping.columns.map(({ name }) => name)
    const parts = (session: Session) => readParts({ job, fetching, tally, mapping }, session)
    return await appendArriving(job, { columns, parts }, (_, rows) => tally.setRows(rows))
  } catch (error) {
    options.signal?.throwIfAborted()
    if (isCnosError(error, 'NO_SPACE', 'OUT_OF_MEMORY')) throw error
    return undefined
  }
}

/** Waits until the rest will have come before a quick machine would have loaded everything. */
async function firstFiles({ sources, bytes }: LoadJob, fetching: Fetching, tally: LoadTally) {
  for (const i of sources.keys()) {
    await fetching.file(i)
    if (tally.secondsToCome <= bytes / LOADED_BYTES_PER_SECOND) break
  }
  return fetching.filesHere(0)
}

interface Parts {
  readonly job: LoadJob
  readonly fetching: Fetching
  readonly tally: LoadTally
  readonly mapping: ColumnMapping
}

/** FROM items, each over the files that have come meanwhile. */
async function* readParts({ job, fetching, tally, mapping }: Parts, session: Session): AsyncIterable<string> {
  const { sources, location, options } = job
  const files: LocalFile[] = []
  while (files.length < sources.length) {
    await within(options.longestWaitMs ?? LONGEST_WAIT_MS, fetching.file(files.length))
    const part = await fetching.filesHere(files.length)
    const reader = await readerOf(job, part, mapping, session)
    yield reader.from
    for (const source of sources.slice(files.length, files.length + part.length)) tally.addStored(source.sizeBytes)
    files.push(...part)
  }
  if (location.autoInferSchema) requireSame(mapping, await mappingOf(job, files, session))
}

async function within<T>(ms: number, waiting: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the store has become slow')), ms)
  })
  try {
    return await Promise.race([waiting, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The first files may lack columns that others have. */
function requireSame(first: ColumnMapping, all: ColumnMapping): void {
  if (JSON.stringify(first) !== JSON.stringify(all)) throw new Error('the files together have other columns')
}

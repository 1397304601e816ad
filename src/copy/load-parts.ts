import type { Session } from '../engine/engine.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import type { LocalFile } from '../format/file-format.ts'
import type { Fetching } from './fetch.ts'
import { appendArriving, type LoadJob, mappingOf, type OverlapLimits, readerOf } from './load-job.ts'
import type { LoadTally } from './load-tally.ts'
import type { ColumnMapping } from './target-columns.ts'

const LIMITS: OverlapLimits = {
  fetchFirstBytes: 64 * 1024 * 1024,
  loadedBytesPerSecond: 64 * 1024 * 1024,
  longestWaitMs: 10_000,
}

/** Where a part ends the table has row groups that are not full, and the checkpoint afterwards puts them together. */
const MOST_PARTS = 8

/**
 * Loads files while the next are fetched. Undefined, and the table as it was, when that cannot be done or something is
 * wrong with the files: reading all of them at once, in order, does it or tells what it is.
 */
export async function loadInParts(job: LoadJob, fetching: Fetching, tally: LoadTally): Promise<bigint | undefined> {
  const { sources, bytes, options } = job
  const limits = { ...LIMITS, ...options.overlap }
  if (bytes <= limits.fetchFirstBytes) return undefined
  await untilRestIsNear(job, limits, fetching, tally)
  const first = await fetching.filesHere(0)
  if (first.length === sources.length) return undefined
  try {
    const mapping = await mappingOf(job, first)
    const columns = mapping.columns.map(({ name }) => name)
    const parts = (session: Session) => readParts({ job, fetching, tally, mapping, limits }, session)
    return await appendArriving(job, { columns, parts }, (_, rows) => tally.setRows(rows))
  } catch (error) {
    options.signal?.throwIfAborted()
    if (isCnosError(error, 'NO_SPACE', 'OUT_OF_MEMORY')) throw error
    return undefined
  }
}

/** Until there is a part, and the rest will have come before a quick machine would have loaded everything. */
async function untilRestIsNear(
  { sources, bytes }: LoadJob,
  { loadedBytesPerSecond }: OverlapLimits,
  fetching: Fetching,
  tally: LoadTally,
): Promise<void> {
  let here = 0
  for (const [i, { sizeBytes }] of sources.entries()) {
    await fetching.file(i)
    here += sizeBytes
    if (here >= bytes / MOST_PARTS && tally.secondsToCome <= bytes / loadedBytesPerSecond) return
  }
}

interface Parts {
  readonly job: LoadJob
  readonly fetching: Fetching
  readonly tally: LoadTally
  readonly mapping: ColumnMapping
  readonly limits: OverlapLimits
}

/** FROM items, each over the files that have come meanwhile. */
async function* readParts(parts: Parts, session: Session): AsyncIterable<string> {
  const { job, tally, mapping } = parts
  const { sources, location } = job
  const files: LocalFile[] = []
  while (files.length < sources.length) {
    const part = await nextPart(parts, files.length)
    const reader = await readerOf(job, part, mapping, session)
    yield reader.from
    for (const source of sources.slice(files.length, files.length + part.length)) tally.addStored(source.sizeBytes)
    files.push(...part)
  }
  if (location.autoInferSchema) requireSame(mapping, await mappingOf(job, files, session))
}

/** From file `first` on, once there is enough of them. */
async function nextPart({ job, fetching, limits }: Parts, first: number): Promise<readonly LocalFile[]> {
  const { sources, bytes } = job
  let here = 0
  for (let i = first; i < sources.length && here < bytes / MOST_PARTS; i += 1) {
    await within(limits.longestWaitMs, fetching.file(i))
    here += sources[i]?.sizeBytes ?? 0
  }
  return fetching.filesHere(first)
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

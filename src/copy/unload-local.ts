import { mkdir, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Abortable } from '../async/abort.ts'
import { localStoreError } from '../store/local-error.ts'
import { makeDirectories } from '../store/make-directories.ts'
import type { FileAccess } from '../store/object-store.ts'
import { type FinishedFile, finishedFiles } from './finished-files.ts'
import { gzipFile } from './gzip-file.ts'
import type { CopyStats } from './location.ts'
import { encodedSelect, encodeOptions, fileBytesOf, fileName, pathBelow, type UnloadJob } from './unload-job.ts'

/**
 * Encodes in a hidden directory inside the target, whose name no load takes for data, and renames the files when all
 * of them are complete: whatever happens before, no reader sees an export that is not whole.
 */
export async function unloadLocal(job: UnloadJob, files: FileAccess): Promise<CopyStats> {
  const { location, options } = job
  const target = await files.filePath(location.path)
  const firstMade = await makeDirectory(target)
  const hidden = join(target, `.unload-${options.queryId}#${options.taskId}`)
  let isKept = false
  try {
    await makeHidden(hidden)
    const { rows, encoded } = await encode(job, hidden)
    if (rows === 0n) return { files: 0, rows, bytes: 0 }
    await publish(job, files, encoded)
    isKept = true
    return { files: encoded.length, rows, bytes: encoded.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
  } finally {
    await rm(hidden, { recursive: true, force: true })
    if (!isKept && firstMade !== undefined) await removeEmpty(target, firstMade)
  }
}

/** Resolves with the first directory that had to be made. */
async function makeDirectory(target: string): Promise<string | undefined> {
  try {
    return await makeDirectories(target)
  } catch (error) {
    throw localStoreError(error, target)
  }
}

async function makeHidden(hidden: string): Promise<void> {
  try {
    await mkdir(hidden, { mode: 0o700 })
  } catch (error) {
    throw localStoreError(error, dirname(hidden))
  }
}

async function removeEmpty(target: string, firstMade: string): Promise<void> {
  for (let directory = target; directory.length >= firstMade.length; directory = dirname(directory)) {
    try {
      await rmdir(directory)
    } catch {
      return
    }
  }
}

interface Encoded {
  readonly rows: bigint
  readonly encoded: readonly FinishedFile[]
}

async function encode(job: UnloadJob, hidden: string): Promise<Encoded> {
  const { engine, relation, writer, options } = job
  const { signal: outer, onProgress } = options
  const stop = new AbortController()
  const signal = outer ? AbortSignal.any([outer, stop.signal]) : stop.signal
  const directory = join(hidden, 'rows')
  const encoding = engine.copyTo(encodedSelect(job, relation.select), directory, encodeOptions(job, fileBytesOf(job)), {
    signal,
    onProgress: onProgress && (({ percent, rows }) => onProgress({ percent, rows, bytes: 0 })),
  })
  try {
    const encoded: FinishedFile[] = []
    for await (const file of finishedFiles(directory, encoding)) {
      encoded.push(writer.compression === 'gzip' ? await gzipFile(file, { signal }) : file)
    }
    return { rows: await encoding, encoded }
  } catch (error) {
    stop.abort(error)
    await encoding.catch(() => {})
    outer?.throwIfAborted()
    throw localStoreError(error, job.location.url)
  }
}

/** Either every file gets its name, or none keeps it. */
async function publish(job: UnloadJob, access: FileAccess, encoded: readonly FinishedFile[]): Promise<void> {
  const { location, options } = job
  const published: string[] = []
  const waiting: Abortable = { signal: options.signal }
  try {
    for (const [n, { path }] of encoded.entries()) {
      const name = pathBelow(location, fileName(job, n))
      published.push(name)
      await access.adopt(name, path, waiting)
    }
  } catch (error) {
    for (const name of published) await location.store.delete(name).catch(() => {})
    throw error
  }
}

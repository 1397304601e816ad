import { chmod, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CnosError } from '../errors/cnos-error.ts'

const FORMAT = 'cnosdb-lite'
/** Raised when an older program could misread what this one writes. */
const VERSION = 1
const FORMAT_FILE = 'format.json'

const OTHER_DIRECTORY = 'choose another data directory.'

/** Directories open in this process: DuckDB's own lock only keeps other processes out. */
const claimed = new Set<string>()

export function dataDirectoryError(directory: string, reason: string, hint: string, cause?: unknown): CnosError {
  return new CnosError('DATA_DIRECTORY', `The data directory ${directory} ${reason}.`, { cause, hint })
}

/**
 * Makes the directory of `databaseFile` when missing, checks the version in its `format.json`, and keeps this process
 * from opening it twice. Resolves with the release. Rejects with DATA_DIRECTORY, having changed nothing there.
 */
export async function claimDataDirectory(databaseFile: string): Promise<() => void> {
  const directory = dirname(databaseFile)
  const real = await makeDirectory(directory)
  if (claimed.has(real)) {
    throw dataDirectoryError(directory, 'is already open in this process', `Close it first, or ${OTHER_DIRECTORY}`)
  }
  claimed.add(real)
  try {
    await checkFormat(directory, basename(databaseFile))
  } catch (error) {
    claimed.delete(real)
    throw error
  }
  return () => {
    claimed.delete(real)
  }
}

async function makeDirectory(directory: string): Promise<string> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    return await realpath(directory)
  } catch (error) {
    throw unusable(directory, error)
  }
}

async function checkFormat(directory: string, databaseName: string): Promise<void> {
  const text = await readFormat(directory)
  if (text !== undefined) return checkVersion(directory, text)
  if (await exists(join(directory, databaseName))) {
    throw dataDirectoryError(
      directory,
      `holds ${databaseName} but no ${FORMAT_FILE}`,
      `Restore ${FORMAT_FILE} from a backup of the directory, or ${OTHER_DIRECTORY}`,
    )
  }
  try {
    await makePrivate(directory)
    await writeFormat(directory)
  } catch (error) {
    throw unusable(directory, error)
  }
}

/** Rows and password hashes are nobody else's. A directory that belongs to another user stays as it is. */
async function makePrivate(directory: string): Promise<void> {
  const { uid } = await stat(directory)
  if (uid === process.getuid?.()) await chmod(directory, 0o700)
}

async function readFormat(directory: string): Promise<string | undefined> {
  try {
    return await readFile(join(directory, FORMAT_FILE), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusable(directory, error)
  }
}

function checkVersion(directory: string, text: string): void {
  const { format, version } = parseFormat(text)
  if (format !== FORMAT || !Number.isSafeInteger(version)) {
    throw dataDirectoryError(
      directory,
      `has a ${FORMAT_FILE} that this program did not write`,
      `Restore ${FORMAT_FILE} from a backup of the directory, or ${OTHER_DIRECTORY}`,
    )
  }
  if ((version as number) > VERSION) {
    throw dataDirectoryError(
      directory,
      `was written by a newer version (format ${version}, this program knows up to ${VERSION})`,
      `Start the version that wrote it, or ${OTHER_DIRECTORY}`,
    )
  }
}

function parseFormat(text: string): { readonly format?: unknown; readonly version?: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** Whole or not at all: a crash in between must not leave a file that the next start refuses. */
async function writeFormat(directory: string): Promise<void> {
  const temporary = join(directory, `${FORMAT_FILE}.new`)
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify({ format: FORMAT, version: VERSION })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, join(directory, FORMAT_FILE))
  await rm(temporary, { force: true })
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}

function unusable(directory: string, error: unknown): CnosError {
  const reason = error instanceof Error ? error.message : String(error)
  return dataDirectoryError(
    directory,
    `cannot be used: ${reason}`,
    `Check its permissions, or ${OTHER_DIRECTORY}`,
    error,
  )
}

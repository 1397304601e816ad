import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { CnosError } from '../errors/cnos-error.ts'
import { localStoreError } from './local-error.ts'

const isWindows = sep === '\\'
const STATE_OF_THE_MACHINE = isWindows ? [] : ['/proc', '/sys']

/** The absolute file of an object path, `.` and `..` resolved; a leading slash, or none, means the same. */
export function fileOf(path: string): string {
  const trimmed = path.replace(/^\/+/, '')
  return resolve(isWindows ? trimmed.replaceAll('/', '\\') : `/${trimmed}`)
}

/** The object path of an absolute file. */
export function pathOf(file: string): string {
  return isWindows ? file.replaceAll('\\', '/') : file.slice(1)
}

/**
 * Returns `file` itself when it lies in one of `roots` after every symbolic link is followed (a tail that does not exist
 * yet counts as written); PATH_NOT_ALLOWED otherwise. `undefined` permits everything but the state of the machine (the
 * server's environment, which may hold keys, is a file there); an empty list nothing.
 */
export async function confineToRoots(file: string, roots: readonly string[] | undefined): Promise<string> {
  const real = await realpathOfExistingPart(resolve(file))
  if (STATE_OF_THE_MACHINE.some((directory) => isInside(real, directory))) throw noFile(file)
  if (roots === undefined) return file
  for (const root of roots) {
    if (isInside(real, await realpathOfExistingPart(resolve(root)))) return file
  }
  throw outsideRoots(file, roots)
}

/** Whether `file` is `root` or lies below it. */
export function isInside(file: string, root: string): boolean {
  return file === root || file.startsWith(root.endsWith(sep) ? root : root + sep)
}

function noFile(file: string): CnosError {
  return new CnosError('PATH_NOT_ALLOWED', `the server does not let COPY reach ${file}`, {
    context: { store: 'file://', path: file },
    hint: 'what lies there is the state of the machine and no data',
  })
}

function outsideRoots(file: string, roots: readonly string[]): CnosError {
  return new CnosError('PATH_NOT_ALLOWED', `the server does not let COPY reach ${file}`, {
    context: { store: 'file://', path: file },
    hint:
      roots.length === 0
        ? 'start the server with --copy-root DIR to permit one'
        : `use a path below ${roots.join(' or ')}`,
  })
}

async function realpathOfExistingPart(file: string): Promise<string> {
  try {
    return await realpath(file)
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!missing || dirname(file) === file) throw localStoreError(error, file)
    return join(await realpathOfExistingPart(dirname(file)), basename(file))
  }
}

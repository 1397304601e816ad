import { CnosError } from '../errors/cnos-error.ts'
import type { ErrorName } from '../errors/codes.ts'

interface Translation {
  readonly name: ErrorName
  readonly text: string
  readonly hint?: string
}

const TRANSLATIONS: Readonly<Record<string, Translation>> = {
  ENOENT: { name: 'OBJECT_NOT_FOUND', text: 'not found' },
  EISDIR: {
    name: 'OBJECT_NOT_FOUND',
    text: 'not found: is directory',
    hint: 'end the path with / to mean the files inside',
  },
  ENOTDIR: {
    name: 'STORE_BAD_REQUEST',
    text: 'cannot be used: a part of the path that must be a directory is a file',
    hint: 'choose another path, or move the file away',
  },
  EEXIST: {
    name: 'STORE_BAD_REQUEST',
    text: 'cannot be used: a file is where a directory is needed',
    hint: 'choose another path, or move the file away',
  },
  EACCES: { name: 'STORE_ACCESS_DENIED', text: 'permission denied' },
  EPERM: { name: 'STORE_ACCESS_DENIED', text: 'operation not permitted' },
  EROFS: { name: 'STORE_ACCESS_DENIED', text: 'the file system is read-only' },
  ENAMETOOLONG: { name: 'STORE_BAD_REQUEST', text: 'the name is too long for this file system' },
  ELOOP: { name: 'STORE_BAD_REQUEST', text: 'too many symbolic links' },
  ERR_INVALID_ARG_VALUE: { name: 'STORE_BAD_REQUEST', text: 'the name holds a NUL character' },
  ENOSPC: { name: 'NO_SPACE', text: 'no space left on device', hint: 'free space there, or choose another path' },
  EDQUOT: { name: 'NO_SPACE', text: 'disk quota exceeded', hint: 'free space there, or choose another path' },
  EMFILE: { name: 'STORE_UNAVAILABLE', text: 'too many open files' },
  ENFILE: { name: 'STORE_UNAVAILABLE', text: 'too many open files on this machine' },
}

const ACCESS_HINT = 'let the operating-system user of the server reach it, or choose another path'

/** The CnosError of a failed file operation on `file`, an absolute path. Abort reasons and CnosErrors pass through. */
export function localStoreError(error: unknown, file: string): unknown {
  if (error instanceof CnosError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  if (code === undefined || code === 'ABORT_ERR') return error
  const known = TRANSLATIONS[code]
  const text = known?.text ?? (error as Error).message
  const hint = known?.hint ?? (known?.name === 'STORE_ACCESS_DENIED' ? ACCESS_HINT : undefined)
  return new CnosError(known?.name ?? 'STORE_BAD_REQUEST', `object store error: Object at location ${file}: ${text}`, {
    cause: error,
    context: { store: 'file://', path: file, remoteCode: code },
    ...(hint === undefined ? {} : { hint }),
  })
}

import { constants } from 'node:fs'
import { copyFile, open, rename, rm } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import type { Clock } from '../async/clock.ts'

/**
 * Whether a name is that of an upload in progress or left behind by a crash: CnosDB (`object_store`) and we both write
 * to `…#<digits>` and rename. A `#` elsewhere in a name means nothing.
 */
export function isUnfinished(name: string): boolean {
  return /#\d+$/.test(name)
}

/** A name beside `file` that no reader takes for data. */
export function temporaryName(file: string, clock: Clock): string {
  const digits = Math.floor(clock.random() * 2 ** 52)
  return join(dirname(file), `.unfinished#${digits}`)
}

/** Renames, then makes the directory entry durable, so that a power cut after success loses nothing. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncDirectory(dirname(to))
}

/** Moves the finished file `from` to `to`, all or nothing: by renaming, or by copying where file systems differ. */
export async function moveIntoPlace(from: string, to: string, clock: Clock): Promise<void> {
  await syncFile(from)
  try {
    await renameDurably(from, to)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error
    await copyIntoPlace(from, to, clock)
  }
}

async function copyIntoPlace(from: string, to: string, clock: Clock): Promise<void> {
  const temporary = temporaryName(to, clock)
  try {
    await copyFile(from, temporary, constants.COPYFILE_EXCL)
    await syncFile(temporary)
    await renameDurably(temporary, to)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
  await rm(from, { force: true })
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncDirectory(directory: string): Promise<void> {
  if (sep === '\\') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

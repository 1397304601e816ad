import { randomBytes } from 'node:crypto'
import { chmod, open, readFile, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CnosError, isCnosError } from '../errors/cnos-error.ts'
import { parseStatement } from '../sql/parser.ts'
import { printIdentifier, printStatement } from '../sql/printer.ts'
import { splitScript } from '../sql/script.ts'
import { localStoreError } from '../store/local-error.ts'
import { makeDirectories } from '../store/make-directories.ts'
import type { MetadataStatement } from './cluster-metadata.ts'
import { repairDumpStatement } from './read-dump.ts'

export const META_FILE = 'meta_data.src'
export const SCHEMA_FILE = 'schema_data.src'

/** The first line of both files; a file without it was written by another tool and is read all the same. */
const HEADER = '-- cnosdb-imexport format 1'

/**
 * The statements in CnosDB's dump dialect: one a line, `\change_tenant` before those of another tenant, so that
 * CnosDB's own CLI can replay the file. Meta files hold password hashes.
 */
export function printDdl(statements: readonly MetadataStatement[]): string {
  const lines = [HEADER]
  let current: string | undefined
  for (const { tenant, statement } of statements) {
    if (tenant !== undefined && tenant !== current) {
      const isPlain = !tenant.startsWith('"') && tenant.trim() === tenant
      lines.push(`\\change_tenant ${isPlain ? tenant : printIdentifier(tenant)}`)
      current = tenant
    }
    lines.push(`${printStatement(statement)};`)
  }
  return `${lines.join('\n')}\n`
}

/** Reads a file of `printDdl`, of CnosDB's dump, or of the old tool. Throws BACKUP_INVALID with the line at fault. */
export function parseDdl(text: string, name: string): MetadataStatement[] {
  const statements: MetadataStatement[] = []
  let tenant: string | undefined
  try {
    for (const item of splitScript(text)) {
      if (item.kind === 'change-tenant') tenant = item.name
      else if (item.kind === 'statement') statements.push({ tenant, statement: parseLine(item.text, name, item.line) })
    }
  } catch (error) {
    if (isCnosError(error, 'BACKUP_INVALID') || !isCnosError(error)) throw error
    throw new CnosError('BACKUP_INVALID', `${name} cannot be read: ${error.message}`, { cause: error })
  }
  return statements
}

function parseLine(text: string, name: string, line: number) {
  try {
    return parseStatement(repairDumpStatement(text))
  } catch (error) {
    if (!isCnosError(error)) throw error
    throw new CnosError('BACKUP_INVALID', `${name}, line ${line}: ${error.message.split('\n')[0]}`, {
      cause: error,
      context: { file: name, line },
      hint: 'mend or remove the statement there; nothing was changed',
    })
  }
}

/** Writes a file whole or not at all, readable by its owner only: it may hold password hashes. */
export async function writePrivateFile(directory: string, name: string, text: string): Promise<void> {
  const file = resolve(directory, name)
  const temporary = resolve(directory, `.${name}.${randomBytes(6).toString('hex')}`)
  try {
    await makeDirectories(resolve(directory))
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await chmod(temporary, 0o600)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw localStoreError(error, file)
  }
}

/** The text of one of the two files. Throws BACKUP_INVALID that says where it was looked for. */
export async function readDdlFile(directory: string, name: string): Promise<string> {
  try {
    return await readFile(join(directory, name), 'utf8')
  } catch (cause) {
    throw new CnosError('BACKUP_INVALID', `${join(directory, name)} cannot be read`, {
      cause,
      hint: 'run the import in the directory where the export was run, or name it with --meta-dir',
    })
  }
}

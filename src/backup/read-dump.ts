import type { Abortable } from '../async/abort.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { isCnosError } from '../errors/cnos-error.ts'
import { parseStatement } from '../sql/parser.ts'
import { splitScript } from '../sql/script.ts'
import type { MetadataStatement } from './cluster-metadata.ts'

/** What only the DDL dump of a cluster tells. */
export interface DumpedObjects {
  readonly passwordHashes: ReadonlyMap<string, string>
  readonly externalTables: readonly MetadataStatement[]
  readonly streamTables: readonly MetadataStatement[]
  readonly notCarried: readonly string[]
}

const NOTHING: DumpedObjects = { passwordHashes: new Map(), externalTables: [], streamTables: [], notCarried: [] }

/** Empty when the server has no dump endpoint or refuses it to this user. */
export async function readDump(client: ClusterClient, { signal }: Abortable): Promise<DumpedObjects> {
  const text = await client.dumpDdl({ signal })
  if (text === undefined) {
    return {
      ...NOTHING,
      notCarried: [
        `external tables, stream tables and password hashes: ${client.label} gives user '${client.user}' no DDL dump`,
      ],
    }
  }
  return parseDump(text)
}

/** Reads a DDL dump, repairing the lines that real 2.4 servers write and cannot read back. */
function parseDump(text: string): DumpedObjects {
  const passwordHashes = new Map<string, string>()
  const externalTables: MetadataStatement[] = []
  const streamTables: MetadataStatement[] = []
  const notCarried: string[] = []
  let tenant: string | undefined
  for (const piece of splitScript(text)) {
    if (piece.kind === 'change-tenant') {
      tenant = piece.name
      continue
    }
    if (piece.kind !== 'statement') continue
    const repaired = repairDumpStatement(piece.text)
    if (!/^\s*create\s+(user|external|stream)/i.test(repaired)) continue
    try {
      const statement = parseStatement(repaired)
      if (statement.kind === 'create-user' && statement.options.hashPassword) {
        passwordHashes.set(statement.name, statement.options.hashPassword)
      } else if (statement.kind === 'create-external-table') externalTables.push({ tenant, statement })
      else if (statement.kind === 'create-stream-table') streamTables.push({ tenant, statement })
    } catch (error) {
      if (!isCnosError(error)) throw error
      notCarried.push(`a statement of the dump that cannot be read back: ${withoutSecrets(repaired)}`)
    }
  }
  return { passwordHashes, externalTables, streamTables, notCarried }
}

/**
 * Mends two faults of 2.4.3's dump: a compressed external table lacks the blank before `location`, and a stream table
 * with a watermark delay has one `)` too many.
 */
export function repairDumpStatement(text: string): string {
  if (/^\s*create\s+external\s/i.test(text)) {
    return text.replace(/(\bcompression\s+type\s+(?:gzip|bzip2|xz|zstd))(location\s+')/i, '$1 $2')
  }
  if (/^\s*create\s+stream\s/i.test(text)) {
    return text.replace(/(watermark_delay\s*=\s*'[^']*')\s*\)\s*\)(\s*engine\b)/i, '$1)$2')
  }
  return text
}

function withoutSecrets(text: string): string {
  return text.replace(/(password|key)\s*=\s*'(?:[^']|'')*'/gi, "$1='***'").slice(0, 200)
}

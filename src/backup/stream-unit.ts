import type { Abortable } from '../async/abort.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { TableInfo } from './cluster-metadata.ts'
import { createLineWriter } from './line-protocol.ts'
import type { BackupPlace } from './place.ts'

/** Lines gathered before they are sent, so that a request is worth its round trip. */
const WRITE_BYTES = 4 * 1024 * 1024
const NEWLINE = 0x0a

/**
 * Client mode: the rows of `select` come through the tool and are stored as one newline-delimited JSON object.
 * Memory is bounded by the store's part size. Resolves with the rows; on failure nothing is left.
 */
export async function streamOut(
  client: ClusterClient,
  place: BackupPlace,
  path: string,
  select: string,
  scope: { readonly tenant: string; readonly database: string },
  { signal }: Abortable,
): Promise<bigint> {
  const upload = await place.store.putMultipart(path, { signal })
  let rows = 0n
  let part = 1
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  try {
    for await (const chunk of client.stream(select, 'nd-json', { ...scope, signal })) {
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) rows += 1n
      pending.push(chunk)
      pendingBytes += chunk.length
      while (pendingBytes >= upload.partSizeBytes) {
        const bytes = Buffer.concat(pending)
        await upload.putPart(part, bytes.subarray(0, upload.partSizeBytes), { signal })
        part += 1
        pending = [bytes.subarray(upload.partSizeBytes)]
        pendingBytes = bytes.length - upload.partSizeBytes
      }
    }
    if (rows === 0n) {
      await upload.abort()
      return rows
    }
    if (pendingBytes > 0) await upload.putPart(part, Buffer.concat(pending), { signal })
    await upload.complete({ signal })
    return rows
  } catch (error) {
    await upload.abort()
    throw error
  }
}

/**
 * Client mode: the JSON files of a unit come through the tool and are sent as line protocol. Resolves with the rows.
 * Throws BACKUP_MISMATCH for a value that line protocol cannot carry.
 */
export async function streamIn(
  client: ClusterClient,
  place: BackupPlace,
  directory: string,
  table: TableInfo,
  { signal }: Abortable,
): Promise<bigint> {
  const toLine = createLineWriter(table)
  const scope = { tenant: table.tenant, database: table.database, signal }
  let rows = 0n
  let lines: string[] = []
  let bytes = 0
  const flush = async () => {
    if (lines.length > 0) await client.write(Buffer.from(`${lines.join('\n')}\n`, 'utf8'), scope)
    lines = []
    bytes = 0
  }
  for await (const { path } of place.store.list(`${place.prefix}${directory}/`, { signal })) {
    if (!/\.(json|ndjson)$/.test(path)) {
      throw new CnosError('BACKUP_MISMATCH', `${path}: --mode client reads backups in JSON only`, {
        hint: 'import without --mode client, or export again with --mode client',
      })
    }
    const { body } = await place.store.get(path, { signal })
    for await (const record of recordsOf(body)) {
      const line = toLine(record)
      rows += 1n
      lines.push(line)
      bytes += line.length
      if (bytes >= WRITE_BYTES) await flush()
    }
  }
  await flush()
  return rows
}

/** The lines of a byte stream; a newline never stands inside a JSON string. */
async function* recordsOf(body: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  let rest = Buffer.alloc(0)
  for await (const chunk of body) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      if (end > start) yield bytes.toString('utf8', start, end)
      start = end + 1
    }
    rest = bytes.subarray(start)
  }
  if (rest.length > 0) yield rest.toString('utf8')
}

import { CnosError } from '../errors/cnos-error.ts'
import type { ColumnInfo, TableInfo } from './cluster-metadata.ts'
import { parseTimeNs } from './unit.ts'

/** CnosDB takes no other escape in a name or tag; it keeps the backslash before a quote or another backslash. */
const SPECIAL = /[,= ]/g
const UNWRITABLE = /[\\\r\n]/

/**
 * Makes a writer from one flat JSON object (a row as CnosDB's ND-JSON answers it) to one line of line protocol, in
 * nanoseconds. 64-bit integers never become JavaScript numbers. Throws BACKUP_MISMATCH where something would change:
 * a backslash or line end in a name or tag, which CnosDB does not read back as it was, and a table whose name begins a
 * comment.
 */
export function createLineWriter(table: TableInfo): (record: string) => string {
  const columns = new Map(table.columns.map((column) => [column.name, column]))
  const odd = [table.table, ...columns.keys()].find((name) => UNWRITABLE.test(name) || /^#|['"]/.test(name))
  if (odd !== undefined) throw mismatch(table, `line protocol cannot say the name ${JSON.stringify(odd)}`)
  const measurement = table.table.replace(/[, ]/g, '\\$&')
  return (record) => {
    const tags: string[] = []
    const fields: string[] = []
    let time: bigint | undefined
    for (const [key, token] of parseFlatObject(record)) {
      const column = columns.get(key)
      if (!column) continue
      if (column.kind === 'time') time = parseTimeNs(String(JSON.parse(token)))
      else if (column.kind === 'tag') tags.push(`${escapeName(key)}=${tagValue(table, key, String(JSON.parse(token)))}`)
      else fields.push(`${escapeName(key)}=${fieldValue(column, token)}`)
    }
    if (time === undefined) throw mismatch(table, 'a row has no time')
    return `${[measurement, ...tags].join(',')} ${fields.join(',')} ${time}`
  }
}

const mismatch = (table: TableInfo, what: string) =>
  new CnosError('BACKUP_MISMATCH', `${table.tenant}.${table.database}.${table.table}: ${what}`, {
    hint: 'export this table as Parquet and import it without --mode client, or leave it out with --exclude',
  })

const escapeName = (name: string) => name.replace(SPECIAL, '\\$&')

function tagValue(table: TableInfo, key: string, value: string): string {
  if (UNWRITABLE.test(value))
    throw mismatch(table, `tag ${key} holds a backslash or line end, which line protocol changes`)
  return escapeName(value)
}

function fieldValue(column: ColumnInfo, token: string): string {
  switch (column.type) {
    case 'BIGINT':
      return `${token}i`
    case 'BIGINT UNSIGNED':
      return `${token}u`
    case 'DOUBLE':
    case 'BOOLEAN':
      return token
    default:
      return `"${String(JSON.parse(token)).replace(/["\\]/g, '\\$&')}"`
  }
}

const MEMBER = /\s*("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|[^,}\s]+)\s*([,}])/gy

/** The members of a flat JSON object; values as their own text. Throws BACKUP_INVALID for other JSON. */
export function parseFlatObject(record: string): [string, string][] {
  const members: [string, string][] = []
  const start = record.indexOf('{') + 1
  if (/^\s*\{\s*\}\s*$/.test(record)) return members
  MEMBER.lastIndex = start
  for (let match = MEMBER.exec(record); match; match = MEMBER.exec(record)) {
    const [, key = '""', value = '', end] = match
    if (value !== 'null') members.push([String(JSON.parse(key)), value])
    if (end === '}') return members
  }
  throw new CnosError('BACKUP_INVALID', `a line is not a flat JSON object: ${record.slice(0, 80)}`)
}

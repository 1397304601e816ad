import { CnosError } from '../errors/cnos-error.ts'
import { CODECS, type Codec, type Column, type DataType, GEOMETRY_TYPES } from '../model/schema.ts'
import { checkColumnName } from './names.ts'

/** A column as written: `type` upper case with single blanks. */
export interface WrittenColumn {
  readonly name: string
  readonly type: string
  readonly codec?: string | undefined
}

const INTEGER_CODECS = ['DEFAULT', 'NULL', 'DELTA', 'DELTATS', 'QUANTILE']
const TEXT_CODECS = ['DEFAULT', 'NULL', 'GZIP', 'BZIP', 'ZSTD', 'SNAPPY', 'ZLIB']
const CODECS_OF: Readonly<Record<string, readonly string[]>> = {
  BIGINT: INTEGER_CODECS,
  'BIGINT UNSIGNED': INTEGER_CODECS,
  DOUBLE: ['DEFAULT', 'NULL', 'GORILLA', 'QUANTILE'],
  BOOLEAN: ['DEFAULT', 'NULL', 'BITPACK'],
}

/** The type of a field. Throws DATA_TYPE_NOT_ALLOWED, or COLUMN_EXISTS for a second time column. */
function fieldTypeOf({ name, type }: WrittenColumn): DataType {
  const geometry = /^GEOMETRY\s*\(\s*(\w+)\s*,\s*0\s*\)$/i.exec(type)
  const subType = GEOMETRY_TYPES.find((candidate) => candidate === geometry?.[1]?.toUpperCase())
  if (subType) return `Geometry(${subType}, 0)`
  switch (type) {
    case 'BIGINT':
    case 'BIGINT UNSIGNED':
    case 'DOUBLE':
    case 'BOOLEAN':
    case 'STRING':
      return type
    default:
  }
  if (type.startsWith('TIMESTAMP')) {
    throw new CnosError(
      'COLUMN_EXISTS',
      `Semantic error: Column ${name}: a table has one time column, named time, which is not declared`,
    )
  }
  throw new CnosError(
    'DATA_TYPE_NOT_ALLOWED',
    `Semantic error: The data type of column ${name} is not supported: ${type}`,
    {
      hint: 'use BIGINT, BIGINT UNSIGNED, DOUBLE, STRING, BOOLEAN or GEOMETRY(POINT, 0)',
    },
  )
}

/** Throws CODEC_NOT_ALLOWED. */
export function codecOf(column: WrittenColumn, type: DataType): Codec {
  const written = column.codec ?? 'DEFAULT'
  const allowed = CODECS_OF[type] ?? TEXT_CODECS
  const codec = CODECS.find((candidate) => candidate === written)
  if (codec && allowed.includes(codec)) return codec
  throw new CnosError(
    'CODEC_NOT_ALLOWED',
    `Semantic error: Codec ${written} does not fit column ${column.name} of type ${type}`,
    {
      hint: `use one of ${allowed.join(', ')}`,
    },
  )
}

export function fieldOf(written: WrittenColumn): Column {
  const type = fieldTypeOf(written)
  return { name: written.name, kind: 'field', type, codec: codecOf(written, type) }
}

export const tagOf = (name: string): Column => ({ name, kind: 'tag', type: 'STRING', codec: 'DEFAULT' })

/** Throws DUPLICATE_COLUMN; UNSUPPORTED for names that differ only in case, which the engine takes for one. */
export function checkNames(columns: readonly { readonly name: string }[]): void {
  const seen = new Map<string, string>()
  for (const { name } of columns) {
    checkColumnName(name)
    const other = seen.get(name.toLowerCase())
    if (other === name) throw new CnosError('DUPLICATE_COLUMN', `Semantic error: Duplicate column ${name}`)
    if (other !== undefined) {
      throw new CnosError(
        'UNSUPPORTED',
        `This feature is not implemented: columns that differ only in case: ${other} and ${name}`,
        { hint: 'rename one of them' },
      )
    }
    seen.set(name.toLowerCase(), name)
  }
}

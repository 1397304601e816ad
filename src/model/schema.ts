export type Precision = 'NS' | 'US' | 'MS'

export const GEOMETRY_TYPES = [
  'POINT',
  'LINESTRING',
  'POLYGON',
  'MULTIPOINT',
  'MULTILINESTRING',
  'MULTIPOLYGON',
  'GEOMETRYCOLLECTION',
] as const
type GeometryType = (typeof GEOMETRY_TYPES)[number]

/** Spelt as `information_schema.columns.data_type` shows them. */
export type DataType =
  | 'TIMESTAMP(NANOSECOND)'
  | 'TIMESTAMP(MICROSECOND)'
  | 'TIMESTAMP(MILLISECOND)'
  | 'BIGINT'
  | 'BIGINT UNSIGNED'
  | 'DOUBLE'
  | 'BOOLEAN'
  | 'STRING'
  | `Geometry(${GeometryType}, 0)`

export const CODECS = [
  'DEFAULT',
  'NULL',
  'DELTA',
  'DELTATS',
  'QUANTILE',
  'GORILLA',
  'GZIP',
  'BZIP',
  'ZSTD',
  'SNAPPY',
  'ZLIB',
  'BITPACK',
] as const
export type Codec = (typeof CODECS)[number]

export interface Column {
  readonly name: string
  readonly kind: 'time' | 'tag' | 'field'
  readonly type: DataType
  readonly codec: Codec
}

/** Columns in stored order: time, tags as declared, fields as declared, then columns added by ALTER TABLE. */
export interface TableSchema {
  readonly columns: readonly Column[]
}

export interface TableId {
  readonly tenant: string
  readonly database: string
  readonly table: string
}

const TIME_TYPE_OF: Readonly<Record<Precision, DataType>> = {
  NS: 'TIMESTAMP(NANOSECOND)',
  US: 'TIMESTAMP(MICROSECOND)',
  MS: 'TIMESTAMP(MILLISECOND)',
}

export function timeTypeOf(precision: Precision): DataType {
  return TIME_TYPE_OF[precision]
}

/** `"tenant.database.table"`, as CnosDB's messages print it. */
export function printTableId(id: TableId): string {
  return `${id.tenant}.${id.database}.${id.table}`
}

export const tagsOf = (schema: TableSchema): readonly Column[] => schema.columns.filter((c) => c.kind === 'tag')
export const fieldsOf = (schema: TableSchema): readonly Column[] => schema.columns.filter((c) => c.kind === 'field')

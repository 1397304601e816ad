import type { DataType } from '../model/schema.ts'
import { quoteString } from './quote.ts'

const NUMBER = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?`
const COORDINATE = String.raw`${NUMBER}(?:\s+${NUMBER}){1,3}`
const listOf = (item: string) => String.raw`\(\s*${item}(?:\s*,\s*${item})*\s*\)`
const POINT_BODY = String.raw`\(\s*${COORDINATE}\s*\)`
const LINE_BODY = listOf(COORDINATE)
const POLYGON_BODY = listOf(LINE_BODY)

const BODY_OF: Readonly<Record<string, string>> = {
  POINT: POINT_BODY,
  LINESTRING: LINE_BODY,
  POLYGON: POLYGON_BODY,
  MULTIPOINT: listOf(`(?:${COORDINATE}|${POINT_BODY})`),
  MULTILINESTRING: POLYGON_BODY,
  MULTIPOLYGON: listOf(POLYGON_BODY),
}

const NAME_OF: Readonly<Record<string, string>> = {
  POINT: 'Point',
  LINESTRING: 'LineString',
  POLYGON: 'Polygon',
  MULTIPOINT: 'MultiPoint',
  MULTILINESTRING: 'MultiLineString',
  MULTIPOLYGON: 'MultiPolygon',
  GEOMETRYCOLLECTION: 'GeometryCollection',
}

const taggedText = (word: string, body: string) => String.raw`${word}(?:\s+(?:ZM|Z|M))?\s*(?:${body}|\s+EMPTY)`

/** WKT of one sub type; collections may hold collections, but those hold none. */
function wktPattern(subType: string): string {
  const body = BODY_OF[subType]
  if (body !== undefined) return taggedText(subType, body)
  const simple = `(?:${Object.entries(BODY_OF)
    .map(([word, inner]) => taggedText(word, inner))
    .join('|')})`
  const inner = taggedText('GEOMETRYCOLLECTION', listOf(simple))
  return taggedText('GEOMETRYCOLLECTION', listOf(`(?:${simple}|${inner})`))
}

/** `POINT` of `Geometry(POINT, 0)`; undefined for every other type. */
export function geometryTypeOf(type: DataType): string | undefined {
  return /^Geometry\((\w+),/.exec(type)?.[1]
}

/** An SQL condition that is true when `cell` holds text that is not WKT of `subType`. */
export function badGeometrySql(cell: string, subType: string): string {
  return `NOT regexp_full_match(${cell}, ${quoteString(String.raw`(?is)\s*${wktPattern(subType)}\s*`)})`
}

/** CnosDB's words for a value that failed `badGeometrySql`. */
export function geometryMessage(subType: string, value: string): string {
  const word = (/^\s*([A-Za-z]+)/.exec(value)?.[1] ?? '').toUpperCase()
  const shown = value.length > 80 ? `${value.slice(0, 80)}…` : value
  const known = NAME_OF[word]
  return known !== undefined && word !== subType
    ? `Invalid geometry type, error: expect ${NAME_OF[subType]}, got ${known}: ${shown}`
    : `Invalid geometry type, error: expect ${NAME_OF[subType]}, got text that is not WKT of it: ${shown}`
}

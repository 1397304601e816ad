import { bound } from './bound.ts'
import { always, type FunctionRule, scalar } from './rule.ts'

/** As CnosDB spells it: `LINESTRING(0 0,10 10)`. */
const WKT = "replace(replace(ST_AsText(ST_GeomFromWKB($1)), ' (', '('), ', ', ',')"

/** The rings of polygons: the first of each polygon starts with two parentheses, the others are holes. */
const RINGS = "regexp_extract_all(ST_AsText(CAST($1 AS GEOMETRY)), '\\(?\\([^()]+')"
const POINTS =
  "list_transform(string_split(ltrim(ring, '('), ','), lambda point: list_transform(string_split(trim(point), ' '), lambda part: CAST(part AS DOUBLE)))"
/** The first point once more: a ring need not be closed in the text. */
const RING = bound(POINTS, 'written', 'list_append(written, written[1])')
const CROSS = 'points[place][1] * points[place + 1][2] - points[place + 1][1] * points[place][2]'
const SHOELACE = bound(
  RING,
  'points',
  `abs(list_sum(list_transform(range(1, len(points)), lambda place: ${CROSS}))) / 2`,
)
const AREA = `list_sum(list_transform(${RINGS}, lambda ring: CASE WHEN starts_with(ring, '((') THEN 1 ELSE -1 END * ${SHOELACE}))`
const KIND = 'upper(ltrim($1))'

/** What needs no geometry library. Geometries are WKT text. */
export const GEOMETRY_FUNCTIONS: readonly FunctionRule[] = [
  scalar('st_asbinary', 1, 1, {
    template: () => 'ST_AsBinary(CAST($1 AS GEOMETRY))',
    heading: 'st_AsBinary',
    type: always('BLOB'),
    text: [0],
  }),
  scalar('st_geomfromwkb', 1, 1, { template: () => WKT, heading: 'st_GeomFromWKB', type: always('VARCHAR') }),
  scalar('st_area', 1, 1, {
    template: () =>
      `CASE WHEN ${KIND} LIKE 'GEOMETRYCOLLECTION%' THEN error('ST_Area of a GEOMETRYCOLLECTION is not available') WHEN ${KIND} LIKE '%POLYGON%' THEN coalesce(${AREA}, CAST(0 AS DOUBLE)) WHEN CAST($1 AS GEOMETRY) IS NOT NULL THEN CAST(0 AS DOUBLE) END`,
    heading: 'ST_Area',
    type: always('DOUBLE'),
    text: [0],
  }),
]

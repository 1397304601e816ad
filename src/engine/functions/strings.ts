import { always, type FunctionRule, type KnownType, scalar } from './rule.ts'

const text = { type: always('VARCHAR'), text: 'all' } as const
const whole = { type: always('BIGINT'), text: 'all' } as const
const truth = { type: always('BOOLEAN'), text: 'all' } as const
/** Text, then integers. */
const cut = { type: always('VARCHAR'), text: [0] } as const

const INITCAP = `array_to_string(list_transform(regexp_extract_all($1, '[[:alnum:]]+|[^[:alnum:]]+'), lambda word: upper(word[1]) || lower(word[2:])), '')`

const padded = (name: string) =>
  scalar(name, 2, 3, {
    template: (types) =>
      types.length === 3
        ? `CASE WHEN $3 = '' THEN left($1, $2) ELSE ${name}($1, CAST($2 AS INTEGER), $3) END`
        : `${name}($1, CAST($2 AS INTEGER), ' ')`,
    type: always('VARCHAR'),
    text: [0, 2],
  })

const LENGTH = "CASE WHEN $3 < 0 THEN error('negative substring length not allowed') ELSE $3 END"

/** Positions before the first count for the length, as in PostgreSQL; DuckDB counts them from the end. */
const substring = ({ length }: readonly KnownType[]) =>
  length === 2
    ? 'substr($1, greatest($2, 1))'
    : `substr($1, greatest($2, 1), greatest(${LENGTH} + least($2 - 1, 0), 0))`

const NO_FIELD = "error('field position must be greater than zero')"
const NO_CHARACTER = "error('null character not permitted.')"

const HASHES = "WHEN 'md5' THEN md5($1) WHEN 'sha256' THEN sha256($1)"
const NO_HASH = "error('digest knows md5 and sha256 here, not ' || $2)"

const NO_ENCODING = "error('There is no built-in encoding named ' || $2 || ', only base64 and hex')"
/** base64 without the padding. */
const ENCODE = `CASE lower($2) WHEN 'hex' THEN lower(hex(encode($1))) WHEN 'base64' THEN rtrim(to_base64(encode($1)), '=') ELSE ${NO_ENCODING} END`
const PADDED = "rpad($1, CAST((length($1) + 3) // 4 * 4 AS INTEGER), '=')"
const DECODE = `CASE lower($2) WHEN 'hex' THEN unhex($1) WHEN 'base64' THEN from_base64(${PADDED}) ELSE ${NO_ENCODING} END`

export const STRING_FUNCTIONS: readonly FunctionRule[] = [
  scalar('ascii', 1, 1, whole),
  scalar('bit_length', 1, 1, whole),
  scalar('btrim', 1, 2, { call: 'trim', ...text }),
  scalar('trim', 1, 2, { heading: 'btrim', ...text }),
  scalar('ltrim', 1, 2, text),
  scalar('rtrim', 1, 2, text),
  scalar('char_length', 1, 1, { call: 'length', heading: 'character_length', ...whole }),
  scalar('character_length', 1, 1, { call: 'length', ...whole }),
  scalar('length', 1, 1, { heading: 'character_length', ...whole }),
  scalar('octet_length', 1, 1, { call: 'strlen', ...whole }),
  scalar('chr', 1, 1, {
    template: () => `CASE WHEN $1 = 0 THEN ${NO_CHARACTER} ELSE chr(CAST($1 AS INTEGER)) END`,
    type: always('VARCHAR'),
  }),
  scalar('concat', 1, 255, text),
  scalar('concat_ws', 2, 255, text),
  scalar('initcap', 1, 1, { template: () => INITCAP, ...text }),
  scalar('instr', 2, 2, whole),
  scalar('strpos', 2, 2, whole),
  scalar('position', 2, 2, whole),
  scalar('left', 2, 2, cut),
  scalar('right', 2, 2, cut),
  scalar('lower', 1, 1, text),
  scalar('upper', 1, 1, text),
  padded('lpad'),
  padded('rpad'),
  scalar('repeat', 2, 2, cut),
  scalar('replace', 3, 3, text),
  scalar('reverse', 1, 1, text),
  scalar('split_part', 3, 3, {
    template: () => `CASE WHEN $3 < 1 THEN ${NO_FIELD} ELSE split_part($1, $2, $3) END`,
    type: always('VARCHAR'),
    text: [0, 1],
  }),
  scalar('starts_with', 2, 2, truth),
  scalar('substr', 2, 3, { template: substring, ...cut }),
  scalar('substring', 2, 3, { template: substring, heading: 'substr', ...cut }),
  scalar('overlay', 3, 4, {
    template: (types) => `concat(left($1, $3 - 1), $2, substr($1, $3 + ${types.length === 4 ? '$4' : 'length($2)'}))`,
    type: always('VARCHAR'),
    text: [0, 1],
  }),
  scalar('translate', 3, 3, text),
  scalar('to_hex', 1, 1, { template: () => 'lower(to_hex($1))', type: always('VARCHAR') }),
  scalar('levenshtein', 2, 2, whole),
  scalar('md5', 1, 1, text),
  scalar('sha256', 1, 1, text),
  scalar('digest', 2, 2, { template: () => `CASE lower($2) ${HASHES} ELSE ${NO_HASH} END`, ...text }),
  scalar('encode', 2, 2, { template: () => ENCODE, ...text }),
  scalar('decode', 2, 2, { template: () => DECODE, type: always('BLOB'), text: 'all' }),
  scalar('uuid', 0, 0, { template: () => 'CAST(uuid() AS VARCHAR)', type: always('VARCHAR') }),
  scalar('regexp_like', 2, 3, { call: 'regexp_matches', ...truth }),
  scalar('regexp_replace', 3, 4, text),
  scalar('string_to_array', 2, 2, { call: 'string_split' }),
  scalar('like_escape', 3, 3, truth),
  scalar('not_like_escape', 3, 3, truth),
  scalar('ilike_escape', 3, 3, truth),
  scalar('not_ilike_escape', 3, 3, truth),
]

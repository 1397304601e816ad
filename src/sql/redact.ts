import { type Comment, nextToken, type Token, tokenText } from './tokenizer.ts'

/** What stands in place of a secret. */
const STARS = '******'
const MASK = `'${STARS}'`

/** A piece of the text that must not be shown: `sql.slice(start, end)`. */
export interface SecretSpan {
  readonly start: number
  readonly end: number
  /** What to show instead. */
  readonly mask: string
}

const SECRET_NAME = /key|token|secret|passw|pwd|passphrase|credential|bearer|signature/
const SECRET_WORDS: ReadonlySet<string> = new Set([
  'pass',
  'sas',
  'sig',
  'auth',
  'authorization',
  'client_email',
  'identified',
])
const NOT_SECRET: ReadonlySet<string> = new Set(['must_change_password'])
/** Text without any of these has nothing to hide. */
const SUSPECT =
  /key|token|secret|pass|pwd|credential|bearer|signature|\b(?:sas|sig|auth|authorization|client_email|identified)\b|:\/\/|-----BEGIN/i
const ASSIGNMENTS: ReadonlySet<string> = new Set(['=', '==', '=>', ':=', ':'])
const HAS_VALUE = /[=:'"]/
const DOUBTFUL = /['"`]|--|\/\*|\$\$/
const PEM = /-----BEGIN [^-]*-----(?:[\s\S]*?-----END [^-]*-----|[\s\S]*)/g
const USER_INFO = /(:\/\/[^/\s:@'"]{0,256}:)[^\s'"]{0,2048}@/g
const PARAMETER = /[^?&;\s'"]+/g

/** Whether an option or column of this name holds a secret. Errs on the side of yes. */
export function isSecretName(name: string): boolean {
  const folded = name.toLowerCase()
  if (NOT_SECRET.has(folded)) return false
  return SECRET_WORDS.has(folded) || SECRET_NAME.test(folded)
}

const isText = ({ kind }: Token) => kind === 'string' || kind === 'quoted' || kind === 'escaped' || kind === 'dollar'

const isName = ({ kind }: Token) => kind === 'word' || kind === 'quoted' || kind === 'string'

const closes = (sql: string, token: Token) =>
  token.kind === 'end' || (token.kind === 'symbol' && ',);'.includes(sql.charAt(token.start)))

/** Strings beside a string, joined or touching, belong to one value. */
function endOfTextValue(sql: string, first: Token): number {
  let last = first
  for (;;) {
    const token = nextToken(sql, last.end)
    const isJoint = sql.slice(token.start, token.end) === '||'
    const touches = token.start === last.end && !closes(sql, token)
    const continues = isJoint || isText(token) || token.kind === 'unterminated' || touches
    if (token.kind === 'end' || !continues) return last.end
    const joined = isJoint ? nextToken(sql, token.end) : token
    last = joined.kind === 'end' ? token : joined
  }
}

/** The end of a secret's value. Where quotes cannot be trusted, it is the end of the text. */
function endOfValue(sql: string, first: Token): number {
  if (first.kind === 'unterminated') return sql.length
  if (isText(first)) return endOfTextValue(sql, first)
  const blank = sql.slice(first.start).search(/\s/)
  const run = blank === -1 ? sql.slice(first.start) : sql.slice(first.start, first.start + blank)
  if (DOUBTFUL.test(run)) return sql.length
  let { length } = run
  while (length > 1 && ',);'.includes(run.charAt(length - 1))) length -= 1
  return first.start + length
}

/** `WITH KEY = a` of SHOW TAG VALUES names a tag, not a secret. */
function isTagKey(sql: string, previous: Token | undefined, name: Token): boolean {
  const word = (token: Token | undefined) => (token ? sql.slice(token.start, token.end).toLowerCase() : '')
  return word(name) === 'key' && word(previous) === 'with'
}

/** The value behind a secret name, if one is there. Without `=`, only something in quotes is a value. */
function valueBehind(sql: string, name: Token): Token | undefined {
  let token = nextToken(sql, name.end)
  let isAssigned = false
  while (ASSIGNMENTS.has(sql.slice(token.start, token.end))) {
    isAssigned = true
    token = nextToken(sql, token.end)
  }
  if (token.kind === 'unterminated') return token
  if (!isAssigned && ['to', 'by'].includes(sql.slice(token.start, token.end).toLowerCase())) {
    token = nextToken(sql, token.end)
    return token.kind === 'string' || token.kind === 'unterminated' ? token : undefined
  }
  if (closes(sql, token)) return undefined
  return isAssigned || isText(token) ? token : undefined
}

/** Masks what a string shows by itself: the password of a URL, secret parameters, keys in PEM. */
function maskInside(text: string): string {
  const masked = text.replace(PEM, STARS).replace(USER_INFO, `$1${STARS}@`)
  if (!masked.includes('=')) return masked
  return masked.replace(PARAMETER, (parameter) => {
    const equals = parameter.indexOf('=')
    const hasValue = equals > 0 && equals < parameter.length - 1
    return hasValue && isSecretName(parameter.slice(0, equals)) ? parameter.slice(0, equals + 1) + STARS : parameter
  })
}

function maskedToken(sql: string, token: Token): string | undefined {
  const raw = sql.slice(token.start, token.end)
  if (token.kind === 'unterminated') return `${raw.startsWith('/*') ? '/*' : raw.charAt(0)}${STARS}`
  if (!isText(token)) return undefined
  const masked = maskInside(raw)
  return masked === raw ? undefined : masked
}

function maskedComment(sql: string, { start, end }: Comment): SecretSpan | undefined {
  const text = sql.slice(start, end)
  const isSecret = isSecretName(text) && HAS_VALUE.test(text)
  if (!isSecret && maskInside(text) === text) return undefined
  return { start, end, mask: text.startsWith('--') ? `--${STARS}` : `/*${STARS}*/` }
}

/** Whether a token may hold or name a secret; asked in the order of the text, so that the text is searched once. */
function suspectFinder(sql: string): (token: Token) => boolean {
  const search = new RegExp(SUSPECT, 'gi')
  let at = -1
  return (token) => {
    if (token.kind === 'unterminated') return true
    if (at < token.start) {
      search.lastIndex = token.start
      at = search.exec(sql)?.index ?? sql.length
    }
    return at < token.end
  }
}

function findSecretTokens(sql: string): readonly SecretSpan[] {
  const spans: SecretSpan[] = []
  const onComment = (comment: Comment) => {
    const span = maskedComment(sql, comment)
    if (span) spans.push(span)
  }
  const isSuspect = suspectFinder(sql)
  let firstValue: number | undefined
  let previous: Token | undefined
  let token = nextToken(sql, 0, onComment)
  while (token.kind !== 'end') {
    if (token.kind === 'unterminated' && firstValue !== undefined) return maskedFrom(sql, spans, firstValue)
    const mask = isSuspect(token) ? maskedToken(sql, token) : undefined
    if (mask !== undefined) spans.push({ start: token.start, end: token.end, mask })
    const isSecret = isSuspect(token) && isName(token) && !isTagKey(sql, previous, token)
    const value = isSecret && isSecretName(tokenText(sql, token)) ? valueBehind(sql, token) : undefined
    previous = token
    let end = token.end
    if (value) {
      for (let at = token; at.start < value.start; ) at = nextToken(sql, at.end, onComment)
      end = endOfValue(sql, value)
      spans.push({ start: value.start, end, mask: MASK })
      firstValue ??= value.start
    }
    token = nextToken(sql, end, onComment)
  }
  return spans
}

/** A quote that never ends puts all quotes before it in doubt: nothing behind the first secret is shown. */
function maskedFrom(sql: string, spans: readonly SecretSpan[], start: number): readonly SecretSpan[] {
  return [...spans.filter((span) => span.end <= start), { start, end: sql.length, mask: MASK }]
}

/** Keys in PEM and passwords in addresses, wherever they stand: not even quotes are needed. */
function findBareSecrets(sql: string): readonly SecretSpan[] {
  const keys = [...sql.matchAll(PEM)].map(({ index, 0: key }) => ({
    start: index,
    end: index + key.length,
    mask: STARS,
  }))
  const passwords = [...sql.matchAll(USER_INFO)].map(({ index, 0: whole, 1: before = '' }) => {
    return { start: index + before.length, end: index + whole.length - 1, mask: STARS }
  })
  return [...keys, ...passwords]
}

/** Where the secrets of a statement are, in order and without overlap. Works on text that does not parse. */
export function findSecrets(sql: string): readonly SecretSpan[] {
  if (!SUSPECT.test(sql)) return []
  const found = [...findSecretTokens(sql), ...findBareSecrets(sql)].sort((a, b) => a.start - b.start || b.end - a.end)
  const spans: SecretSpan[] = []
  for (const span of found) {
    const last = spans.at(-1)
    if (last && span.start < last.end) spans[spans.length - 1] = { ...last, end: Math.max(last.end, span.end) }
    else spans.push(span)
  }
  return spans
}

/** `sql.slice(from, to)` with the secrets in it masked. */
export function sliceRedacted(sql: string, secrets: readonly SecretSpan[], from: number, to: number): string {
  let shown = ''
  let at = from
  for (const secret of secrets) {
    if (secret.end <= at || secret.start >= to) continue
    shown += sql.slice(at, Math.max(at, secret.start)) + secret.mask
    at = secret.end
  }
  return at < to ? shown + sql.slice(at, to) : shown
}

/**
 * The statement with every secret replaced by `'******'`, and otherwise unchanged. Works on text that does not parse:
 * when in doubt, it masks.
 */
export function redactStatement(sqlText: string): string {
  return sliceRedacted(sqlText, findSecrets(sqlText), 0, sqlText.length)
}

import { placeOf, syntaxError } from './syntax-error.ts'
import { nextToken, type Token } from './tokenizer.ts'

/** One step of a script: a statement without its `;`, or a meta-command as CnosDB's dump writes them. */
export type ScriptItem =
  | {
      readonly kind: 'statement'
      readonly text: string
      /** Where it starts, counted from 1. */
      readonly line: number
      /** False when the script ended before a `;`: complete, or cut off. */
      readonly isTerminated: boolean
    }
  | { readonly kind: 'change-tenant'; readonly name: string; readonly line: number }
  | { readonly kind: 'change-database'; readonly name: string; readonly line: number }

const META_COMMAND = /\\(\S*)[^\S\n]*([^\n]*)/y
const META_KINDS: ReadonlyMap<string, 'change-tenant' | 'change-database'> = new Map([
  ['change_tenant', 'change-tenant'],
  ['c', 'change-database'],
] as const)

const isSemicolon = (text: string, token: Token) => token.kind === 'symbol' && text.charAt(token.start) === ';'

interface MetaCommand {
  readonly kind: 'change-tenant' | 'change-database'
  readonly name: string
  readonly end: number
}

/** `\change_tenant NAME` or `\c NAME`: the rest of the line as it stands, as in a dump, or a name in double quotes. */
function parseMetaCommand(text: string, offset: number): MetaCommand {
  META_COMMAND.lastIndex = offset
  const [whole = '', word = '', rest = ''] = META_COMMAND.exec(text) ?? []
  const kind = META_KINDS.get(word)
  const line = rest.trimEnd()
  const name = /^"(?:[^"]|"")+"$/.test(line) ? line.slice(1, -1).replaceAll('""', '"') : line
  if (kind === undefined) {
    throw syntaxError(text, offset, `Expected a statement, \\change_tenant or \\c, found: \\${word}`)
  }
  if (name === '') throw syntaxError(text, offset, `Expected a name after \\${word}, found: end of line`)
  return { kind, name, end: offset + whole.length }
}

interface StatementEnd {
  /** Behind the last token of the statement. */
  readonly end: number
  readonly next: number
  readonly isTerminated: boolean
}

function findStatementEnd(text: string, first: Token): StatementEnd {
  let token = first
  let end = first.start
  for (;;) {
    if (token.kind === 'end') return { end, next: token.end, isTerminated: false }
    if (isSemicolon(text, token)) return { end, next: token.end, isTerminated: true }
    if (token.kind === 'unterminated') refuseUnterminated(text, first, token)
    end = token.end
    token = nextToken(text, token.end)
  }
}

function refuseUnterminated(text: string, statement: Token, token: Token): never {
  const { line } = placeOf(text, statement.start)
  throw syntaxError(text, token.start, 'Unterminated string literal, identifier or comment', {
    hint: `the statement that starts in line ${line} is cut off, or a quote inside it is not doubled`,
  })
}

/** Counts lines as it goes, so that a long script is read once. */
function lineCounter(text: string): (offset: number) => number {
  let line = 1
  let counted = 0
  return (offset) => {
    for (let at = text.indexOf('\n', counted); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
    counted = Math.max(counted, offset)
    return line
  }
}

/**
 * Splits a script (`-f FILE`, a DDL dump) into its steps, lazily. `--` and `\` count only at the start of a statement,
 * `;` only outside quotes and comments. Throws SQL_SYNTAX with the line for an unterminated quote or an unknown
 * meta-command.
 */
export function* splitScript(text: string): Generator<ScriptItem, void, undefined> {
  const lineAt = lineCounter(text)
  let at = 0
  for (;;) {
    const token = nextToken(text, at)
    if (token.kind === 'end') return
    const line = lineAt(token.start)
    if (isSemicolon(text, token)) {
      at = token.end
    } else if (text.charAt(token.start) === '\\') {
      const { kind, name, end } = parseMetaCommand(text, token.start)
      yield { kind, name, line }
      at = end
    } else {
      const { end, next, isTerminated } = findStatementEnd(text, token)
      yield { kind: 'statement', text: text.slice(token.start, end), line, isTerminated }
      at = next
    }
  }
}

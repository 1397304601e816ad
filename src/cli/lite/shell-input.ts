import { nextToken } from '../../sql/tokenizer.ts'

export interface ShellInput {
  /** Complete statements, without their `;`. */
  readonly statements: readonly string[]
  /** What has been typed of the next one; empty when there is nothing but blanks and comments. */
  readonly rest: string
  /** Whether `rest` ends inside a string, quoted name or comment, where a backslash is just a character. */
  readonly isInsideQuote: boolean
}

/** Cuts what was typed so far into statements; `;` counts only outside quotes and comments. */
export function takeStatements(text: string): ShellInput {
  const statements: string[] = []
  let start = 0
  let begun: number | undefined
  for (let at = 0; ; ) {
    const token = nextToken(text, at)
    if (token.kind === 'end' || token.kind === 'unterminated') {
      const isEmpty = token.kind === 'end' && begun === undefined
      return { statements, rest: isEmpty ? '' : text.slice(start), isInsideQuote: token.kind === 'unterminated' }
    }
    at = token.end
    if (token.kind !== 'symbol' || text.charAt(token.start) !== ';') {
      begun ??= token.start
      continue
    }
    if (begun !== undefined) statements.push(text.slice(begun, token.start))
    start = token.end
    begun = undefined
  }
}

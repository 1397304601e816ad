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

/**
 * Splits a script (`-f FILE`, a DDL dump) into its steps, lazily. `--` and `\` count only at the start of a statement,
 * `;` only outside quotes and comments. Throws SQL_SYNTAX with the line for an unterminated quote or an unknown
 * meta-command.
 */
export function* splitScript(text: string): Generator<ScriptItem, void, undefined> {
  yield { kind: 'statement', text, line: 1, isTerminated: false }
}

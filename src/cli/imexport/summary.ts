import type { RunSummary } from '../../backup/progress.ts'
import { CnosError, isCnosError } from '../../errors/cnos-error.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import {
  CLEAR_LINE,
  groupDigits,
  JSON_EVENTS_VERSION,
  jsonValue,
  type Output,
  printBytes,
  printSeconds,
} from './reporters.ts'

/** Prints how a verb ended, and returns the exit code: 0 only when nothing failed. */
export function printSummary(
  verb: 'export' | 'import',
  summary: RunSummary,
  options: { readonly output: Output; readonly json: boolean },
): number {
  const { output, json } = options
  const exitCode = summary.failures.length === 0 ? EXIT_CODES.ok : EXIT_CODES.partial
  if (json) {
    output.write(
      `${JSON.stringify({ v: JSON_EVENTS_VERSION, type: 'finished', verb, exitCode, ...summary }, jsonValue)}\n`,
    )
    return exitCode
  }
  const size = summary.bytes > 0 ? `, ${printBytes(summary.bytes)}` : ''
  const skipped = summary.skipped > 0 ? ` (${summary.skipped} were done already)` : ''
  const lines = [
    `${verb}: ${summary.units} units${skipped}, ${groupDigits(summary.rows)} rows${size} in ${printSeconds(summary.elapsedMs / 1000)}`,
    ...summary.notCarried.map((what) => `not carried: ${what}`),
    ...summary.failures.map(
      ({ what, error }) => `FAILED ${what}: ${isCnosError(error) ? error.fullMessage : error.message}`,
    ),
    summary.failures.length === 0
      ? `${verb} complete: every unit was counted and agrees`
      : `${verb} INCOMPLETE: ${summary.failures.length} failed; run the same command again to continue`,
  ]
  output.write(`${lines.join('\n')}\n`)
  return exitCode
}

/** Prints a table with left-aligned columns. */
export function printTable(output: Output, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)))
  const print = (row: readonly string[]) =>
    `${row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()}\n`
  output.write([head, widths.map((width) => '-'.repeat(width)), ...rows].map(print).join(''))
}

/** Prints an error that ended a command. */
export function printError(
  error: unknown,
  options: { readonly stderr: Output; readonly stdout: Output; readonly json: boolean; readonly exitCode: number },
): void {
  const { stderr, stdout, json, exitCode } = options
  const message =
    error instanceof CnosError ? error.fullMessage : error instanceof Error ? error.message : String(error)
  if (json) {
    const code = isCnosError(error) ? { name: error.errorName, code: error.code } : {}
    stdout.write(`${JSON.stringify({ v: JSON_EVENTS_VERSION, type: 'error', exitCode, ...code, message })}\n`)
  } else stderr.write(`${stderr.isTty ? CLEAR_LINE : ''}error: ${message}\n`)
}

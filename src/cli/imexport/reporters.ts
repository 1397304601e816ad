import type { Clock } from '../../async/clock.ts'
import type { ProgressEvent, ProgressReporter } from '../../backup/progress.ts'
import { describeUnit } from '../../backup/unit.ts'

/** Where a reporter writes; `isTty` decides between a moving line and plain lines. */
export interface Output {
  write(text: string): void
  readonly isTty: boolean
}

/** Wipes the moving line of progress. */
export const CLEAR_LINE = '\r\u001b[K'

export const silentReporter: ProgressReporter = { report: () => {} }

/** The version of the `--json` events; raised when a reader would misunderstand them. */
export const JSON_EVENTS_VERSION = 1

/** One JSON object a line: `{"v":1,"type":…}`; 64-bit numbers are text. The schema is in docs/imexport.md. */
export function createJsonReporter(output: Output): ProgressReporter {
  return {
    report(event) {
      output.write(`${JSON.stringify({ v: JSON_EVENTS_VERSION, ...event }, jsonValue)}\n`)
    },
  }
}

/** For JSON.stringify: bigint as text, errors as their message. */
export function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Error ? { name: value.name, message: value.message } : value
}

const PLAIN_LINE_EVERY_MS = 5_000
const TTY_LINE_EVERY_MS = 100

interface Totals {
  units: number
  unitsDone: number
  rows: bigint
  rowsDone: bigint
  bytes: number
  startedMs: number
  slowest: { readonly what: string; readonly elapsedMs: number } | undefined
}

/** Progress for people, on stderr: one moving line on a terminal, a line every five seconds elsewhere. */
export function createTextReporter(output: Output, clock: Clock): ProgressReporter {
  const totals: Totals = {
    units: 0,
    unitsDone: 0,
    rows: 0n,
    rowsDone: 0n,
    bytes: 0,
    startedMs: clock.elapsedMs(),
    slowest: undefined,
  }
  let lastLineMs = clock.elapsedMs()
  const line = (text: string) => output.write(output.isTty ? `${CLEAR_LINE}${text}\n` : `${text}\n`)
  const progress = () => {
    const now = clock.elapsedMs()
    const isLast = totals.unitsDone === totals.units && output.isTty
    const everyMs = output.isTty ? TTY_LINE_EVERY_MS : PLAIN_LINE_EVERY_MS
    if (totals.units === 0 || (now - lastLineMs < everyMs && !isLast)) return
    lastLineMs = now
    if (output.isTty) output.write(`${CLEAR_LINE}${progressText(totals, now)}${isLast ? '\n' : ''}`)
    else output.write(`${progressText(totals, now)}\n`)
    if (isLast) totals.units = 0
  }
  return {
    report(event) {
      count(totals, event, clock)
      const text = eventText(event)
      if (text !== undefined) line(text)
      progress()
    },
  }
}

function count(totals: Totals, event: ProgressEvent, clock: Clock): void {
  if (event.type === 'planned') {
    Object.assign(totals, {
      units: event.units,
      unitsDone: 0,
      rows: event.rows,
      rowsDone: 0n,
      bytes: 0,
      startedMs: clock.elapsedMs(),
    })
  } else if (event.type === 'unit-finished' || event.type === 'unit-skipped') {
    totals.unitsDone += 1
    totals.rowsDone += event.rows
    if (event.type === 'unit-skipped') return
    totals.bytes += event.bytes ?? 0
    if (event.elapsedMs > (totals.slowest?.elapsedMs ?? 0))
      totals.slowest = { what: describeUnit(event.unit), elapsedMs: event.elapsedMs }
  } else if (event.type === 'unit-failed') totals.unitsDone += 1
  else if (event.type === 'unit-split') totals.units += event.into - 1
}

function eventText(event: ProgressEvent): string | undefined {
  switch (event.type) {
    case 'phase':
      return `${event.phase} …`
    case 'planned':
      return `${event.verb}: ${event.units} units, ${groupDigits(event.rows)} rows`
    case 'unit-failed':
      return `FAILED ${describeUnit(event.unit)}: ${event.error.message}`
    case 'unit-split':
      return `${describeUnit(event.unit)}: ${event.error.message}; trying again${event.into > 1 ? ` in ${event.into} parts` : ''}`
    case 'notice':
      return `note: ${event.message}`
    default:
      return undefined
  }
}

function progressText(totals: Totals, nowMs: number): string {
  const seconds = Math.max(0.001, (nowMs - totals.startedMs) / 1000)
  const rate = Number(totals.rowsDone) / seconds
  const left = Number(totals.rows - totals.rowsDone)
  const eta = rate > 0 && left > 0 ? `, ${printSeconds(left / rate)} left` : ''
  const bytes = totals.bytes > 0 ? `, ${printBytes(totals.bytes)}` : ''
  const slowest =
    totals.slowest && totals.slowest.elapsedMs > 10_000
      ? `, slowest ${totals.slowest.what} ${printSeconds(totals.slowest.elapsedMs / 1000)}`
      : ''
  return `${totals.unitsDone}/${totals.units} units, ${groupDigits(totals.rowsDone)}/${groupDigits(totals.rows)} rows${bytes}, ${groupDigits(BigInt(Math.round(rate)))} rows/s${eta}${slowest}`
}

export const groupDigits = (n: bigint) => n.toString().replace(/\B(?=(\d{3})+$)/g, ' ')

export function printBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`
}

export function printSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

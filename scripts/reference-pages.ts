import { ERROR_CODES, type ErrorCodeEntry } from '../src/errors/codes.ts'
import { fileFormats } from '../src/format/registry.ts'
import type { OptionSpecs } from '../src/options/option-spec.ts'
import { storeDrivers } from '../src/store/registry.ts'

const NOTE = '<!-- Written by `npm run docs`; do not edit. -->\n'
const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

/** docs/reference/errors.md */
export function errorsPage(): string {
  const entries: [string, ErrorCodeEntry][] = Object.entries(ERROR_CODES)
  const rows = entries
    .sort(([a, x], [b, y]) => x.code.localeCompare(y.code) || a.localeCompare(b))
    .map(([name, e]) => [e.code, name, e.kind, e.retryable ? 'yes' : 'no', e.summary])
  return [
    NOTE,
    '# Errors',
    '',
    'The code is what CnosDB answers in the same situation; several situations share one. Codes that start with 90 are ours alone.',
    '',
    table(['Code', 'Name', 'Kind', 'Retry helps', 'Meaning'], rows),
    '',
  ].join('\n')
}

/** docs/reference/options.md */
export function optionsPage(): string {
  return [
    NOTE,
    '# Options of COPY INTO',
    '',
    ...storeDrivers
      .filter((driver) => Object.keys(driver.connection).length > 0)
      .flatMap((driver) => [
        `## CONNECTION for ${driver.schemes.map((s) => `\`${s}://\``).join(', ')}`,
        '',
        optionTable(driver.connection),
        '',
      ]),
    ...fileFormats.flatMap((format) => [
      `## FILE_FORMAT with TYPE = '${format.names[0]}'`,
      '',
      optionTable(format.options),
      '',
    ]),
  ].join('\n')
}

function optionTable(specs: OptionSpecs): string {
  const rows = Object.entries(specs).map(([key, spec]) => [
    `\`${key}\``,
    spec.type,
    spec.required ? 'required' : spec.default === undefined ? '' : `\`${String(spec.default)}\``,
    spec.secret ? 'secret' : '',
    spec.summary,
  ])
  return table(['Option', 'Type', 'Default', '', 'Meaning'], rows)
}

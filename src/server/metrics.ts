/** Every metric the server counts: its name, Prometheus type and help. */
const FAMILIES = {
  cnosdb_http_requests_total: { type: 'counter', help: 'HTTP requests answered, by path and status.' },
  cnosdb_http_requests_running: { type: 'gauge', help: 'HTTP requests being answered now.' },
  cnosdb_http_streams_broken_total: { type: 'counter', help: 'Answers broken off after their first byte.' },
  cnosdb_errors_total: { type: 'counter', help: 'Requests refused, by error code.' },
  cnosdb_sign_ins_refused_total: { type: 'counter', help: 'Sign-ins refused.' },
  cnosdb_statements_total: { type: 'counter', help: 'SQL statements begun.' },
  cnosdb_result_bytes_total: { type: 'counter', help: 'Bytes of results sent, compressed.' },
  cnosdb_written_rows_total: { type: 'counter', help: 'Rows written by line protocol.' },
  cnosdb_written_bytes_total: { type: 'counter', help: 'Bytes of line protocol accepted, unpacked.' },
} as const

export type MetricName = keyof typeof FAMILIES
type Labels = Readonly<Record<string, string>>

/** Numbers that somebody else counts, as they are when the metrics are read. */
export interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly { readonly labels?: Labels; readonly value: number | bigint }[]
}

/** Counters since the start, printed as Prometheus text. Labels must come from small sets. */
export class Metrics {
  readonly #values = new Map<MetricName, Map<string, number>>()
  count(name: MetricName, by = 1, labels: Labels = {}): void {
    const series = this.#values.get(name) ?? new Map<string, number>()
    const key = printLabels(labels)
    series.set(key, (series.get(key) ?? 0) + by)
    this.#values.set(name, series)
  }

  /** Text exposition format 0.0.4, of what was counted here and of `others`. */
  print(others: readonly Family[] = []): string {
    const counted = Object.entries(FAMILIES).map(([name, { type, help }]) => {
      const series = this.#values.get(name as MetricName) ?? new Map([['', 0]])
      return `${heading(name, type, help)}${[...series].map(([labels, value]) => `${name}${labels} ${value}\n`).join('')}`
    })
    const asked = others.map(({ name, type, help, samples }) => {
      const lines = samples.map(({ labels = {}, value }) => `${name}${printLabels(labels)} ${value}\n`)
      return heading(name, type, help) + lines.join('')
    })
    return [...counted, ...asked].join('')
  }
}

const heading = (name: string, type: string, help: string) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`

function printLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

import type { Abortable } from '../async/abort.ts'

export interface Scope extends Abortable {
  /** `cnosdb` when absent. */
  readonly tenant?: string | undefined
  /** `public` when absent. */
  readonly database?: string | undefined
  /** False for a statement that must not be sent twice, such as an export that adds files. True when absent. */
  readonly isRepeatable?: boolean | undefined
}

/** A row of a CSV answer: every value as text; NULL and '' are the same empty text (CnosDB's CSV cannot tell them apart). */
export type Row = Readonly<Record<string, string>>

type StreamFormat = 'csv' | 'nd-json'

/**
 * One CnosDB cluster, real or ours, through one node's public HTTP API. The server does the copying; this only asks.
 * Rejects with CLUSTER_UNREACHABLE when the node does not answer or breaks off, CLUSTER_REFUSED when it answers an
 * error (context.remoteCode is CnosDB's code, context.status the HTTP status), ACCESS_DENIED for 010016 and 040006,
 * INSUFFICIENT_PRIVILEGES for 010004; `signal.reason` when aborted. Messages never hold the password.
 */
export interface ClusterClient {
  /** `host:port`, without user or password. */
  readonly label: string
  readonly user: string
  ping(options?: Abortable): Promise<{ readonly version: string }>
  /** For answers of a few rows (counts, catalogs, COPY's own). Retries what CnosDB calls transient. */
  query(sql: string, scope?: Scope): Promise<readonly Row[]>
  /** DDL and other statements without an answer; as `query`. */
  execute(sql: string, scope?: Scope): Promise<void>
  /** The whole answer as bytes, `chunked=true`; throws when the server wrote an error object into the stream's end. */
  stream(sql: string, format: StreamFormat, scope?: Scope): AsyncIterable<Uint8Array>
  /** Line protocol, nanoseconds. */
  write(lines: Uint8Array, scope?: Scope): Promise<void>
  /** The DDL dump, or undefined when this server has no such endpoint or does not grant it to this user. */
  dumpDdl(options?: Abortable): Promise<string | undefined>
}

/** The last options object of everything that waits. A rejected wait rejects with `signal.reason`. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined
}

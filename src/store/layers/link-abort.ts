export interface LinkedAbort {
  readonly signal: AbortSignal
  abort(reason: unknown): void
  /** Forgets the outer signal; call it when the work is over, so that a long-lived signal collects no listeners. */
  unlink(): void
}

/** A signal that aborts with `outer` or by `abort`. Unlike AbortSignal.any it can be let go. */
export function linkAbort(outer: AbortSignal | undefined): LinkedAbort {
  const controller = new AbortController()
  const follow = () => controller.abort(outer?.reason)
  if (outer?.aborted) follow()
  else outer?.addEventListener('abort', follow, { once: true })
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unlink: () => outer?.removeEventListener('abort', follow),
  }
}

/** What goes wrong with a request. `after…` faults happen when the request has had its effect. */
export type FaultKind =
  | { readonly kind: 'status'; readonly status: number; readonly code: string; readonly retryAfter?: string }
  /** The connection dies before the request is looked at. */
  | { readonly kind: 'reset-before' }
  /** The connection dies after `bytes` of the request's body; the request has no effect. */
  | { readonly kind: 'reset-upload'; readonly bytes: number }
  /** The request takes effect `ms` after it was read, whether or not anybody still waits for the answer. */
  | { readonly kind: 'late'; readonly ms: number }
  /** The request takes effect, the connection dies without an answer. */
  | { readonly kind: 'reset-after' }
  /** The connection dies after `bytes` of the answer's body. */
  | { readonly kind: 'reset-inside'; readonly bytes: number }
  /** The connection is closed politely after `bytes` of the body, although more was promised. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** The answer claims, in all its headers, to be `bytes` shorter than it is. */
  | { readonly kind: 'wrong-length'; readonly bytes: number }
  | { readonly kind: 'wrong-etag' }
  /** After `bytes` of the body (-1: before the headers) nothing more comes, and the connection stays open. */
  | { readonly kind: 'stall'; readonly bytes: number }
  /** The object is deleted just before the request is handled. */
  | { readonly kind: 'disappear' }

export interface FaultRule {
  readonly method?: string
  /** Tested against the decoded path and the query, such as `/bucket/key?list-type=2`. */
  readonly url?: RegExp
  /** Matching requests that pass unharmed first. Default 0. */
  readonly skip?: number
  /** Matching requests that are hit. Default 1. */
  readonly times?: number
  readonly fault: FaultKind
}

interface ArmedRule {
  readonly rule: FaultRule
  seen: number
}

/** The faults a test server commits, in the order they were added: one for each request at most. */
export class FaultPlan {
  #armed: ArmedRule[] = []
  #hits = 0

  add(rule: FaultRule): void {
    this.#armed.push({ rule, seen: 0 })
  }

  clear(): void {
    this.#armed = []
    this.#hits = 0
  }

  /** How many requests were hit since `clear`. */
  get hits(): number {
    return this.#hits
  }

  take(method: string, url: string): FaultKind | undefined {
    for (const armed of this.#armed) {
      const { rule } = armed
      if (rule.method !== undefined && rule.method !== method) continue
      if (rule.url !== undefined && !rule.url.test(url)) continue
      armed.seen += 1
      const first = rule.skip ?? 0
      if (armed.seen <= first || armed.seen > first + (rule.times ?? 1)) continue
      this.#hits += 1
      return rule.fault
    }
    return undefined
  }
}

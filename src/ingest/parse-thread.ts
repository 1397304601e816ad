import { Worker } from 'node:worker_threads'
import type { Abortable } from '../async/abort.ts'
import { CnosError } from '../errors/cnos-error.ts'
import type { LineBatch } from './line-batch.ts'
import type { ParseOptions } from './line-parser.ts'

const isCompiled = import.meta.url.endsWith('.js')
const PROGRAM = new URL(`./parse-program${isCompiled ? '.js' : '.ts'}`, import.meta.url)
/** From source: what lets the main thread run TypeScript does not reach other threads. */
const FROM_SOURCE = `
Promise.all([import('node:worker_threads'), import('tsx/esm/api')]).then(([{ workerData }, { register }]) => {
  register()
  return import(workerData)
})`

/** A body to parse, or one that nobody wants parsed any more. */
export type ParseMessage =
  | { readonly id: number; readonly body: Uint8Array; readonly options: ParseOptions }
  | { readonly id: number }

export interface ParseAnswer {
  readonly id: number
  /** Undefined when there is a fault in the body, or nobody wants it. */
  readonly batches: LineBatch[] | undefined
}

interface Waiting {
  readonly resolve: (batches: LineBatch[] | undefined) => void
  readonly reject: (error: Error) => void
}

/**
 * Parses bodies beside the main thread, which meanwhile stores the rows of others. The thread starts with the first
 * body, and never keeps the process alive by itself; when it dies, the bodies it had fail, and the next starts another.
 */
export class ParseThread {
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #lastId = 0

  /**
   * As `parseLines`; undefined when that would throw. A body in a SharedArrayBuffer is not copied. Rejects with
   * `signal.reason`, or INTERNAL when the thread dies.
   */
  async parse(body: Uint8Array, options: ParseOptions, { signal }: Abortable): Promise<LineBatch[] | undefined> {
    signal?.throwIfAborted()
    this.#worker ??= this.#start()
    const worker = this.#worker
    worker.ref()
    this.#lastId += 1
    const id = this.#lastId
    const abandon = () => worker.postMessage({ id } satisfies ParseMessage)
    signal?.addEventListener('abort', abandon, { once: true })
    try {
      const batches = await new Promise<LineBatch[] | undefined>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject })
        worker.postMessage({ id, body, options } satisfies ParseMessage)
      })
      signal?.throwIfAborted()
      return batches
    } finally {
      signal?.removeEventListener('abort', abandon)
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = isCompiled ? new Worker(PROGRAM) : new Worker(FROM_SOURCE, { eval: true, workerData: PROGRAM.href })
    worker.on('message', ({ id, batches }: ParseAnswer) => {
      this.#waiting.get(id)?.resolve(batches)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) worker.unref()
    })
    worker.on('error', (cause) => this.#fail(worker, cause))
    worker.on('messageerror', (cause) => this.#fail(worker, cause))
    worker.on('exit', () => this.#fail(worker, undefined))
    return worker
  }

  #fail(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    void worker.terminate()
    this.#worker = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting)
      reject(new CnosError('INTERNAL', 'the thread that reads line protocol ended', { cause }))
  }
}

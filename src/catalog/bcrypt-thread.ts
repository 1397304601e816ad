import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { CnosError } from '../errors/cnos-error.ts'

/**
 * bcrypt is a third of a second of pure computing: it runs on a thread of its own, one password at a time, so that
 * requests under way do not stop for every sign-in. The thread starts with the first password and never keeps the
 * process alive by itself.
 */
const require = createRequire(import.meta.url)

const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const { compareSync, hashSync } = require(workerData)
parentPort.on('message', ({ id, password, hashed, cost }) => {
  try {
    const answer = hashed === undefined ? hashSync(password, cost) : compareSync(password, hashed)
    parentPort.postMessage({ id, answer })
  } catch {
    parentPort.postMessage({ id, answer: false })
  }
})`

type Job = { readonly password: string } & ({ readonly cost: number } | { readonly hashed: string })

interface Answer {
  readonly id: number
  readonly answer: string | boolean
}

interface Waiting {
  readonly resolve: (answer: string | boolean) => void
  readonly reject: (error: Error) => void
}

class BcryptThread {
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #lastId = 0

  ask(job: Job): Promise<string | boolean> {
    this.#worker ??= this.#start()
    this.#worker.ref()
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker?.postMessage({ id, ...job })
    })
  }

  #start(): Worker {
    const worker = new Worker(PROGRAM, {
      eval: true,
      workerData: require.resolve('bcryptjs'),
      stdin: false,
      env: {},
      execArgv: [],
    })
    worker.on('message', ({ id, answer }: Answer) => {
      this.#waiting.get(id)?.resolve(answer)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) worker.unref()
    })
    worker.on('error', (cause) => this.#fail(cause))
    worker.on('exit', () => this.#fail(undefined))
    return worker
  }

  #fail(cause: unknown): void {
    this.#worker = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting)
      reject(new CnosError('INTERNAL', 'the thread that checks passwords ended', { cause }))
  }
}

const thread = new BcryptThread()

/** A bcrypt of `password`. */
export async function bcryptHash(password: string, cost: number): Promise<string> {
  const answer = await thread.ask({ password, cost })
  if (typeof answer === 'string') return answer
  throw new CnosError('INTERNAL', 'the password could not be hashed')
}

/** Whether `hashed` is a bcrypt of `password`; false when it is no bcrypt at all. */
export async function bcryptMatches(password: string, hashed: string): Promise<boolean> {
  return (await thread.ask({ password, hashed })) === true
}

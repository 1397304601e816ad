import { createHmac, randomBytes } from 'node:crypto'
import { CnosError } from '../errors/cnos-error.ts'
import { bcryptHash, bcryptMatches } from './bcrypt-thread.ts'
import type { User } from './state.ts'

const COST = 12
/** bcrypt looks at this many bytes; two longer passwords with one beginning would be the same. */
const MAX_PASSWORD_BYTES = 72
/** A hash of a higher cost would take minutes at every sign-in. */
const MAX_COST = 16
/** A hash nobody's password has, so that an unknown user takes as long as a known one. */
const NOBODY = '$2b$12$C6UzMDM.H6dfI/f/IKcEeO7ZrG8l8x5h0yq5Yt6vE0Qd1m8aZ1L9K'
const MAX_REMEMBERED = 10_000
/** Different passwords that wait for their check at one time, some 20 seconds of work. */
const MAX_WAITING = 64

/** bcrypt, cost 12, `$2b$`, as CnosDB stores it. Throws BAD_OPTION for a password of more than 72 bytes. */
export async function hashPassword(password: string): Promise<string> {
  const bytes = Buffer.byteLength(password)
  if (bytes <= MAX_PASSWORD_BYTES) return bcryptHash(password, COST)
  throw new CnosError(
    'BAD_OPTION',
    `Semantic error: the password has ${bytes} bytes, and bcrypt takes no more than 72`,
    {
      hint: 'choose a shorter password: what comes after 72 bytes would not count',
    },
  )
}

interface NewPassword {
  readonly password?: string | undefined
  readonly hashPassword?: string | undefined
}

/** A password that has to be changed is not changed by setting it again: throws INSUFFICIENT_PRIVILEGES. */
export async function requireOtherPassword(
  user: User | undefined,
  { password, hashPassword }: NewPassword,
): Promise<void> {
  if (!user?.mustChangePassword || user.hashPassword === undefined) return
  const isSame =
    password === undefined ? hashPassword === user.hashPassword : await bcryptMatches(password, user.hashPassword)
  if (!isSame) return
  throw new CnosError('INSUFFICIENT_PRIVILEGES', 'Insufficient privileges, expected [input different password]', {
    hint: 'choose a password that is not the present one',
  })
}

/** Throws BAD_OPTION for a hash that would keep the server busy for minutes; anything else is stored as given. */
export function checkHash(hashed: string): void {
  const [, cost] = /^\$2[abxy]?\$(\d\d)\$/.exec(hashed) ?? []
  if (cost === undefined || Number(cost) <= MAX_COST) return
  throw new CnosError('BAD_OPTION', `Semantic error: hash_password has cost ${cost}, and the highest is ${MAX_COST}`)
}

/** Checks passwords; remembers what it has found out, since bcrypt is slow by design and every request carries one. */
export interface PasswordChecker {
  /**
   * False for an absent hash, after the same time. Rejects with TOO_MANY_QUERIES while too many others wait: a flood of
   * guesses must not become a queue of minutes.
   */
  check(password: string, hashed: string | undefined): Promise<boolean>
}

export function createPasswordChecker(): PasswordChecker {
  const secret = randomBytes(32)
  const known = new Map<string, boolean>()
  const underWay = new Map<string, Promise<boolean>>()
  return {
    async check(password, hashed) {
      const against = hashed ?? NOBODY
      const proof = createHmac('sha256', secret).update(`${against}\0${password}`).digest('base64')
      const isRight = known.get(proof) ?? (await coalesced(underWay, proof, () => bcryptMatches(password, against)))
      remember(known, proof, isRight)
      return isRight && hashed !== undefined
    },
  }
}

/** Many requests at once with one password are one check. */
function coalesced(
  underWay: Map<string, Promise<boolean>>,
  proof: string,
  work: () => Promise<boolean>,
): Promise<boolean> {
  const same = underWay.get(proof)
  if (same) return same
  if (underWay.size >= MAX_WAITING) {
    throw new CnosError('TOO_MANY_QUERIES', 'Too many passwords wait to be checked', {
      hint: 'try again in a few seconds; somebody may be guessing passwords',
    })
  }
  const check = work().finally(() => underWay.delete(proof))
  underWay.set(proof, check)
  return check
}

/** Keeps the latest: guesses push out older guesses, and a password in use is always among the latest. */
function remember(known: Map<string, boolean>, proof: string, isRight: boolean): void {
  known.delete(proof)
  known.set(proof, isRight)
  for (const oldest of known.keys()) {
    if (known.size <= MAX_REMEMBERED) return
    known.delete(oldest)
  }
}

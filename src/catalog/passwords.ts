import { createHmac, randomBytes } from 'node:crypto'
import { compare, hash } from 'bcryptjs'

const COST = 12
/** A hash nobody's password has, so that an unknown user takes as long as a known one. */
const NOBODY = '$2b$12$C6UzMDM.H6dfI/f/IKcEeO7ZrG8l8x5h0yq5Yt6vE0Qd1m8aZ1L9K'
const MAX_REMEMBERED = 10_000

/** bcrypt, cost 12, `$2b$`, as CnosDB stores it. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, COST)
}

/** Checks passwords; remembers what it has proved, since bcrypt is slow by design and every request carries one. */
export interface PasswordChecker {
  /** False for an absent hash, after the same time. */
  check(password: string, hashed: string | undefined): Promise<boolean>
}

export function createPasswordChecker(): PasswordChecker {
  const secret = randomBytes(32)
  const proved = new Set<string>()
  return {
    async check(password, hashed) {
      const proof = createHmac('sha256', secret)
        .update(hashed ?? NOBODY)
        .update('\0')
        .update(password)
        .digest('base64')
      if (proved.has(proof)) return true
      const isRight = await compare(password, hashed ?? NOBODY).catch(() => false)
      if (!isRight || hashed === undefined) return false
      if (proved.size >= MAX_REMEMBERED) proved.clear()
      proved.add(proof)
      return true
    },
  }
}

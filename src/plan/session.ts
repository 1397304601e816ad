/** Who asks, and where unqualified names point. Made by `Database.authenticate`, never by a request. */
export interface UserSession {
  readonly user: string
  readonly tenant: string
  readonly database: string
  /** The user whose password was changed last needs to log in again: the version that was checked. */
  readonly mustChangePassword: boolean
}

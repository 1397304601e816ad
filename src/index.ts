export { type Clock, systemClock } from './async/clock.ts'
export {
  type Budgets,
  type Credentials,
  type Database,
  type DatabaseOptions,
  type EngineRow,
  openDatabase,
  type ResultColumn,
  type RowsResult,
  type Session,
  type StatementResult,
  type Usage,
  type WriteOptions,
} from './database.ts'
export { CnosError, type CnosErrorOptions, type ErrorContext, isCnosError } from './errors/cnos-error.ts'
export { ERROR_CODES, type ErrorCodeEntry, type ErrorKind, type ErrorName } from './errors/codes.ts'

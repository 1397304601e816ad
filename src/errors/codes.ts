/**
 * Every error this project raises. The name is unique; the code is what CnosDB answers in that situation, and CnosDB
 * gives several situations one code. Codes of module 90 are ours alone.
 */

/** Who can mend it. Decides the exit code of a program and the HTTP status of a server. */
export type ErrorKind =
  | 'usage'
  | 'request'
  | 'sql'
  | 'access'
  | 'data'
  | 'store'
  | 'cluster'
  | 'backup'
  | 'unsupported'
  | 'internal'

export interface ErrorCodeEntry {
  /** Two digits of module, four of number, as CnosDB prints them. */
  readonly code: string
  readonly kind: ErrorKind
  /** True when the same request may succeed a little later without a change. */
  readonly retryable: boolean
  readonly summary: string
}

export const ERROR_CODES = {
  // HTTP layer
  MISSING_AUTHORIZATION: {
    code: '000000',
    kind: 'request',
    retryable: false,
    summary: 'The request has no Authorization header.',
  },
  BAD_HEADER: {
    code: '040005',
    kind: 'request',
    retryable: false,
    summary: 'A header or query parameter has a value the server cannot use.',
  },
  BAD_AUTHORIZATION: {
    code: '040006',
    kind: 'request',
    retryable: false,
    summary: 'The Authorization header is not Basic, or cannot be decoded.',
  },
  BAD_BODY_ENCODING: {
    code: '040013',
    kind: 'request',
    retryable: false,
    summary: 'The body cannot be decompressed with its Content-Encoding.',
  },
  LINE_PROTOCOL_SYNTAX: {
    code: '040004',
    kind: 'data',
    retryable: false,
    summary: 'A line of line protocol could not be parsed.',
  },
  INVALID_UTF8: { code: '040015', kind: 'data', retryable: false, summary: 'The body is not UTF-8.' },

  // SQL
  SQL_SYNTAX: { code: '010009', kind: 'sql', retryable: false, summary: 'The statement could not be parsed.' },
  MULTI_STATEMENT: {
    code: '010013',
    kind: 'sql',
    retryable: false,
    summary: 'A request holds more than one statement.',
  },
  BAD_OPTION: {
    code: '010003',
    kind: 'sql',
    retryable: false,
    summary: 'An option is unknown, missing or has a bad value.',
  },
  PLANNING: {
    code: '010001',
    kind: 'sql',
    retryable: false,
    summary: 'The statement cannot be planned: a column, function, path or type does not fit.',
  },
  CAST_FAILED: { code: '010002', kind: 'data', retryable: false, summary: 'A value cannot be cast.' },
  UNSUPPORTED: { code: '010005', kind: 'unsupported', retryable: false, summary: 'Understood, but not available.' },
  QUERY_NOT_FOUND: { code: '010011', kind: 'sql', retryable: false, summary: 'No running query has this id.' },
  TOO_MANY_QUERIES: { code: '010012', kind: 'sql', retryable: true, summary: 'All query slots are in use.' },
  QUERY_CANCELED: {
    code: '010014',
    kind: 'sql',
    retryable: false,
    summary: 'The statement was ended by KILL QUERY.',
  },
  SERVER_CLOSED: {
    code: '010015',
    kind: 'cluster',
    retryable: true,
    summary: 'The server is shutting down.',
  },
  TIME_IS_NULL: { code: '010023', kind: 'data', retryable: false, summary: 'A row has no time.' },
  DUPLICATE_COLUMN: { code: '010027', kind: 'sql', retryable: false, summary: 'A column is declared twice.' },
  COLUMN_EXISTS: { code: '010028', kind: 'sql', retryable: false, summary: 'The column already exists.' },
  COLUMN_NOT_FOUND: { code: '010029', kind: 'sql', retryable: false, summary: 'The column does not exist.' },
  DATA_TYPE_NOT_ALLOWED: {
    code: '010041',
    kind: 'sql',
    retryable: false,
    summary: 'The data type cannot be used for a column.',
  },
  CODEC_NOT_ALLOWED: {
    code: '010042',
    kind: 'sql',
    retryable: false,
    summary: 'The codec does not fit the data type.',
  },
  SYSTEM_ROLE_GRANT: {
    code: '010043',
    kind: 'sql',
    retryable: false,
    summary: 'System roles cannot be granted to or revoked from.',
  },
  INSERT_COLUMN_UNKNOWN: {
    code: '010044',
    kind: 'sql',
    retryable: false,
    summary: 'A listed column does not exist in the target table.',
  },
  INSERT_COLUMNS_MISMATCH: {
    code: '010045',
    kind: 'sql',
    retryable: false,
    summary: 'The number of columns differs between source and target.',
  },
  SHOW_SERIES_WHERE: {
    code: '010046',
    kind: 'sql',
    retryable: false,
    summary: 'SHOW SERIES may filter by time and tags only.',
  },
  QUERIED_INVALID_GEOMETRY: {
    code: '010073',
    kind: 'data',
    retryable: false,
    summary: 'A geometry is not valid WKT of the column’s type.',
  },
  DROP_SYSTEM_TENANT: { code: '010064', kind: 'sql', retryable: false, summary: 'A system tenant cannot be dropped.' },
  DROP_SYSTEM_DATABASE: {
    code: '010065',
    kind: 'sql',
    retryable: false,
    summary: 'A system database cannot be dropped.',
  },
  DROP_SYSTEM_USER: { code: '010074', kind: 'sql', retryable: false, summary: 'The root user cannot be dropped.' },
  SYSTEM_TENANT_LIMITER: {
    code: '010075',
    kind: 'sql',
    retryable: false,
    summary: 'The system tenant cannot have a limiter.',
  },
  DROP_SYSTEM_ROLE: { code: '010076', kind: 'sql', retryable: false, summary: 'A system role cannot be dropped.' },
  CREATE_SYSTEM_ROLE: {
    code: '010077',
    kind: 'sql',
    retryable: false,
    summary: 'A role cannot have the name of a system role.',
  },
  TENANT_LIMITER_INVALID: {
    code: '010054',
    kind: 'sql',
    retryable: false,
    summary: 'A limiter group lacks a mandatory number.',
  },

  // access
  ACCESS_DENIED: { code: '010016', kind: 'access', retryable: false, summary: 'User, password or tenant is wrong.' },
  INSUFFICIENT_PRIVILEGES: { code: '010004', kind: 'access', retryable: false, summary: 'The user lacks a privilege.' },
  PATH_NOT_ALLOWED: {
    code: '900001',
    kind: 'access',
    retryable: false,
    summary: 'The server does not let this user reach this path or host.',
  },

  // metadata
  MEMBER_EXISTS: {
    code: '030001',
    kind: 'sql',
    retryable: false,
    summary: 'The user already is a member of the tenant.',
  },
  MEMBER_NOT_FOUND: {
    code: '030002',
    kind: 'sql',
    retryable: false,
    summary: 'The user is not a member of the tenant.',
  },
  ROLE_EXISTS: { code: '030005', kind: 'sql', retryable: false, summary: 'The role already exists.' },
  ROLE_NOT_FOUND: { code: '030006', kind: 'sql', retryable: false, summary: 'The role does not exist.' },
  USER_EXISTS: { code: '030007', kind: 'sql', retryable: false, summary: 'The user already exists.' },
  USER_NOT_FOUND: { code: '030008', kind: 'sql', retryable: false, summary: 'The user does not exist.' },
  TENANT_EXISTS: { code: '030009', kind: 'sql', retryable: false, summary: 'The tenant already exists.' },
  TENANT_NOT_FOUND: { code: '030010', kind: 'sql', retryable: false, summary: 'The tenant does not exist.' },
  META_UNAVAILABLE: {
    code: '030015',
    kind: 'cluster',
    retryable: true,
    summary: 'The metadata service is in trouble.',
  },
  DATABASE_NOT_FOUND: { code: '030017', kind: 'sql', retryable: false, summary: 'The database does not exist.' },
  DATABASE_EXISTS: { code: '030018', kind: 'sql', retryable: false, summary: 'The database already exists.' },
  TABLE_NOT_FOUND: {
    code: '030019',
    kind: 'sql',
    retryable: false,
    summary: 'The table, or its database, does not exist.',
  },
  TABLE_EXISTS: { code: '030020', kind: 'sql', retryable: false, summary: 'The table already exists.' },
  LIMIT_REACHED: {
    code: '030024',
    kind: 'cluster',
    retryable: true,
    summary: 'A rate limit of the tenant was reached.',
  },
  META_CONFLICT: { code: '030025', kind: 'cluster', retryable: true, summary: 'The metadata changed meanwhile.' },
  OBJECT_LIMIT: {
    code: '030000',
    kind: 'sql',
    retryable: false,
    summary: 'An object limit of the tenant was reached.',
  },
  OPERATION_NOT_SUPPORTED: {
    code: '030034',
    kind: 'sql',
    retryable: false,
    summary: 'The operation is not supported on this object, or the data is older than the TTL.',
  },
  REPLICA_TOO_LARGE: { code: '030053', kind: 'sql', retryable: false, summary: 'There are fewer nodes than replicas.' },
  PRIVILEGE_NOT_GRANTED: {
    code: '030056',
    kind: 'sql',
    retryable: false,
    summary: 'The privilege to revoke was not granted.',
  },

  // storage
  COLUMN_TYPE_CONFLICT: {
    code: '020004',
    kind: 'data',
    retryable: false,
    summary: 'A value’s type differs from its column’s.',
  },
  OUT_OF_MEMORY: {
    code: '020005',
    kind: 'internal',
    retryable: true,
    summary: 'The statement needs more memory than the server’s budget.',
  },
  FIELDS_EMPTY: { code: '050034', kind: 'data', retryable: false, summary: 'A row has no field that is not null.' },
  TIMESTAMP_OVERFLOW: {
    code: '050014',
    kind: 'data',
    retryable: false,
    summary: 'A time does not fit into the database’s precision.',
  },
  NO_SPACE: {
    code: '900002',
    kind: 'store',
    retryable: false,
    summary: 'There is no space left on the device, or in the spool.',
  },
  DATA_DIRECTORY: {
    code: '900003',
    kind: 'usage',
    retryable: false,
    summary: 'The data directory is in use, unreadable, or written by a newer version.',
  },

  // files and object stores
  BAD_FILE: {
    code: '010001',
    kind: 'data',
    retryable: false,
    summary: 'A file holds a value or structure that does not fit: see file, line, column.',
  },
  FILE_TRUNCATED: { code: '900004', kind: 'data', retryable: false, summary: 'A file ends before its content does.' },
  OBJECT_NOT_FOUND: {
    code: '010047',
    kind: 'store',
    retryable: false,
    summary: 'The object, file or bucket does not exist.',
  },
  STORE_ACCESS_DENIED: {
    code: '010047',
    kind: 'store',
    retryable: false,
    summary: 'The object store refused the credentials or the operation.',
  },
  STORE_BAD_REQUEST: {
    code: '010047',
    kind: 'store',
    retryable: false,
    summary: 'The object store refused the request.',
  },
  STORE_PRECONDITION: {
    code: '010047',
    kind: 'store',
    retryable: false,
    summary: 'The object changed while it was read, or what was stored differs from what was sent.',
  },
  STORE_UNAVAILABLE: {
    code: '010047',
    kind: 'store',
    retryable: true,
    summary: 'The object store did not answer, or asked us to slow down.',
  },

  // cnosdb-imexport
  USAGE: {
    code: '900005',
    kind: 'usage',
    retryable: false,
    summary: 'A command line flag is missing, unknown or has a bad value.',
  },
  CLUSTER_UNREACHABLE: { code: '900006', kind: 'cluster', retryable: true, summary: 'The cluster did not answer.' },
  CLUSTER_REFUSED: { code: '900007', kind: 'cluster', retryable: false, summary: 'The cluster refused a statement.' },
  BACKUP_INVALID: {
    code: '900008',
    kind: 'backup',
    retryable: false,
    summary: 'The backup is incomplete, damaged, or written by a newer version.',
  },
  BACKUP_MISMATCH: {
    code: '900009',
    kind: 'backup',
    retryable: false,
    summary: 'Counts or checksums differ between source, backup and target.',
  },
  TARGET_CONFLICT: {
    code: '900010',
    kind: 'backup',
    retryable: false,
    summary: 'The target already holds something that the import would change.',
  },
  RUN_REPLACED: {
    code: '900011',
    kind: 'backup',
    retryable: false,
    summary: 'Another run of the same command has taken over the journal.',
  },

  INTERNAL: { code: '019998', kind: 'internal', retryable: false, summary: 'A broken invariant: please report it.' },
} as const satisfies Record<string, ErrorCodeEntry>

export type ErrorName = keyof typeof ERROR_CODES

import type { Statement } from '../ast.ts'
import { type Cursor, take, wordOf } from './cursor.ts'
import { takeVerbatim } from './verbatim.ts'

/** First words of statements that CnosDB or SQL knows, and we do not carry out. */
export const UNSUPPORTED_FIRST_WORDS: readonly string[] = [
  'analyze',
  'begin',
  'checksum',
  'comment',
  'commit',
  'compact',
  'deallocate',
  'execute',
  'flush',
  'lock',
  'merge',
  'move',
  'prepare',
  'reload',
  'replica',
  'replicate',
  'rollback',
  'savepoint',
  'set',
  'start',
  'truncate',
  'unload',
  'use',
  'vacuum',
]

/** What CREATE, ALTER, DROP or SHOW may name in CnosDB or SQL, and we do not carry out. */
export const UNSUPPORTED_OBJECTS: Readonly<Record<'create' | 'alter' | 'drop' | 'show', readonly string[]>> = {
  create: [
    'function',
    'index',
    'materialized',
    'or',
    'schema',
    'sequence',
    'stream',
    'temporary',
    'type',
    'unbounded',
    'view',
  ],
  alter: ['index', 'role', 'schema', 'stream', 'view'],
  drop: ['function', 'index', 'replica', 'schema', 'sequence', 'stream', 'type', 'view', 'vnode'],
  show: ['columns', 'create', 'functions', 'grants', 'roles', 'users', 'variables'],
}

/** Takes the rest of the statement; the refusal names `feature`. */
export function parseUnsupported(cursor: Cursor, feature: string): Statement {
  if (cursor.token.kind !== 'end' && cursor.sql.charAt(cursor.token.start) !== ';') takeVerbatim(cursor, 'a statement')
  return { kind: 'unsupported', feature }
}

/** A statement that is refused by its first word. */
export function parseUnsupportedStatement(cursor: Cursor): Statement {
  const feature = wordOf(cursor, take(cursor)).toUpperCase()
  return parseUnsupported(cursor, feature)
}

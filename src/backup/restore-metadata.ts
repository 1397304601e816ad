import type { Abortable } from '../async/abort.ts'
import { mapLimited } from '../async/limit.ts'
import type { ClusterClient } from '../client/cluster-client.ts'
import { type CnosError, isCnosError } from '../errors/cnos-error.ts'
import { type DatabaseOptionName, LIMITER_GROUPS, type Statement, type TenantOptions } from '../sql/ast.ts'
import { printStatement } from '../sql/printer.ts'
import { type MetadataStatement, SYSTEM_TENANT } from './cluster-metadata.ts'
import { databaseName, nameOf, roleName, type TargetObjects } from './target-objects.ts'

export interface RestoreMetadataOptions {
  /** Upper bound of REPLICA, for a target with fewer nodes. */
  readonly maxReplica: bigint | undefined
  /** Whether objects that were there take the backup's options (ALTER) or stay as they are. */
  readonly updateExisting: boolean
  readonly target: TargetObjects
}

interface Step {
  readonly tenant: string | undefined
  readonly statement: Statement
}

/** CnosDB's answers that say "this object is there already". */
const EXISTS_CODES = new Set(['030001', '030005', '030007', '030009', '030018', '030020'])
const LIMITER_CODE_TO_WAIT = '030017'

/** The statements before the rows, in an order that works on every CnosDB: a finite TTL would refuse old rows. */
export function stepsBeforeData(
  meta: readonly MetadataStatement[],
  schema: readonly MetadataStatement[],
  options: RestoreMetadataOptions,
): Step[] {
  const ofKind = (kind: Statement['kind'], list = meta) => list.filter(({ statement }) => statement.kind === kind)
  const { updateExisting, target } = options
  const steps = [
    ...ofKind('create-tenant').map(withoutLimiter),
    ...ofKind('create-user'),
    ...ofKind('create-database').map((step) => withoutTtl(step, options)),
    ...ofKind('create-role'),
    ...ofKind('grant'),
    ...ofKind('alter-tenant'),
  ].flatMap((step): Step[] => {
    if (isLeftAlone(step, options)) return []
    if (step.statement.kind === 'create-database') return [step, ...unlikeTarget(step, target)]
    const isThere = target.earlier.has(nameOf(step) ?? '')
    return isThere && updateExisting ? updatesOf(step) : [step]
  })
  return [...steps, ...ofKind('create-table', schema), ...ofKind('create-external-table', schema)]
}

/** What was on the target before and stays as it is, one sentence each; databases only when their options differ. */
export function leftAlone(meta: readonly MetadataStatement[], options: RestoreMetadataOptions): string[] {
  return meta.flatMap((step) => {
    const name = nameOf(step)
    if (name === undefined || !isLeftAlone(step, options)) return []
    const isDatabase = step.statement.kind === 'create-database'
    const unlike = unlikeTarget(step, options.target).map(({ statement }) => printStatement(statement))
    if (isDatabase && unlike.length === 0) return []
    return [
      `${name}: it was on the target before, left as it is${isDatabase ? ` (${unlike.join('; ')} makes it as in the backup)` : ''}`,
    ]
  })
}

/** Whether a statement is about something that was on the target before and keeps what it has there. */
export function isLeftAlone(
  { tenant = SYSTEM_TENANT, statement }: Step,
  { updateExisting, target }: RestoreMetadataOptions,
) {
  if (updateExisting) return false
  if (statement.kind !== 'grant') return target.earlier.has(nameOf({ tenant, statement }) ?? '')
  return (
    target.earlier.has(roleName(tenant, statement.role)) &&
    statement.privileges.every(({ database }) => target.earlier.has(databaseName(tenant, database)))
  )
}

const ALTERABLE = ['ttl', 'shard', 'vnode_duration', 'replica'] as const

/** ALTER statements for a database that is there already, such as every cluster's `public`. */
function unlikeTarget({ tenant = SYSTEM_TENANT, statement }: Step, { databases }: TargetObjects): Step[] {
  if (statement.kind !== 'create-database') return []
  const there = databases.get(databaseName(tenant, statement.name))
  return ALTERABLE.flatMap((option) => {
    const wanted = statement.options.get(option)
    if (!there || wanted === undefined || String(wanted) === there[option]) return []
    return [{ tenant, statement: alterDatabase(statement.name, option, wanted) }]
  })
}

const alterDatabase = (name: string, option: DatabaseOptionName, value: string | bigint): Statement => ({
  kind: 'alter-database',
  name,
  options: new Map([[option, value]]),
})

/** The statements after the rows: stream tables, real TTLs, limits. */
export function stepsAfterData(
  meta: readonly MetadataStatement[],
  schema: readonly MetadataStatement[],
  options: RestoreMetadataOptions,
): Step[] {
  const own = meta.filter((step) => !isLeftAlone(step, options))
  return [
    ...schema.filter(({ statement }) => statement.kind === 'create-stream-table'),
    ...own.flatMap(restoredTtl),
    ...own.flatMap(restoredLimiter),
  ]
}

function withoutLimiter({ tenant, statement }: MetadataStatement): Step {
  if (statement.kind !== 'create-tenant') return { tenant, statement }
  const { comment, dropAfter } = statement.options
  const options = { ...(comment === undefined ? {} : { comment }), ...(dropAfter === undefined ? {} : { dropAfter }) }
  return { tenant, statement: { ...statement, ifNotExists: true, options } }
}

function withoutTtl({ tenant, statement }: MetadataStatement, { maxReplica }: RestoreMetadataOptions): Step {
  if (statement.kind !== 'create-database') return { tenant, statement }
  const options = new Map<DatabaseOptionName, string | bigint>([...statement.options, ['ttl', 'INF']])
  const replica = options.get('replica')
  if (maxReplica !== undefined && typeof replica === 'bigint' && replica > maxReplica)
    options.set('replica', maxReplica)
  return { tenant, statement: { ...statement, ifNotExists: true, options } }
}

function restoredTtl({ tenant, statement }: MetadataStatement): Step[] {
  const ttl = statement.kind === 'create-database' ? statement.options.get('ttl') : undefined
  if (statement.kind !== 'create-database' || ttl === undefined) return []
  return [{ tenant, statement: alterDatabase(statement.name, 'ttl', ttl) }]
}

/** 2.4.3 refuses the `_limiter` its own dump writes, so the limits are said in the groups of ALTER TENANT. */
function restoredLimiter({ statement }: MetadataStatement): Step[] {
  if (statement.kind !== 'create-tenant') return []
  const limits = limiterGroups(statement.options)
  if (!limits) return []
  return [
    {
      tenant: undefined,
      statement: { kind: 'alter-tenant', name: statement.name, action: { kind: 'set', options: limits } },
    },
  ]
}

type Numbers = Readonly<Record<string, number | null>>
interface LimiterJson {
  readonly object_config?: Numbers | null
  readonly request_config?: Readonly<Record<string, { remote_bucket?: Numbers; local_bucket?: Numbers } | null>> | null
}

/** The limits of a tenant as option groups; undefined when it has none. */
function limiterGroups(options: TenantOptions): TenantOptions | undefined {
  if (options.limiterJson === undefined) {
    const { objectConfig, requestConfig } = options
    if (!objectConfig && !requestConfig) return undefined
    return { ...(objectConfig ? { objectConfig } : {}), ...(requestConfig ? { requestConfig } : {}) }
  }
  const stored = JSON.parse(options.limiterJson) as LimiterJson
  const objectConfig = numbersOf(stored.object_config, '')
  const requestConfig = new Map(
    LIMITER_GROUPS.flatMap((group) => {
      const buckets = stored.request_config?.[group]
      if (!buckets) return []
      return [
        [
          group,
          new Map([...numbersOf(buckets.remote_bucket, 'remote_'), ...numbersOf(buckets.local_bucket, 'local_')]),
        ] as const,
      ]
    }),
  )
  if (objectConfig.size === 0 && requestConfig.size === 0) return undefined
  return { ...(objectConfig.size > 0 ? { objectConfig } : {}), ...(requestConfig.size > 0 ? { requestConfig } : {}) }
}

function numbersOf(numbers: Numbers | null | undefined, prefix: string): Map<string, bigint> {
  return new Map(
    Object.entries(numbers ?? {}).flatMap(([name, value]) =>
      value === null ? [] : [[`${prefix}${name}`, BigInt(value)] as const],
    ),
  )
}

/** Runs the steps in order; what an earlier run has made stays; failures are collected, by name. */
export async function runSteps(
  steps: readonly Step[],
  { client, parallel }: { readonly client: ClusterClient; readonly parallel: number },
  { signal }: Abortable,
): Promise<StepFailure[]> {
  const failures: StepFailure[] = []
  const run = (step: Step, inner: Abortable) => runStep(step, client, inner)
  for (const group of independentSteps(steps))
    failures.push(...(await mapLimited(group, parallel, run, { signal })).flat())
  return failures
}

interface StepFailure {
  readonly what: string
  readonly error: Error
}

/** Neighbouring tables together, every other step alone. */
function independentSteps(steps: readonly Step[]): readonly (readonly Step[])[] {
  const groups: Step[][] = []
  for (const step of steps) {
    const last = groups.at(-1)
    const isTable = step.statement.kind === 'create-table'
    if (last && isTable && last[0]?.statement.kind === 'create-table') last.push(step)
    else groups.push([step])
  }
  return groups
}

async function runStep(step: Step, client: ClusterClient, { signal }: Abortable): Promise<StepFailure[]> {
  try {
    await client.execute(printStatement(step.statement), { tenant: step.tenant ?? SYSTEM_TENANT, signal })
    return []
  } catch (thrown) {
    signal?.throwIfAborted()
    if (!isCnosError(thrown) || thrown.errorName === 'CLUSTER_UNREACHABLE') throw thrown
    if (EXISTS_CODES.has(thrown.context.remoteCode ?? '')) return []
    return [{ what: describeStep(step), error: explained(thrown) }]
  }
}

/** ALTER statements that give what is there the backup's options, one option each. */
function updatesOf({ tenant, statement }: Step): Step[] {
  const { kind } = statement
  if (kind === 'create-user') {
    return Object.entries(statement.options).map(([key, value]) => ({
      tenant,
      statement: { kind: 'alter-user', name: statement.name, action: { kind: 'set', options: { [key]: value } } },
    }))
  }
  if (kind === 'create-tenant') {
    return Object.entries(statement.options).map(([key, value]) => ({
      tenant,
      statement: { kind: 'alter-tenant', name: statement.name, action: { kind: 'set', options: { [key]: value } } },
    }))
  }
  if (kind === 'alter-tenant' && statement.action.kind === 'add-user') {
    return [{ tenant, statement: { ...statement, action: { ...statement.action, kind: 'set-user' } } }]
  }
  return [{ tenant, statement }]
}

function explained(error: CnosError): Error {
  return error.context.remoteCode === LIMITER_CODE_TO_WAIT
    ? Object.assign(error, { message: `${error.message} (is the database being dropped? RECOVER it, or wait)` })
    : error
}

/** `user "anna"`, `table "plant"."air"`, for messages: never the options, which may hold a password. */
function describeStep({ tenant, statement }: Step): string {
  const where = tenant === undefined ? '' : ` of tenant ${tenant}`
  switch (statement.kind) {
    case 'create-tenant':
      return `tenant ${statement.name}`
    case 'create-user':
      return `user ${statement.name}`
    case 'create-database':
    case 'alter-database':
      return `database ${statement.name}${where}`
    case 'create-role':
      return `role ${statement.name}${where}`
    case 'grant':
      return `privileges of role ${statement.role}${where}`
    case 'alter-tenant':
      return statement.action.kind === 'add-user'
        ? `member ${statement.action.user}${where}`
        : `limits of tenant ${statement.name}`
    case 'create-table':
    case 'create-external-table':
    case 'create-stream-table':
      return `table ${statement.table.parts.join('.')}${where}`
    default:
      return statement.kind
  }
}

import { statfs } from 'node:fs/promises'
import type { Abortable } from '../../async/abort.ts'
import { systemClock } from '../../async/clock.ts'
import type { Manifest } from '../../backup/manifest.ts'
import { isShared } from '../../backup/place.ts'
import { parseTimeNs, printTimeNs } from '../../backup/unit.ts'
import { listBackups, verifyBackup } from '../../backup/verify.ts'
import { CnosError } from '../../errors/cnos-error.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { type Flags, openClient, openPlaceOf, storeContext } from './arguments.ts'
import { groupDigits, JSON_EVENTS_VERSION, jsonValue, printBytes } from './reporters.ts'
import { printTable } from './summary.ts'
import type { VerbContext } from './verbs.ts'

async function readOptions(flags: Flags, { reporter }: VerbContext) {
  const context = storeContext(reporter)
  return {
    place: await openPlaceOf(flags, context),
    metaDirectory: flags.metaDir,
    format: undefined,
    storeContext: context,
    reporter,
  }
}

export async function runList(flags: Flags, context: VerbContext, options: Abortable): Promise<number> {
  const listings = await listBackups(await readOptions(flags, context), options)
  if (flags.json)
    context.stdout.write(`${JSON.stringify({ v: JSON_EVENTS_VERSION, type: 'list', backups: listings }, jsonValue)}\n`)
  else {
    printTable(
      context.stdout,
      ['backup', 'state', 'finished', 'source', 'tables', 'rows', 'size'],
      listings.map(({ path, state, manifest }) => [
        path === '' ? '.' : path,
        manifest && partsOf(manifest).length > 0 ? `${state}, a part` : state,
        manifest?.finishedAt ?? '',
        manifest?.source ?? '',
        manifest ? String(manifest.tables.length) : '',
        manifest ? groupDigits(manifest.units.reduce((sum, unit) => sum + BigInt(unit.rows), 0n)) : '',
        manifest
          ? printBytes(
              manifest.units.reduce(
                (sum, unit) => sum + (unit.files ?? []).reduce((s, file) => s + file.sizeBytes, 0),
                0,
              ),
            )
          : '',
      ]),
    )
  }
  return listings.every(({ state }) => state === 'complete') ? EXIT_CODES.ok : EXIT_CODES.backup
}

export async function runInfo(flags: Flags, context: VerbContext, options: Abortable): Promise<number> {
  const listings = await listBackups(await readOptions(flags, context), options)
  const manifest = listings.find(({ path }) => path === '')?.manifest
  if (!manifest)
    throw new CnosError('BACKUP_INVALID', `${flags.path} holds no finished backup`, {
      hint: 'cnosdb-imexport list shows what is there',
    })
  if (flags.json) {
    context.stdout.write(`${JSON.stringify({ v: JSON_EVENTS_VERSION, type: 'info', manifest }, jsonValue)}\n`)
    return EXIT_CODES.ok
  }
  context.stdout.write(
    `source    ${manifest.source}, CnosDB ${manifest.serverVersion}\nstarted   ${manifest.startedAt}\nfinished  ${manifest.finishedAt}\nformat    ${manifest.format}\n${partsOf(
      manifest,
    )
      .map((text) => `only      ${text}\n`)
      .join('')}\n`,
  )
  printTable(
    context.stdout,
    ['table', 'units', 'rows', 'size'],
    manifest.tables.map((table) => {
      const units = manifest.units.filter(
        (unit) => unit.tenant === table.tenant && unit.database === table.database && unit.table === table.table,
      )
      const bytes = units.reduce((sum, unit) => sum + (unit.files ?? []).reduce((s, file) => s + file.sizeBytes, 0), 0)
      return [
        `${table.tenant}.${table.database}.${table.table}`,
        String(units.length),
        groupDigits(units.reduce((sum, unit) => sum + BigInt(unit.rows), 0n)),
        printBytes(bytes),
      ]
    }),
  )
  for (const what of manifest.notCarried) context.stdout.write(`not carried: ${what}\n`)
  return EXIT_CODES.ok
}

/** The flags that made a backup one of a part of the cluster. */
function partsOf({ part, range }: Manifest): string[] {
  return [
    ...(part?.include ?? []).map((pattern) => `--include ${pattern}`),
    ...(part?.exclude ?? []).map((pattern) => `--exclude ${pattern}`),
    ...(part && part.content !== 'all' ? [`--${part.content}-only`] : []),
    ...(range?.fromNs === undefined ? [] : [`--from ${printTimeNs(BigInt(range.fromNs))}`]),
    ...(range?.toNs === undefined ? [] : [`--to ${printTimeNs(BigInt(range.toNs))}`]),
  ]
}

export async function runVerify(flags: Flags, context: VerbContext, options: Abortable): Promise<number> {
  const result = await verifyBackup(await readOptions(flags, context), options)
  const exitCode = result.problems.length === 0 ? EXIT_CODES.ok : EXIT_CODES.backup
  if (flags.json) {
    const { files, bytes, problems } = result
    context.stdout.write(
      `${JSON.stringify({ v: JSON_EVENTS_VERSION, type: 'verify', exitCode, files, bytes, problems }, jsonValue)}\n`,
    )
  } else {
    for (const problem of result.problems) context.stdout.write(`DAMAGED ${problem}\n`)
    context.stdout.write(
      result.problems.length === 0
        ? `whole: ${result.manifest?.units.length} units, ${result.files} files, ${printBytes(result.bytes)}, as recorded on ${result.manifest?.finishedAt}\n`
        : `${result.problems.length} problems: do not rely on this backup\n`,
    )
  }
  return exitCode
}

interface Check {
  readonly name: string
  readonly run: () => Promise<string>
}

/** Looks at everything a backup needs, and says what is wrong before the night it matters. */
export async function runDoctor(flags: Flags, context: VerbContext, { signal }: Abortable): Promise<number> {
  const sides = (['src', 'dst'] as const).filter((side) => flags[side] !== undefined)
  const clients = await Promise.all(sides.map((side) => openClient(flags, side, context.reporter)))
  const place = flags.path === undefined ? undefined : await openPlaceOf(flags, storeContext(context.reporter))
  const checks: Check[] = clients.flatMap((client) => [
    { name: `${client.label} answers`, run: async () => `CnosDB ${(await client.ping({ signal })).version}` },
    {
      name: `${client.label} accepts ${client.user}`,
      run: async () => ((await client.query('SELECT 1 AS x', { signal })).length === 1 ? 'yes' : 'no row'),
    },
    {
      name: `${client.user} is an administrator of ${client.label}`,
      run: async () => {
        const users = await client.query('SELECT user_name FROM cluster_schema.users LIMIT 1', {
          tenant: 'cnosdb',
          signal,
        })
        if (users.length === 0)
          throw new Error(
            'no: tenants, users and passwords cannot be carried; use root or a user with granted_admin = true',
          )
        return 'yes'
      },
    },
    {
      name: `${client.label} gives its DDL dump`,
      run: async () => {
        if ((await client.dumpDdl({ signal })) === undefined)
          throw new Error('no: password hashes and external tables cannot be carried')
        return 'yes'
      },
    },
    {
      name: `clock of ${client.label}`,
      run: async () => clockSkew(await client.query('SELECT now() AS t', { signal })),
    },
    ...(place
      ? [
          {
            name: `${client.label} writes to ${place.url}`,
            run: async () =>
              (await isShared(place, client, { signal }))
                ? 'yes, and this machine sees the files'
                : 'yes, but this machine does not see the files: no checksums',
          },
        ]
      : []),
  ])
  if (place) {
    checks.push({
      name: `this machine lists ${place.url}`,
      run: async () => {
        for await (const _object of place.store.list(place.prefix, { signal })) break
        return 'yes'
      },
    })
  }
  if (place?.isLocal) checks.push({ name: 'free space', run: async () => freeSpace(`/${place.prefix}`) })
  return showChecks(checks, flags, context)
}

async function showChecks(checks: readonly Check[], flags: Flags, { stdout }: VerbContext): Promise<number> {
  const results: { readonly check: string; readonly ok: boolean; readonly result: string }[] = []
  for (const { name, run } of checks) {
    try {
      results.push({ check: name, ok: true, result: await run() })
    } catch (error) {
      results.push({
        check: name,
        ok: false,
        result: error instanceof CnosError ? error.fullMessage : error instanceof Error ? error.message : String(error),
      })
    }
  }
  if (flags.json) stdout.write(`${JSON.stringify({ v: JSON_EVENTS_VERSION, type: 'doctor', checks: results })}\n`)
  else
    printTable(
      stdout,
      ['', 'check', 'result'],
      results.map(({ check, ok, result }) => [ok ? 'ok' : 'FAIL', check, result.replaceAll('\n', ' ')]),
    )
  return results.every(({ ok }) => ok) ? EXIT_CODES.ok : EXIT_CODES.cluster
}

function clockSkew(rows: readonly Readonly<Record<string, string>>[]): string {
  const there = parseTimeNs(rows[0]?.t ?? '')
  if (there === undefined) return 'unknown'
  const seconds = Number(systemClock.nowNs() - there) / 1e9
  if (Math.abs(seconds) > 60)
    throw new Error(`differs by ${seconds.toFixed(0)} s: object stores refuse requests signed 15 minutes off`)
  return `within ${Math.ceil(Math.abs(seconds))} s of this machine`
}

async function freeSpace(directory: string): Promise<string> {
  for (let path = directory.replace(/\/+$/, ''); ; path = path.slice(0, path.lastIndexOf('/'))) {
    try {
      const { bavail, bsize } = await statfs(path === '' ? '/' : path)
      return `${printBytes(bavail * bsize)} on this machine's disk below ${path === '' ? '/' : path}`
    } catch (error) {
      if (path === '') throw error
    }
  }
}

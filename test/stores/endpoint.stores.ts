import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/async/clock.ts'
import { printLiteral } from '../../src/options/option-spec.ts'
import { parseStatement } from '../../src/sql/parser.ts'
import { openStore } from '../../src/store/registry.ts'
import type { StoreContext } from '../../src/store/store-driver.ts'
import { describeObjectStore } from '../conformance/object-store.ts'
import { openTestDatabase } from '../database/open-test-database.ts'

/*
 * The object-store conformance suite and a COPY INTO round trip against a store of yours. What is written lies below
 * <TEST_STORE_URL>/cnosdb-lite-test-<random>/ and is deleted at the end.
 *
 *   TEST_STORE_URL         scheme://bucket[/path] of an existing bucket
 *   TEST_STORE_CONNECTION  what stands between the brackets of CONNECTION = (…); may be empty
 *   TEST_STORE_AMBIENT     1: use the credentials of this machine, as --ambient-credentials does
 *
 * MinIO:            TEST_STORE_URL=s3://bucket TEST_STORE_CONNECTION="region = 'us-east-1',
 *                   endpoint_url = 'http://127.0.0.1:9000', access_key_id = '…', secret_key = '…'"
 * fake-gcs-server:  TEST_STORE_URL=gcs://bucket
 *                   TEST_STORE_CONNECTION="gcs_base_url = 'http://127.0.0.1:4443', disable_oauth = true"
 * Azurite:          TEST_STORE_URL=azblob://container TEST_STORE_CONNECTION="use_emulator = true"
 * a real bucket:    TEST_STORE_URL=s3://bucket/somewhere TEST_STORE_AMBIENT=1
 *                   TEST_STORE_CONNECTION="region = 'eu-west-3'"
 */

const settings = readSettings(process.env)
const home = `${settings.path}cnosdb-lite-test-${randomUUID().slice(0, 8)}/`

function readSettings(env: NodeJS.ProcessEnv) {
  const { TEST_STORE_URL: url = '', TEST_STORE_CONNECTION: connection = '' } = env
  const parts = /^([a-z0-9]+):\/\/([^/]+)\/?(.*)$/.exec(url)
  if (!parts) throw new Error('set TEST_STORE_URL to scheme://bucket, and see test/stores/endpoint.stores.ts')
  const [, scheme = '', bucket = '', path = ''] = parts
  const clause = connection.trim() === '' ? '' : `CONNECTION = (${connection})`
  const statement = parseStatement(`COPY INTO t FROM ${printLiteral(url)} ${clause}`)
  if (statement.kind !== 'copy-into-table') throw new Error('TEST_STORE_CONNECTION is not what CONNECTION = (…) holds')
  return {
    scheme,
    bucket,
    path: path === '' || path.endsWith('/') ? path : `${path}/`,
    clause,
    connection: statement.location.connection ?? new Map(),
    ambientCredentials: env.TEST_STORE_AMBIENT === '1',
  }
}

function open(bucket: string) {
  const context: StoreContext = {
    clock: systemClock,
    env: process.env,
    ambientCredentials: settings.ambientCredentials,
    checkEndpoint: () => {},
    warn: (message) => process.emitWarning(message),
    patience: { maxTries: 4 },
  }
  return openStore({ scheme: settings.scheme, bucket, path: '' }, settings.connection, context)
}

describeObjectStore(`${settings.scheme}://${settings.bucket}`, async () => ({
  store: open(settings.bucket),
  missing: open(`no-such-bucket-${randomUUID().slice(0, 12)}`),
  prefix: `${home}conformance/`,
  close: async () => {},
}))

describe('COPY INTO', () => {
  it.each(['CSV', 'JSON', 'PARQUET'])('there and back: %s', async (format) => {
    await using db = await openTestDatabase({
      env: process.env,
      ambientCredentials: settings.ambientCredentials,
      allowEndpoints: ['*'],
    })
    const create = (table: string) =>
      db.run(`CREATE TABLE ${table} (a BIGINT, b DOUBLE, note STRING, TAGS(station, city))`)
    await create('air')
    await create('back')
    const session = await db.database.authenticate({ user: 'root', password: 'root' })
    const lines = Array.from(
      { length: 120_000 },
      (_, i) =>
        `air,station=s${i % 100},city=Zürich a=${i}i,b=${i / 8},note="row ${i} with 'quotes', ümlaut and length enough for several parts" ${1_700_000_000_000_000_000n + BigInt(i)}`,
    )
    await db.database.writeLineProtocol(session, Buffer.from(lines.join('\n')))
    const place = `'${settings.scheme}://${settings.bucket}/${home}copy-${format}/' `
    const fileFormat = `${settings.clause} FILE_FORMAT = (TYPE = '${format}')`
    const answers = [
      await db.run(`COPY INTO ${place} FROM air ${fileFormat}`),
      await db.run(`COPY INTO back FROM ${place} ${fileFormat}`),
    ]
    expect(answers.map(([row]) => Number(row?.rows))).toEqual([120_000, 120_000])
    const columns = 'time, station, city, a, b, note'
    expect(await db.run(`SELECT ${columns} FROM air EXCEPT SELECT ${columns} FROM back`)).toEqual([])
    const store = open(settings.bucket)
    for await (const { path } of store.list(`${home}copy-${format}/`)) await store.delete(path)
  })
})

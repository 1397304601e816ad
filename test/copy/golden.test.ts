import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engineTypeOf } from '../../src/engine/table.ts'
import { nineDigitTime } from '../../src/engine/value-text.ts'
import type { DataType } from '../../src/model/schema.ts'
import { storedTable } from '../engine/engine-fixture.ts'
import { type CopyFixture, type Literals, openCopyFixture } from './copy-fixture.ts'

interface Golden {
  readonly about: string
  readonly table: {
    readonly tags: readonly string[]
    readonly fields: Readonly<Record<string, DataType>>
    readonly time?: DataType
  }
  readonly format?: Literals
  readonly options?: Literals
  readonly columns?: readonly string[]
  readonly rows: readonly Readonly<Record<string, string | null>>[]
}

const root = fileURLToPath(new URL('../golden', import.meta.url))
const formats = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())

let fixture: CopyFixture
let tables = 0
beforeAll(async () => {
  fixture = await openCopyFixture()
})
afterAll(() => fixture[Symbol.asyncDispose]())

describe.each(formats.map(({ name }) => name))('%s', (type) => {
  const directory = join(root, type)
  const names = readdirSync(directory)
  const inputs = names.filter((name) => names.includes(`${name}.json`))

  it('has an expectation for every file', () => {
    expect(inputs.length * 2).toBe(names.length)
  })

  it.each(inputs)('%s', async (name) => {
    const golden = JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as Golden
    tables += 1
    const timeType = golden.table.time ?? 'TIMESTAMP(NANOSECOND)'
    const table = storedTable(`t${tables}`, golden.table.tags, golden.table.fields, timeType)
    await fixture.create(table)
    await fixture.load(table, join(directory, name), {
      format: { type, ...golden.format },
      ...(golden.options ? { options: golden.options } : {}),
      ...(golden.columns ? { columns: golden.columns } : {}),
    })
    const time = nineDigitTime('time', engineTypeOf(timeType))
    const rows = await fixture.engine.all(
      `SELECT ${time} AS time, COLUMNS(* EXCLUDE time)::VARCHAR FROM data.${table.name} ORDER BY ALL`,
    )
    const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
    expect([...rows].sort(byText)).toEqual([...golden.rows].sort(byText))
  })
})

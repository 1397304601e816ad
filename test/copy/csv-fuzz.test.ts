import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { readHead } from '../../src/format/csv-head.ts'
import { scanQuotes } from '../../src/format/csv-quotes.ts'
import { type CsvRequest, type LineLimits, readCsv } from '../../src/format/csv-reader.ts'
import type { LocalFile } from '../../src/format/file-format.ts'
import { openTestEngine } from '../engine/engine-fixture.ts'
import { parseStrictly } from './csv-fuzz.ts'

const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 150)
const WIDTH = 3

/** A small generator with a seed: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const request: Omit<CsvRequest, 'files'> = {
  columns: [],
  fileColumns: ['a', 'b', 'c'],
  namesMatter: false,
  options: { delimiter: ',', with_header: false },
}

describe('CSV that is cut, torn and mixed', () => {
  it('reads right or not at all', async () => {
    await using fixture = await openTestEngine()
    const directory = await mkdtemp(join(tmpdir(), 'cnosdb-fuzz-'))
    const counts = { right: 0, refused: 0, refusedThoughValid: 0 }
    for (let seed = 1; seed <= ROUNDS; seed += 1) {
      const random = randomFrom(seed + Number(process.env.FUZZ_SEED ?? 0))
      const text = mutate(document(random), random)
      const file: LocalFile = { path: join(directory, 'x.csv'), origin: 'x.csv', compression: 'none' }
      await writeFile(file.path, text)
      const expected = parseStrictly(text, WIDTH)
      const bufferBytes = 2 ** (8 + Math.floor(random() * 6))
      for (const limits of [
        { bufferBytes, longestLineBytes: bufferBytes },
        { bufferBytes: 2 ** 20, longestLineBytes: 2 ** 20 },
      ]) {
        const found = await read(fixture.engine, file, limits)
        if (!found) {
          counts.refused += 1
          if (expected) counts.refusedThoughValid += 1
          continue
        }
        // Behind a closing quote DuckDB forgives blanks and what follows them.
        if (!expected && /" +[^,\r\n]/.test(text)) continue
        expect({ seed, limits, rows: found }).toEqual({ seed, limits, rows: expected })
        counts.right += 1
      }
    }
    await rm(directory, { recursive: true, force: true })
    expect(counts.right).toBeGreaterThan(ROUNDS / 3)
    expect(counts.refused).toBeGreaterThan(ROUNDS / 10)
    if (process.env.FUZZ_ROUNDS) process.stdout.write(`${JSON.stringify(counts)}\n`)
  }, 600_000)
})

type Rows = readonly (readonly unknown[])[]

/** As csvReader reads, but with buffers of another size. */
async function read(engine: Engine, file: LocalFile, limits: LineLimits): Promise<Rows | undefined> {
  try {
    const head = await readHead(file, ',', engine)
    if (!head) return []
    const quotes = await scanQuotes(file, ',')
    if (head.fields.length < WIDTH || !quotes || quotes.isBroken) return undefined
    const run = { files: [file], lineEnd: head.lineEnd, isParallel: !quotes.hasQuotedLineEnd, areNumbersPlain: false }
    const rows = await engine.all(`SELECT * FROM ${readCsv(run, { ...request, files: [file] }, limits)}`)
    return rows.map((row) => [row.c0, row.c1, row.c2])
  } catch {
    return undefined
  }
}

function document(random: () => number): string {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const end = pick(['\n', '\n', '\r\n', '\r'])
  const quoting = random()
  const field = () => {
    if (random() > quoting) return pick(['', 'x', '1', 'é', 'abc', 'q"r'])
    const inside = Array.from({ length: Math.floor(random() * 8) }, () =>
      pick(['a', ',', '""', '\n', '\r', '\r\n', ' ', '漢', '1,2,3']),
    )
    return `"${inside.join('')}"`
  }
  const count = Math.floor(random() * (random() < 0.3 ? 400 : 30))
  return Array.from({ length: count }, () => `${field()},${field()},${field()}${end}`).join('')
}

function mutate(text: string, random: () => number): string {
  const kind = random()
  const at = Math.floor(random() * text.length)
  if (kind < 0.3) return text
  if (kind < 0.5) return text.slice(0, at)
  if (kind < 0.6) return text.slice(0, at) + text.slice(at + 1)
  const noise = ['"', ',', '\n', '\r', '\r\n', '""', '\n\n', ' ']
  return text.slice(0, at) + noise[Math.floor(random() * noise.length)] + text.slice(at)
}

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const src = fileURLToPath(new URL('../src', import.meta.url))

/** What each part of src/ may import besides itself. Changing it needs a page in docs/decisions/. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  async: ['errors'],
  options: ['errors'],
  model: ['errors', 'async'],
  sql: ['errors', 'options'],
  store: ['errors', 'async', 'options'],
  engine: ['errors', 'async', 'model'],
  format: ['errors', 'async', 'options', 'model', 'engine'],
  catalog: ['errors', 'async', 'model', 'engine'],
  copy: ['errors', 'async', 'options', 'model', 'store', 'format', 'engine'],
  plan: ['errors', 'options', 'model', 'sql', 'catalog', 'store', 'format', 'copy', 'engine'],
  exec: ['errors', 'async', 'model', 'sql', 'catalog', 'engine', 'copy', 'plan'],
  ingest: ['errors', 'async', 'model', 'catalog', 'engine'],
  'database.ts': [
    'errors',
    'async',
    'options',
    'model',
    'sql',
    'store',
    'format',
    'engine',
    'catalog',
    'copy',
    'plan',
    'exec',
    'ingest',
  ],
  server: ['errors', 'async', 'model', 'engine', 'database.ts'],
  client: ['errors', 'async', 'database.ts'],
  backup: ['errors', 'async', 'model', 'options', 'sql', 'store', 'client'],
  cli: ['errors', 'async', 'options', 'model', 'sql', 'store', 'server', 'client', 'backup', 'database.ts'],
}

/** A third-party package is imported by one folder only, so that replacing it is a local change. */
const PACKAGES: Readonly<Record<string, string>> = {
  '@duckdb/node-api': 'engine',
  '@duckdb/node-bindings': 'engine',
  '@aws-sdk/client-s3': 'store',
  '@azure/storage-blob': 'store',
  'google-auth-library': 'store',
  bcryptjs: 'catalog',
  commander: 'cli',
  pino: 'cli',
  'string-width': 'server',
  /** Only from source, never from dist/: decision 13. */
  'tsx/esm/api': 'ingest',
}

const partOf = (path: string) => relative(src, path).split(sep)[0] as string

function importsOf(path: string): string[] {
  const text = readFileSync(path, 'utf8')
  const imports = /^(?:(?:import|export|\}).*\bfrom\s+|import\s+)'([^'\n]+)'|\bimport\(\s*'([^'\n]+)'/gm
  return [...text.matchAll(imports)].map((match) => (match[1] ?? match[2]) as string)
}

const files = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
  .map((entry) => join(entry.parentPath, entry.name))

describe('layers', () => {
  it.each(files.map((path) => relative(src, path)))('%s imports only what lies below it', (name) => {
    const path = join(src, name)
    const part = partOf(path)
    const allowed = LAYERS[part]
    expect(allowed, `src/${part} is not in the layer table`).toBeDefined()
    for (const specifier of importsOf(path)) {
      if (specifier.startsWith('.')) {
        const target = partOf(resolve(dirname(path), specifier))
        if (target !== part) expect(allowed, `${name} imports ${specifier}`).toContain(target)
      } else if (!specifier.startsWith('node:')) {
        const owner = PACKAGES[specifier]
        expect(owner, `${name} imports ${specifier}, which has no owner in the table`).toBe(part)
      }
    }
  })
})

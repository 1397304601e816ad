// Prints the reference pages that come from tables in the code: `npm run docs` writes them, `npm run docs -- --check`
// fails when one is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errorsPage, optionsPage } from './reference-pages.ts'

const folder = fileURLToPath(new URL('../docs/reference', import.meta.url))
const pages: Readonly<Record<string, string>> = { 'errors.md': errorsPage(), 'options.md': optionsPage() }
const stale = Object.entries(pages).filter(([name, text]) => readIfThere(join(folder, name)) !== text)

if (process.argv.includes('--check')) {
  for (const [name] of stale) console.error(`docs/reference/${name} is stale: run npm run docs`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const [name, text] of stale) writeFileSync(join(folder, name), text)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

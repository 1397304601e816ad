// Makes a fresh clone ready: installs the locked dependencies when they are missing or out of date, then builds dist/.
// `--install` stops after the installation. Needs only Node and npm.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

const modifiedMs = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0)

function newestSourceMs(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((newest, entry) => Math.max(newest, modifiedMs(join(entry.parentPath, entry.name))), 0)
}

const installed = join(root, 'node_modules', '.package-lock.json')
if (modifiedMs(installed) < modifiedMs(join(root, 'package-lock.json'))) run('npm', ['ci', '--no-audit', '--no-fund'])

if (!process.argv.includes('--install')) {
  const built = join(root, 'dist', '.built')
  if (modifiedMs(built) < Math.max(newestSourceMs(join(root, 'src')), modifiedMs(join(root, 'tsconfig.build.json')))) {
    run(process.execPath, [join(root, 'scripts', 'build.mjs')])
  }
}

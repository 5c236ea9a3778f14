// npm run bench -- NAME [OPTIONS]: runs bench/NAME.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bench = fileURLToPath(new URL('../bench', import.meta.url))
const names = readdirSync(bench, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(bench, entry.name, 'main.ts')))
  .map((entry) => entry.name)
const [name, ...rest] = process.argv.slice(2)

if (name === undefined || name === '--help' || name === '-h' || !names.includes(name)) {
  const wrong = name !== undefined && !name.startsWith('-')
  if (wrong) console.error(`no bench ${name}\n`)
  console.log(
    `Usage: npm run bench -- NAME [OPTIONS]\n\nBenches: ${names.join(', ') || 'none yet'}. Each knows --help.`,
  )
  process.exit(wrong ? 2 : 0)
}
const child = spawn(process.execPath, ['--import', 'tsx', join(bench, name, 'main.ts'), ...rest], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code) => process.exit(code ?? 1))

// Makes the npm package of the native media engine for a platform, as dist/packages/NAME.tgz. It is not published here.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildMediaEngine, PROGRAM, packageName } from './media-engine.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const USAGE = `Makes the npm package of the native media engine.

  node scripts/package-media.mjs                              for this machine, built with cargo
  node scripts/package-media.mjs --target TRIPLE --program P  for another one, from a program built for it

Targets: ${'x86_64-unknown-linux-gnu, aarch64-unknown-linux-gnu, x86_64-unknown-linux-musl, aarch64-unknown-linux-musl'}
The package lies in dist/packages afterwards. Publish it with npm publish, then install it beside Trunkline.`

const { values } = parseArgs({
  options: { target: { type: 'string' }, program: { type: 'string' }, help: { type: 'boolean' } },
})
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}
const { name, os, cpu, libc } = values.target === undefined ? ours() : platformOf(values.target)
const program = values.program ?? built()
console.log(pack())

function ours() {
  const [, , cpu, libc] = /media-(\w+)-(\w+)(?:-(\w+))?$/.exec(packageName()) ?? []
  return { name: packageName(), os: process.platform, cpu, libc }
}

function platformOf(triple) {
  const [, arch, libc] = /^(x86_64|aarch64)-unknown-linux-(gnu|musl)$/.exec(triple) ?? []
  if (arch === undefined) fail(`no package is made for ${triple}\n\n${USAGE}`)
  if (values.program === undefined) fail('--target needs --program: this script does not cross-compile')
  const cpu = arch === 'x86_64' ? 'x64' : 'arm64'
  return { name: `@trunkline/media-linux-${cpu}-${libc}`, os: 'linux', cpu, libc }
}

function built() {
  const output = join(root, 'dist', 'native', PROGRAM)
  const why = existsSync(output) ? undefined : buildMediaEngine(output)
  if (why !== undefined) fail(why)
  return output
}

function pack() {
  const { version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-package-'))
  const packages = join(root, 'dist', 'packages')
  mkdirSync(packages, { recursive: true })
  const manifest = {
    name,
    version,
    description: 'The native media engine of Trunkline, for one platform.',
    license,
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: [libc === 'gnu' ? 'glibc' : libc] }),
    files: [PROGRAM, 'LICENSE-MIT', 'LICENSE-APACHE'],
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  writeFileSync(
    join(folder, 'README.md'),
    `# ${name}\n\nThe native media engine of Trunkline. Trunkline finds it by itself.\n`,
  )
  for (const licence of ['LICENSE-MIT', 'LICENSE-APACHE']) copyFileSync(join(root, licence), join(folder, licence))
  copyFileSync(program, join(folder, PROGRAM))
  chmodSync(join(folder, PROGRAM), 0o755)
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--json', '--pack-destination', packages], {
    cwd: folder,
    encoding: 'utf8',
  })
  rmSync(folder, { recursive: true })
  if (status !== 0) fail(stderr)
  return join(packages, JSON.parse(stdout)[0].filename)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}

// Builds dist/main.js (esbuild), dist/web (vite) and dist/native (cargo), each only when something it is made of changed.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildMediaEngine, PROGRAM, packageName, prebuilt } from './media-engine.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')
const force = process.argv.includes('--force')

const targets = [
  {
    name: 'gateway',
    output: join(dist, 'main.js'),
    inputs: () => filesUnder(join(root, 'src'), (path) => !path.startsWith('web/') && !path.endsWith('.test.ts')),
    build: buildGateway,
  },
  {
    name: 'page',
    output: join(dist, 'web', 'index.html'),
    inputs: () => [
      ...filesUnder(join(root, 'src', 'web'), (path) => !path.endsWith('.test.ts')),
      join(root, 'src', 'api', 'model.ts'),
    ],
    build: buildPage,
  },
  {
    name: 'media engine',
    output: join(dist, 'native', PROGRAM),
    inputs: () => filesUnder(join(root, 'native'), (path) => !path.startsWith('target')),
    build: buildMedia,
  },
]

if (!existsSync(join(root, 'node_modules', 'esbuild'))) {
  console.error('The dependencies are not installed. Run: npm ci')
  process.exit(1)
}
for (const target of targets) {
  try {
    await bringUpToDate(target)
  } catch (error) {
    console.error(`The ${target.name} could not be built: ${error.message}`)
    process.exit(1)
  }
}

async function bringUpToDate(target) {
  const stamp = join(dist, `.${target.name.replace(' ', '-')}.sha256`)
  const fingerprint = fingerprintOf(target.inputs())
  const current = existsSync(stamp) ? readFileSync(stamp, 'utf8') : ''
  if (!force && current === fingerprint && existsSync(target.output)) return
  const startedAt = performance.now()
  mkdirSync(dist, { recursive: true })
  if (!(await target.build())) return
  writeFileSync(stamp, fingerprint)
  console.log(`built the ${target.name} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
}

async function buildGateway() {
  const { build } = await import('esbuild')
  await build({
    entryPoints: [join(root, 'src', 'main.ts')],
    outfile: join(dist, 'main.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    splitting: false,
    logLevel: 'warning',
  })
  return true
}

async function buildPage() {
  const config = join(root, 'src', 'web', 'vite.config.ts')
  if (!existsSync(config)) {
    console.warn('src/web/vite.config.ts is missing: the page was not built')
    return false
  }
  const { build } = await import('vite')
  await build({
    configFile: config,
    root: join(root, 'src', 'web'),
    build: { outDir: join(dist, 'web'), emptyOutDir: true },
    logLevel: 'warn',
  })
  return true
}

/** Not having it is no mistake: the portable engine needs nothing. */
async function buildMedia() {
  if (prebuilt() !== undefined) return false
  const why = buildMediaEngine(join(dist, 'native', PROGRAM))
  if (why === undefined) return true
  console.log(
    `media engine: ${why}; the portable one is used. For the native one install Rust 1.89 or newer, or ${packageName()}, then: npm run build`,
  )
  return false
}

function fingerprintOf(files) {
  const hash = createHash('sha256')
  const always = [join(root, 'package.json'), join(root, 'package-lock.json'), fileURLToPath(import.meta.url)]
  for (const file of [...files, ...always].sort()) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0')
  }
  return hash.digest('hex')
}

function filesUnder(folder, wanted) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => wanted(relative(folder, path)))
}

// Brings the native media engine to dist/native, if it can: prebuilt from its package, else built with cargo.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
export const PROGRAM = 'trunkline-media'
/** The oldest Rust that compiles the workspace (`rust-version` in native/Cargo.toml). */
const OLDEST_RUST = [1, 89]

/** Name of the package that brings the program for this platform, made by scripts/package-media.mjs. */
export function packageName() {
  const libc = process.platform !== 'linux' ? '' : isGlibc() ? '-gnu' : '-musl'
  return `@trunkline/media-${process.platform}-${process.arch}${libc}`
}

/** The program of an installed package. */
export function prebuilt() {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve(`${packageName()}/package.json`)
    const program = join(dirname(manifest), PROGRAM)
    return existsSync(program) ? program : undefined
  } catch {
    return undefined
  }
}

/** Why cargo cannot build it here; `undefined`: it can. */
export function cargoMissing() {
  if (process.platform !== 'linux') return `the native engine runs on Linux, this is ${process.platform}`
  const { status, stdout } = spawnSync('cargo', ['--version'], { encoding: 'utf8' })
  const version = /(\d+)\.(\d+)/
    .exec(stdout ?? '')
    ?.slice(1)
    .map(Number)
  if (status !== 0 || version === undefined) return 'cargo is not installed'
  const [major, minor] = version
  const oldEnough = major > OLDEST_RUST[0] || (major === OLDEST_RUST[0] && minor >= OLDEST_RUST[1])
  return oldEnough ? undefined : `cargo is ${version.join('.')}, older than ${OLDEST_RUST.join('.')}`
}

/** Builds `output`. @returns Why it was not built; `undefined`: it was. */
export function buildMediaEngine(output) {
  const missing = cargoMissing()
  if (missing !== undefined) return missing
  console.log('building the media engine with cargo: once, a minute or two …')
  const native = join(root, 'native')
  const { status } = spawnSync('cargo', ['build', '--release', '--locked', '-p', 'trunkline-worker'], {
    cwd: native,
    stdio: 'inherit',
  })
  if (status !== 0) return 'cargo could not build it (see above)'
  mkdirSync(dirname(output), { recursive: true })
  const built = join(process.env.CARGO_TARGET_DIR ?? join(native, 'target'), 'release', PROGRAM)
  // A running engine keeps the file it was started from.
  const fresh = `${output}.new`
  copyFileSync(built, fresh)
  chmodSync(fresh, 0o755)
  rmSync(output, { force: true })
  renameSync(fresh, output)
  return undefined
}

function isGlibc() {
  return process.report.getReport().header.glibcVersionRuntime !== undefined
}

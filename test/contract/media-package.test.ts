import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findMediaProgram, mediaPackage } from '../../src/media/engines/native/index.ts'
import { VERSION } from '../../src/version.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = findMediaProgram()
const skip = program === undefined ? 'there is no native engine here: npm run build' : false

/** Packs the program for a platform. @returns Path of the package. */
function pack(...options: readonly string[]): string {
  const script = join(root, 'scripts', 'package-media.mjs')
  const all = [script, '--program', program?.path ?? '', ...options]
  return execFileSync(process.execPath, all, { encoding: 'utf8' }).trim()
}

test('the package of this platform is installed without a network, and its program is found and runs', { skip }, () => {
  const project = mkdtempSync(join(tmpdir(), 'trunkline-project-'))
  const archive = pack()
  try {
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true }))
    const install = ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', archive]
    execFileSync('npm', install, { cwd: project, stdio: 'pipe' })
    const found = findMediaProgram({ env: {}, from: join(project, 'index.js') })
    assert.equal(found?.source, 'package')
    assert.equal(dirname(found.path), join(project, 'node_modules', mediaPackage()))
    assert.match(execFileSync(found.path, ['--version'], { encoding: 'utf8' }), /^trunkline-media \d+\.\d+\.\d+/)
  } finally {
    rmSync(project, { recursive: true })
    rmSync(archive)
  }
})

test('a package is made for another platform, and says for which', { skip }, () => {
  const archive = pack('--target', 'aarch64-unknown-linux-musl')
  try {
    const text = execFileSync('tar', ['-xzOf', archive, 'package/package.json'], { encoding: 'utf8' })
    const { name, version, os, cpu, libc } = JSON.parse(text) as Record<string, unknown>
    assert.deepEqual(
      [name, version, os, cpu, libc],
      ['@trunkline/media-linux-arm64-musl', VERSION, ['linux'], ['arm64'], ['musl']],
    )
    const files = execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' })
    for (const file of ['trunkline-media', 'README.md', 'LICENSE-MIT', 'LICENSE-APACHE']) {
      assert.ok(files.split('\n').includes(`package/${file}`), file)
    }
  } finally {
    rmSync(archive)
  }
})

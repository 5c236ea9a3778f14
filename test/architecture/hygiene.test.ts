import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EXCEPTIONS } from './rules.ts'
import { code, filesOfProject, isTest, ROOT, read, sources } from './sources.ts'

const MAX_LINES = 400
/** The rules' own words must not break the rules. */
const SELF = 'test/architecture/hygiene.test.ts'
const everySource = ['src', 'test', 'bench', 'scripts'].flatMap(sources).filter((file) => file !== SELF)

function excused(file: string, rule: string): boolean {
  return EXCEPTIONS.some((exception) => exception.file === file && exception.rule === rule)
}

test(`no source is longer than ${MAX_LINES} lines`, () => {
  const long = everySource.filter((file) => lineCount(file) > MAX_LINES && !excused(file, 'size'))
  assert.deepEqual(long, [])
})

test('no tracked file names the host of a package registry', () => {
  const host = /https?:\/\/[^/\s"]*(?:registry|npmjs)[^/\s"]*/i
  const found = filesOfProject()
    .filter((file) => !/\.(?:png|ico|woff2?|dat|wav)$/.test(file))
    .filter((file) => host.test(readFileSync(join(ROOT, file), 'latin1')))
  assert.deepEqual(found, [])
})

test('the lock file holds an integrity hash for each package and no address', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Record<string, unknown>> }
  const entries = Object.entries(packages).filter(([path, entry]) => path !== '' && entry.link !== true)
  assert.deepEqual(
    entries.filter(([, entry]) => entry.integrity === undefined || entry.resolved !== undefined).map(([path]) => path),
    [],
  )
})

test('the lock file holds what every package asks for, also for other platforms than this one', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockEntry> }
  const asked = Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }).map((name) => ({ path, name })),
  )
  // npm ci refuses a lock file in which the binaries for another platform are missing.
  const missing = asked.filter(
    ({ path, name }) => !placesFor(path, name).some((place) => packages[place] !== undefined),
  )
  assert.deepEqual(missing, [])
})

test('no dependency needs an install script', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Record<string, unknown>> }
  const scripted = Object.entries(packages).filter(([, entry]) => entry.hasInstallScript === true)
  // esbuild's script only checks the binary that its optional dependency brought; fsevents is for macOS.
  const harmless = /node_modules\/(?:esbuild|fsevents)$/
  assert.deepEqual(
    scripted.map(([path]) => path).filter((path) => !harmless.test(path)),
    [],
  )
})

test('no test is skipped without a reason, and none sleeps for a fixed time', () => {
  const found = everySource
    .filter(isTest)
    .filter((file) => /skip: true|\.skip\(|\bsetTimeout\(\s*resolve\b/.test(code(file)))
  assert.deepEqual(found, [])
})

test('no source has unfinished business', () => {
  const found = everySource.filter((file) => /\b(?:TODO|FIXME|XXX)\b/.test(read(file)))
  assert.deepEqual(found, [])
})

test('every exception is still needed and has a reason', () => {
  for (const { file, rule, reason } of EXCEPTIONS) {
    assert.ok(reason.length > 20, `${file}: say why`)
    if (rule === 'size') assert.ok(lineCount(file) > MAX_LINES, `${file} is short enough now`)
  }
})

interface LockEntry {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Where Node looks for `name` from the package at `path`: beside it, then in each folder above. */
function placesFor(path: string, name: string): readonly string[] {
  const above = path.split('/node_modules/').map((_, index, parts) => parts.slice(0, index + 1).join('/node_modules/'))
  return [...above.map((base) => `${base}/node_modules/${name}`), `node_modules/${name}`]
}

function lineCount(file: string): number {
  return read(file).trimEnd().split('\n').length
}

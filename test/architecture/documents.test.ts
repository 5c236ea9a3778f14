import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAULTS, LIMITS } from '../../src/base/index.ts'
import { configKeys } from '../../src/config/index.ts'
import { VERSION } from '../../src/version.ts'
import { read } from './sources.ts'

test('docs/errors.md explains exactly the codes of the table', () => {
  assert.deepEqual(rowsOf('docs/errors.md'), Object.keys(FAULTS).sort())
})

test('docs/errors.md says the statuses of the table', () => {
  const text = read('docs/errors.md')
  for (const [code, fault] of Object.entries(FAULTS)) {
    const row = text.split('\n').find((line) => line.startsWith(`| \`${code}\` |`))
    assert.match(row ?? '', new RegExp(`\\| ${fault.blame} \\| ${fault.sip} \\| ${fault.http} \\|`), code)
  }
})

test('docs/config.md explains exactly the keys that a configuration may have', () => {
  assert.deepEqual(rowsOf('docs/config.md'), [...configKeys()].sort())
})

test('docs/limits.md explains exactly the built-in bounds, with their values', () => {
  assert.deepEqual(rowsOf('docs/limits.md'), Object.keys(LIMITS).sort())
  const text = read('docs/limits.md')
  for (const [name, value] of Object.entries(LIMITS)) {
    assert.ok(text.includes(`| \`${name}\` | ${value.toLocaleString('en-US')} |`), `${name} is ${value}`)
  }
})

test('the version is the same everywhere', () => {
  assert.equal(JSON.parse(read('package.json')).version, VERSION)
  assert.equal(JSON.parse(read('package-lock.json')).version, VERSION)
  assert.match(read('CHANGELOG.md'), new RegExp(`^## ${VERSION.replaceAll('.', '\\.')}`, 'm'))
})

/** First cells, in backquotes, of the table rows of a document. */
function rowsOf(path: string): readonly string[] {
  return [...read(path).matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell).sort()
}

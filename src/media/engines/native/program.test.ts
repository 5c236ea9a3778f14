import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findMediaProgram, mediaPackage } from './program.ts'
import { socketFolder } from './relay-double.test-support.ts'

/** A project with the package of this platform installed, and the path of its program. */
function projectWithPackage(t: TestContext): { readonly from: string; readonly path: string } {
  const project = socketFolder(t)
  const folder = join(project, 'node_modules', mediaPackage())
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: mediaPackage(), version: '1.0.0' }))
  const path = join(folder, 'trunkline-media')
  writeFileSync(path, '#!/bin/sh\n', { mode: 0o755 })
  return { from: join(project, 'index.js'), path }
}

test('the environment names the program before everything else', (t) => {
  const { from } = projectWithPackage(t)
  const env = { TRUNKLINE_MEDIA_BIN: process.execPath }
  assert.deepEqual(findMediaProgram({ env, from }), { path: process.execPath, source: 'environment' })
})

test('a program that is named but not there is a mistake, not a reason to take another', () => {
  const env = { TRUNKLINE_MEDIA_BIN: '/nowhere/trunkline-media' }
  assert.throws(() => findMediaProgram({ env }), { code: 'MEDIA_ENGINE_MISSING', message: /\/nowhere/ })
})

test('the package of this platform is found from the project it is installed in', (t) => {
  const { from, path } = projectWithPackage(t)
  assert.deepEqual(findMediaProgram({ env: {}, from }), { path, source: 'package' })
})

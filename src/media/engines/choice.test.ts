import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseEngine } from './choice.ts'

const THERE = { TRUNKLINE_MEDIA_BIN: process.execPath }

test('the native engine is taken where its program is', () => {
  for (const wanted of ['auto', 'native'] as const) assert.equal(chooseEngine(wanted, THERE).name, 'native')
})

test('the portable engine is taken if it is asked for, by the file or for auto by the environment', () => {
  assert.equal(chooseEngine('portable', THERE).name, 'portable')
  assert.equal(chooseEngine('auto', { ...THERE, TRUNKLINE_ENGINE: 'portable' }).name, 'portable')
  assert.equal(chooseEngine('native', { ...THERE, TRUNKLINE_ENGINE: 'portable' }).name, 'native')
})

test('an engine that does not exist is named', () => {
  assert.throws(() => chooseEngine('auto', { TRUNKLINE_ENGINE: 'fast' }), { code: 'CONFIG_INVALID', message: /fast/ })
})

test('a program that is named but not there is a mistake for everybody who may want it', () => {
  const env = { TRUNKLINE_MEDIA_BIN: '/nowhere' }
  for (const wanted of ['auto', 'native'] as const) {
    assert.throws(() => chooseEngine(wanted, env), { code: 'MEDIA_ENGINE_MISSING' })
  }
  assert.equal(chooseEngine('portable', env).name, 'portable')
})

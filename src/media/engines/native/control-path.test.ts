import assert from 'node:assert/strict'
import { renameSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { controlPath, ownEngine } from './control-path.ts'
import { socketFolder } from './relay-double.test-support.ts'

const webrtcPorts = { from: 3_480, to: 3_487 }

test('the same user and ports give the same path, in a folder that nobody else may enter', () => {
  const path = controlPath({ webrtcPorts })
  assert.equal(controlPath({ webrtcPorts }), path)
  assert.notEqual(controlPath({ webrtcPorts: { from: 3_500, to: 3_501 } }), path)
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700)
})

test('a path that is too long for a unix socket is named, with the key that changes it', (t) => {
  const control = join(socketFolder(t), 'x'.repeat(100))
  assert.throws(() => controlPath({ control, webrtcPorts }), {
    code: 'CONFIG_INVALID',
    message: /bytes.*media\.control/,
  })
})

test('a folder of a configured path is made', (t) => {
  const control = join(socketFolder(t), 'run', 'media.sock')
  assert.equal(controlPath({ control, webrtcPorts }), control)
  assert.equal(statSync(join(control, '..')).mode & 0o777, 0o700)
})

test('an engine is one gateway’s, until that one ends or dies', async (t) => {
  const path = join(socketFolder(t), 'media.sock')
  const first = await ownEngine(path)
  await assert.rejects(ownEngine(path), { code: 'LISTEN_FAILED', message: /another gateway/ })
  await first.end()

  const dead = createServer().listen(`${path}.dead`)
  await new Promise((done) => dead.once('listening', done))
  renameSync(`${path}.dead`, `${path}.gateway`)
  await new Promise((done) => dead.close(done))
  await (await ownEngine(path)).end()
})

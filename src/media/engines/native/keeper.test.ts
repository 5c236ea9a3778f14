import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { NativeConfig } from './config.ts'
import { keeperArguments, launcher } from './keeper.ts'
import { socketFolder } from './relay-double.test-support.ts'

const CONFIG: NativeConfig = { webrtcPorts: { from: 3_480, to: 3_487 }, rtpPorts: { from: 20_000, to: 29_999 } }

/** A shell script in place of the program. */
function program(t: TestContext, script: string): string {
  const path = join(socketFolder(t), 'trunkline-media')
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return path
}

test('what is configured is on the command line, the rest is left to the program', () => {
  assert.equal(
    keeperArguments('/run/m.sock', CONFIG).join(' '),
    '--control /run/m.sock --webrtc-ports 3480-3487 --rtp-ports 20000-29999',
  )
  const more = {
    advertise: ['192.0.2.1', '::1'],
    threads: 2,
    quarantineMs: 5,
    latch: 'strict',
    testClock: true,
  } as const
  assert.equal(
    keeperArguments('/run/m.sock', { ...CONFIG, ...more }).join(' '),
    '--control /run/m.sock --webrtc-ports 3480-3487 --rtp-ports 20000-29999 ' +
      '--advertise 192.0.2.1,::1 --threads 2 --quarantine-ms 5 --latch strict --test-clock',
  )
})

test('a keeper that is ready is waited for, and its notes are lines of our log', { timeout: 10_000 }, async (t) => {
  const lines: unknown[] = []
  const log = {
    info: (fields: unknown, message: string) => void lines.push(['info', fields, message]),
    warn: (fields: unknown, message: string) => void lines.push(['warn', fields, message]),
  }
  const script = [
    `echo '{"level":"info","msg":"hello","pid":1}' >&2`,
    `echo 'a panic' >&2`,
    `echo '{"ready":true}'`,
    'exec sleep 60',
  ]
  const keeper = await launcher(program(t, script.join('\n')), { ...CONFIG, log })('/nowhere.sock')
  keeper.kill()
  await keeper.ended
  while (lines.length < 2) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(lines, [
    ['info', { pid: 1 }, 'media engine: hello'],
    ['warn', {}, 'media engine: a panic'],
  ])
})

for (const [what, script, code, message] of [
  ['says why', `echo '{"ready":false,"why":"port 3480 is taken"}'; exit 1`, 'LISTEN_FAILED', /port 3480 is taken/],
  ['has no port for RTP', `echo '{"ready":true,"pairs":0}'; exec sleep 60`, 'LISTEN_FAILED', /none of the RTP ports/],
  ['ends without a word', 'exit 7', 'LISTEN_FAILED', /ended with 7/],
] as const) {
  test(`a keeper that cannot start and ${what} is named with its reason`, { timeout: 10_000 }, async (t) => {
    await assert.rejects(launcher(program(t, script), CONFIG)('/nowhere.sock'), { code, message })
  })
}

test('a program that cannot be run is told apart from one that cannot start', { timeout: 10_000 }, async () => {
  await assert.rejects(launcher('/nowhere/trunkline-media', CONFIG)('/nowhere.sock'), { code: 'MEDIA_ENGINE_MISSING' })
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import {
  createNativeEngine,
  findMediaProgram,
  type NativeConfig,
  type NativeEngine,
} from '../../src/media/engines/native/index.ts'
import { freePairs } from '../support/port-range.ts'
import { inboxOf, link, reached, trio } from './phones.ts'

const folder = mkdtempSync(join(tmpdir(), 'tl-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let engines = 0

/** The configuration of an engine of its own. */
async function config(): Promise<NativeConfig> {
  engines++
  return {
    control: join(folder, `${engines}.sock`),
    advertise: ['127.0.0.1'],
    webrtcPorts: { from: 0, to: 0 },
    rtpPorts: await freePairs(10),
    threads: 1,
    testClock: true,
  }
}

async function withEngine(
  settings: NativeConfig | Promise<NativeConfig>,
  run: (engine: NativeEngine) => Promise<void>,
): Promise<void> {
  const engine = await createNativeEngine(await settings)
  try {
    await run(engine)
  } finally {
    await engine.stop()
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('the native engine survives', {
  timeout: 60_000,
  skip: findMediaProgram() === undefined ? 'there is no native engine here: npm run build' : false,
}, () => {
  test('the death of its relay, again and again: the call goes on in one line', () =>
    withEngine(config(), async (engine) => {
      const events = inboxOf(engine)
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      let last = await a.say(b, 1, 0)
      for (let n = 2; n < 5; n++) {
        const dead = engine.processes?.relay ?? 0
        process.kill(dead, 'SIGKILL')
        const stats = await engine.stats('call') // Said to the next relay if the dead one did not answer.
        assert.equal(stats.length, 3)
        await reached(async () => engine.processes?.relay !== dead)
        const heard = await a.say(b, n, n * 160)
        assert.equal(heard.ssrc, last.ssrc)
        const step = (heard.sequence - last.sequence) & 0xffff
        assert.ok(step >= 1 && step < 0x8000, 'no number is used twice')
        last = heard
        const recovered = await events.find((each) => each.kind === 'recovered')
        assert.ok(recovered.kind === 'recovered' && recovered.sessions === 1 && recovered.gapMs > 0)
        events.all.length = 0
      }
      close()
    }))

  test('the death of its gateway: the next one finds its sessions, and what nobody claims ends', async () => {
    const settings = await config()
    const script = `
        import { createNativeEngine } from './src/media/engines/native/index.ts'
        const engine = await createNativeEngine(JSON.parse(process.argv[1]))
        await engine.open({ id: 'left', sides: [{ kind: 'rtp', id: 'a', media: ['audio'], towards: '127.0.0.1' }] })
        process.kill(process.pid, 'SIGKILL')`
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script, JSON.stringify(settings)]
    await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit')
    await withEngine(settings, async (engine) => {
      assert.equal((await engine.stats('left')).length, 1)
      await engine.open({ id: 'ours', sides: [{ kind: 'webrtc', id: 'a', media: ['audio'] }] })
      const events = inboxOf(engine)
      await engine.advance(61_000)
      const closed = await events.find((event) => event.kind === 'closed')
      assert.ok(closed.kind === 'closed' && closed.session === 'left' && closed.sides.length === 1)
      assert.match(closed.reason, /claimed/)
      assert.equal((await engine.stats('ours')).length, 1)
    })
  })

  test('the death of all its processes: sessions are lost, that is told, and new ones can be opened', () =>
    withEngine(config(), async (engine) => {
      const events = inboxOf(engine)
      const spec = { id: 'one', sides: [{ kind: 'rtp', id: 'a', media: ['audio'] }] } as const
      await engine.open(spec)
      const { keeper = 0, relay = 0 } = engine.processes ?? {}
      process.kill(keeper, 'SIGKILL')
      process.kill(relay, 'SIGKILL')
      await events.find((event) => event.kind === 'engine-lost')
      await reached(async () => engine.processes !== undefined)
      await assert.rejects(engine.stats('one'), { code: 'MEDIA_SESSION_UNKNOWN' })
      await engine.open(spec)
    }))

  test('an upgrade to the same build, with the call up', () =>
    withEngine(config(), async (engine) => {
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      await a.say(b, 1, 0)
      const before = engine.processes
      await engine.upgrade()
      await reached(async () => engine.processes?.relay !== before?.relay)
      await a.say(b, 2, 160)
      assert.equal(engine.processes?.keeper, before?.keeper)
      close()
    }))

  test('nothing of its own after a stop: neither process nor file', async () => {
    const settings = await config()
    const engine = await createNativeEngine(settings)
    const { keeper = 0, relay = 0 } = engine.processes ?? {}
    assert.deepEqual([keeper, relay].map(isAlive), [true, true])
    await engine.stop()
    assert.deepEqual([keeper, relay].map(isAlive), [false, false])
    assert.deepEqual(
      readdirSync(folder).filter((name) => settings.control?.endsWith(name.split('.')[0] ?? name)),
      [],
    )
  })

  test('not a start on ports that are taken: the reason is told', async () => {
    const taken = createSocket('udp4').bind(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address()
    const starting = createNativeEngine({ ...(await config()), webrtcPorts: { from: port, to: port } })
    await assert.rejects(starting, { code: 'LISTEN_FAILED', message: new RegExp(String(port)) })
    taken.close()
  })
})

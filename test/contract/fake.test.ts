import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seededIds } from '../../src/base/index.ts'
import { createFakeEngine } from '../../src/media/engines/fake/index.ts'
import type { SessionSpec } from '../../src/media/index.ts'
import { mediaEngineContract } from './media-engine.ts'

mediaEngineContract(
  'fake',
  async ({ rtpPairs, quarantineMs }) => {
    let now = 0
    const engine = createFakeEngine({ ids: seededIds(1), portPairs: rtpPairs, quarantineMs, now: () => now })
    const advance = (ms: number): void => {
      now += ms
    }
    return { engine, advance }
  },
  { media: 'by design: the fake engine moves no packets' },
)

describe('fake engine', () => {
  const CALL: SessionSpec = {
    id: 'call',
    sides: [
      { kind: 'webrtc', id: 'a', media: ['audio'] },
      { kind: 'rtp', id: 'b', media: ['audio'] },
    ],
  }

  test('a test sees who is connected to whom, and every change', async () => {
    const engine = createFakeEngine({ ids: seededIds(1) })
    await engine.open(CALL)
    await engine.change('call', { kind: 'connect', side: 'a', to: { kind: 'side', side: 'b' } })
    const links = () => engine.session('call')?.sides.map(({ to }) => to)
    assert.deepEqual(links(), [
      { kind: 'side', side: 'b' },
      { kind: 'side', side: 'a' },
    ])
    await engine.change('call', { kind: 'connect', side: 'b', to: { kind: 'echo' } })
    assert.deepEqual(links(), [{ kind: 'nothing' }, { kind: 'echo' }])
    assert.equal(engine.session('call')?.changes.length, 2)
    await engine.close('call')
    assert.deepEqual(engine.sessions(), [])
  })

  test('a failure that was asked for happens once and changes nothing', async () => {
    const engine = createFakeEngine({ ids: seededIds(1) })
    engine.failNext('open', 'MEDIA_PORTS_EXHAUSTED')
    await assert.rejects(engine.open(CALL), { code: 'MEDIA_PORTS_EXHAUSTED' })
    assert.deepEqual(engine.sessions(), [])
    await engine.open(CALL)
  })

  test('an event that was asked for reaches the reader', async () => {
    const engine = createFakeEngine({ ids: seededIds(1) })
    engine.emit({ kind: 'engine-lost', detail: 'the test wants it' })
    await engine.stop()
    const events = []
    for await (const event of engine.events) events.push(event.kind)
    assert.deepEqual(events, ['engine-lost'])
  })
})

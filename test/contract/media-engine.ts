import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LocalSide, MediaEngine, MediaEvent, RemoteRtpSide, SessionSpec, SideSpec } from '../../src/media/index.ts'
import { mediaContract } from './media-relay.ts'

export interface EngineBench {
  readonly engine: MediaEngine
  /** Moves the engine's clock ahead. */
  advance(ms: number): void
}

export interface BenchOptions {
  /** How many pairs of RTP ports the engine has. */
  readonly rtpPairs: number
  readonly quarantineMs: number
}

export type OpenEngine = (options: BenchOptions) => Promise<EngineBench>

export interface ContractSkips {
  /** Why packets are not tried. */
  readonly media?: string
}

export type WithEngine = (run: (bench: EngineBench) => Promise<void>, more?: Partial<BenchOptions>) => Promise<void>

const rtp = (id: string, more: Partial<SideSpec & { kind: 'rtp' }> = {}): SideSpec => ({
  kind: 'rtp',
  id,
  media: ['audio'],
  towards: '127.0.0.1',
  ...more,
})
const webrtc = (id: string): SideSpec => ({ kind: 'webrtc', id, media: ['audio', 'video'] })
const CALL: SessionSpec = { id: 'call', sides: [webrtc('a'), rtp('b')] }

/** What every `MediaEngine` does (`src/media/engine.ts`). */
export function mediaEngineContract(name: string, open: OpenEngine, skips: ContractSkips = {}): void {
  const withEngine: WithEngine = async (run, more = {}) => {
    const bench = await open({ rtpPairs: 8, quarantineMs: 30_000, ...more })
    try {
      await run(bench)
    } finally {
      await bench.engine.stop()
    }
  }

  describe(`MediaEngine contract: ${name}`, { timeout: 30_000 }, () => {
    factsContract(withEngine)
    changesContract(withEngine)
    endingContract(withEngine)
    portsContract(withEngine)
    describe('packets', { skip: skips.media ?? false }, () => mediaContract(withEngine))
  })
}

function factsContract(withEngine: WithEngine): void {
  test('a session tells local facts in the order of its spec', () =>
    withEngine(async ({ engine }) => {
      const opened = await engine.open(CALL)
      assert.equal(opened.id, 'call')
      assert.deepEqual(
        opened.sides.map(({ id, kind, media }) => [id, kind, media.map((stream) => stream.kind)]),
        [
          ['a', 'webrtc', ['audio', 'video']],
          ['b', 'rtp', ['audio']],
        ],
      )
      for (const side of opened.sides) checkFacts(side)
    }))

  test('opening again with the same id gives the same session', () =>
    withEngine(async ({ engine }) => {
      const [first, second] = await Promise.all([engine.open(CALL), engine.open(CALL)])
      assert.deepEqual(second, first)
      assert.deepEqual(await engine.open(CALL), first)
    }))

  test('no two sides share credentials, SSRC or port', () =>
    withEngine(async ({ engine }) => {
      const one = await engine.open({ id: 'one', sides: [webrtc('a'), rtp('b'), webrtc('c')] })
      const two = await engine.open({ id: 'two', sides: [webrtc('a'), rtp('b')] })
      const sides = [...one.sides, ...two.sides]
      const browsers = sides.filter((side) => side.kind === 'webrtc')
      const phones = sides.filter((side) => side.kind === 'rtp')
      distinct(browsers.map((side) => side.ice.ufrag))
      distinct(browsers.map((side) => side.ice.pwd))
      distinct(sides.flatMap((side) => side.media.map((stream) => stream.ssrc)))
      distinct(phones.flatMap((side) => side.media.flatMap((stream) => [stream.port, stream.rtcpPort])))
      distinct(phones.flatMap((side) => side.media.flatMap(({ crypto }) => crypto.map(({ key }) => key.reveal()))))
    }))

  const impossible: readonly (readonly [why: string, spec: SessionSpec])[] = [
    ['no id', { id: '', sides: [rtp('a')] }],
    ['no side', { id: 'x', sides: [] }],
    ['two sides of one name', { id: 'x', sides: [rtp('a'), webrtc('a')] }],
    ['a side without media', { id: 'x', sides: [rtp('a', { media: [] })] }],
    ['more sides than allowed', { id: 'x', sides: Array.from({ length: 25 }, (_, n) => webrtc(`s${n}`)) }],
  ]
  for (const [why, spec] of impossible) {
    test(`a spec with ${why} is refused and leaves nothing`, () =>
      withEngine(async ({ engine }) => {
        await assert.rejects(engine.open(spec), { code: 'MEDIA_SPEC_INVALID' })
        await assert.rejects(engine.stats(spec.id), { code: 'MEDIA_SESSION_UNKNOWN' })
        await engine.open(CALL)
      }))
  }
}

function changesContract(withEngine: WithEngine): void {
  test('nothing can be asked of a session that does not exist', () =>
    withEngine(async ({ engine }) => {
      const unknown = { code: 'MEDIA_SESSION_UNKNOWN' }
      await assert.rejects(engine.change('none', { kind: 'drop-side', side: 'a' }), unknown)
      await assert.rejects(engine.stats('none'), unknown)
      await assert.rejects(engine.close('none'), unknown)
    }))

  test('a side that is added tells its facts, again when asked again; a dropped one is gone', () =>
    withEngine(async ({ engine }) => {
      await engine.open(CALL)
      const add = { kind: 'add-side', side: rtp('b2') } as const
      const { sides } = await engine.change('call', add)
      assert.deepEqual(
        sides.map(({ id, kind }) => [id, kind]),
        [['b2', 'rtp']],
      )
      assert.deepEqual((await engine.change('call', add)).sides, sides)
      const other = { kind: 'add-side', side: webrtc('b2') } as const
      await assert.rejects(engine.change('call', other), { code: 'MEDIA_SPEC_INVALID' })
      const names = async () => (await engine.stats('call')).map(({ side }) => side)
      assert.deepEqual(await names(), ['a', 'b', 'b2'])
      const drop = { kind: 'drop-side', side: 'b' } as const
      assert.deepEqual((await engine.change('call', drop)).sides, [])
      assert.deepEqual((await engine.change('call', drop)).sides, [])
      assert.deepEqual(await names(), ['a', 'b2'])
    }))

  test('changes that were not waited for take effect in their order', () =>
    withEngine(async ({ engine }) => {
      await engine.open(CALL)
      const changes = ['x', 'y', 'x'].flatMap((side) => [
        engine.change('call', { kind: 'add-side', side: rtp(side) }),
        engine.change('call', { kind: 'connect', side: 'a', to: { kind: 'side', side } }),
        engine.change('call', { kind: 'drop-side', side }),
      ])
      await Promise.all(changes)
      assert.deepEqual(
        (await engine.stats('call')).map(({ side }) => side),
        ['a', 'b'],
      )
    }))

  test('an ICE restart changes the credentials and nothing else', () =>
    withEngine(async ({ engine }) => {
      const { sides } = await engine.open(CALL)
      const [before] = sides
      const [after] = (await engine.change('call', { kind: 'restart-ice', side: 'a' })).sides
      assert.ok(before?.kind === 'webrtc' && after?.kind === 'webrtc')
      distinct([before.ice.ufrag, after.ice.ufrag])
      distinct([before.ice.pwd, after.ice.pwd])
      assert.deepEqual({ ...after, ice: before.ice }, before)
    }))

  const remote: RemoteRtpSide = { kind: 'rtp', media: [] }
  const impossible = [
    ['an unknown side', { kind: 'connect', side: 'x', to: { kind: 'echo' } }],
    ['an unknown partner', { kind: 'connect', side: 'a', to: { kind: 'side', side: 'x' } }],
    ['itself as partner', { kind: 'connect', side: 'a', to: { kind: 'side', side: 'a' } }],
    ['a tone nobody hears', { kind: 'connect', side: 'a', to: { kind: 'tone', frequencyHz: 9_000 } }],
    ['digits for a peer that takes none', { kind: 'send-dtmf', side: 'b', digits: '1' }],
    ['letters that no phone has', { kind: 'send-dtmf', side: 'a', digits: '1x' }],
    ['no digit', { kind: 'send-dtmf', side: 'a', digits: '' }],
    ['a digit nobody hears', { kind: 'send-dtmf', side: 'a', digits: '1', durationMs: 1 }],
    ['an unknown side to mute', { kind: 'mute', side: 'x', muted: true }],
    ['ICE where there is none', { kind: 'restart-ice', side: 'b' }],
    ['a remote of the wrong kind', { kind: 'remote', side: 'a', remote }],
    ['a remote with other media', { kind: 'remote', side: 'b', remote }],
  ] as const
  for (const [why, change] of impossible) {
    test(`a change with ${why} is refused; the next one works`, () =>
      withEngine(async ({ engine }) => {
        await engine.open(CALL)
        const refused = engine.change('call', change)
        const next = engine.change('call', { kind: 'connect', side: 'a', to: { kind: 'side', side: 'b' } })
        await assert.rejects(refused, { code: 'MEDIA_SPEC_INVALID' })
        assert.deepEqual(await next, { sides: [] })
      }))
  }
}

function endingContract(withEngine: WithEngine): void {
  test('closing gives the counters of every side, the same when closed twice', () =>
    withEngine(async ({ engine }) => {
      await engine.open(CALL)
      const stats = await engine.stats('call')
      const summary = await engine.close('call')
      assert.deepEqual(summary, { id: 'call', sides: stats })
      assert.deepEqual(
        summary.sides.map(({ side, media }) => [side, media.map(({ packetsSent }) => packetsSent)]),
        [
          ['a', [0, 0]],
          ['b', [0]],
        ],
      )
      assert.deepEqual(await engine.close('call'), summary)
      await assert.rejects(engine.change('call', { kind: 'drop-side', side: 'b' }), { code: 'MEDIA_SESSION_UNKNOWN' })
    }))

  test('an id can be used again after its session was closed', () =>
    withEngine(async ({ engine }) => {
      const first = await engine.open(CALL)
      await engine.close('call')
      const second = await engine.open(CALL)
      distinct([...first.sides, ...second.sides].flatMap((side) => (side.kind === 'webrtc' ? [side.ice.ufrag] : [])))
      assert.equal((await engine.stats('call')).length, 2)
    }))

  test('events end when the engine is stopped, and nothing can be asked any more', () =>
    withEngine(async ({ engine }) => {
      await engine.open(CALL)
      const reading = readAll(engine)
      await engine.stop()
      await engine.stop()
      await reading
      await assert.rejects(engine.open({ ...CALL, id: 'late' }), { code: 'MEDIA_ENGINE_LOST' })
      await assert.rejects(engine.stats('call'), { code: 'MEDIA_ENGINE_LOST' })
    }))
}

function portsContract(withEngine: WithEngine): void {
  test('with all ports in use a further session is refused, and nothing is lost by it', () =>
    withEngine(
      async ({ engine }) => {
        await engine.open({ id: 'one', sides: [rtp('a'), rtp('b')] })
        const exhausted = { code: 'MEDIA_PORTS_EXHAUSTED' }
        await assert.rejects(engine.open({ id: 'two', sides: [rtp('a'), rtp('b')] }), exhausted)
        await assert.rejects(engine.stats('two'), { code: 'MEDIA_SESSION_UNKNOWN' })
        const video = { kind: 'add-side', side: rtp('c', { media: ['audio', 'video'] }) } as const
        await assert.rejects(engine.change('one', video), exhausted)
        assert.equal((await engine.stats('one')).length, 2)
        await engine.change('one', { kind: 'add-side', side: rtp('c') })
      },
      { rtpPairs: 3 },
    ))

  for (const ending of ['close', 'drop-side'] as const) {
    test(`ports rest after ${ending}, then they are used again`, () =>
      withEngine(
        async ({ engine, advance }) => {
          const first = await engine.open({ id: 'one', sides: [webrtc('a'), rtp('b')] })
          if (ending === 'close') await engine.close('one')
          else await engine.change('one', { kind: 'drop-side', side: 'b' })
          const two = { id: 'two', sides: [rtp('b')] }
          await assert.rejects(engine.open(two), { code: 'MEDIA_PORTS_EXHAUSTED' })
          advance(30_000)
          const second = await engine.open(two)
          assert.deepEqual(portsOf(second.sides), portsOf(first.sides))
        },
        { rtpPairs: 1 },
      ))
  }

  test('a browser’s side takes none of the RTP ports', () =>
    withEngine(
      async ({ engine }) => {
        for (const id of ['one', 'two', 'three']) await engine.open({ id, sides: [webrtc('a')] })
        await engine.open(CALL)
      },
      { rtpPairs: 1 },
    ))
}

function checkFacts(side: LocalSide): void {
  for (const stream of side.media) {
    assert.ok(Number.isInteger(stream.ssrc) && stream.ssrc >= 0 && stream.ssrc < 2 ** 32)
    assert.notEqual(stream.cname, '')
  }
  if (side.kind === 'webrtc') {
    // RFC 8839 §5.4: at least 24 and 128 bits of randomness in at least 4 and 22 characters.
    assert.match(side.ice.ufrag, /^[A-Za-z0-9+/]{4,256}$/)
    assert.match(side.ice.pwd, /^[A-Za-z0-9+/]{22,256}$/)
    assert.match(side.fingerprint.value, /^[0-9A-F]{2}(:[0-9A-F]{2}){31,63}$/)
    assert.ok(side.candidates.length > 0)
    return
  }
  for (const { port, rtcpPort, crypto } of side.media) {
    assert.deepEqual([port % 2, rtcpPort], [0, port + 1])
    distinct(crypto.map(({ tag }) => tag))
  }
}

function portsOf(sides: readonly LocalSide[]): readonly number[] {
  return sides.flatMap((side) => (side.kind === 'rtp' ? side.media.map(({ port }) => port) : []))
}

function distinct(values: readonly unknown[]): void {
  assert.equal(new Set(values).size, values.length, `not distinct: ${values.join(', ')}`)
}

async function readAll(engine: MediaEngine): Promise<readonly MediaEvent[]> {
  const events: MediaEvent[] = []
  for await (const event of engine.events) events.push(event)
  return events
}

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { buildRtp, decodeG711, isRtcp, toneLevel } from '../../src/media/engines/portable/rtp/index.ts'
import { readCompound } from '../../src/media/engines/portable/rtp/rtcp/index.ts'
import { contextsFromSdes, sdesKey } from '../../src/media/engines/portable/srtp/index.ts'
import type { PayloadCodec, SrtpSuite } from '../../src/media/index.ts'
import { PCMU, UdpEnd } from '../support/media-peers.ts'
import { controlContract } from './media-control.ts'
import type { WithEngine } from './media-engine.ts'
import { FIELDS, type Heard, inboxOf, link, reached, trio } from './phones.ts'

const OPUS: PayloadCodec = { payloadType: 111, name: 'opus', clockRateHz: 48_000, channels: 2 }
const EVENT_8K: PayloadCodec = { payloadType: 101, name: 'telephone-event', clockRateHz: 8_000 }
const EVENT_48K: PayloadCodec = { payloadType: 110, name: 'telephone-event', clockRateHz: 48_000 }

/** Packets between plain RTP sides over real sockets of the loopback interface. */
export function mediaContract(withEngine: WithEngine): void {
  relayContract(withEngine)
  sourceContract(withEngine)
  dtmfContract(withEngine)
  madeHereContract(withEngine)
  controlContract(withEngine)
  secureContract(withEngine)
}

function relayContract(withEngine: WithEngine): void {
  test('one SSRC and one line of numbers toward a peer, whoever it talks to', () =>
    withEngine(async ({ engine }) => {
      const { a, b, c, close } = await trio(engine)
      await link(engine, 'a', 'b')
      const heard = [await b.say(a, 100, 5_000), await b.say(a, 101, 5_160), await b.say(a, 103, 5_480)]
      await link(engine, 'a', 'c')
      heard.push(await c.say(a, 60_000, 9), await c.say(a, 60_001, 169))
      const [first] = heard
      assert.ok(first)
      assert.deepEqual(
        heard.map(({ ssrc, sequence }) => [ssrc, (sequence - first.sequence) & 0xffff]),
        [0, 1, 3, 4, 5].map((distance) => [a.local.ssrc, distance]),
      )
      const steps = heard.slice(1).map(({ timestamp }, n) => (timestamp - (heard[n]?.timestamp ?? 0)) | 0)
      assert.deepEqual([steps[0], steps[1], steps[3]], [160, 320, 160])
      assert.ok((steps[2] ?? 0) >= 160, 'time goes on over the switch')
      assert.deepEqual(
        heard.map(({ marker }) => marker),
        [true, false, false, true, false],
      )
      close()
    }))

  test('payload types are those of the peer; a codec it did not agree to does not reach it', () =>
    withEngine(async ({ engine }) => {
      const { a, b, close } = await trio(engine, [OPUS, PCMU], [{ ...OPUS, payloadType: 96 }])
      await link(engine, 'a', 'b')
      a.send({ payloadType: PCMU.payloadType, sequence: 1 }, Buffer.from('not for b'))
      assert.equal((await a.say(b, 2, 960, OPUS.payloadType)).payloadType, 96)
      assert.deepEqual(b.payloads().length, 1)
      close()
    }))

  test('a side on hold hears nothing; when resumed it hears on', () =>
    withEngine(async ({ engine }) => {
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      const before = await a.say(b, 1, 0)
      await b.negotiate({ send: false })
      a.send({ sequence: 2, timestamp: 160 }, Buffer.from('on hold'))
      await b.say(a, 1, 0) // Also a fence: what a sent before has been handled.
      await b.negotiate({})
      const after = await a.say(b, 3, 320)
      assert.equal(after.ssrc, before.ssrc)
      assert.ok(!b.payloads().includes('on hold'))
      close()
    }))

  test('what a side may not send is not taken', () =>
    withEngine(async ({ engine }) => {
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      await a.say(b, 1, 0)
      await a.negotiate({ receive: false })
      a.send({ sequence: 2, timestamp: 160 }, Buffer.from('not allowed'))
      await b.say(a, 1, 0)
      await a.negotiate({})
      await a.say(b, 3, 320)
      assert.ok(!b.payloads().includes('not allowed'))
      assert.ok(((await a.stats()).media[0]?.packetsDiscarded ?? 0) >= 1)
      close()
    }))

  test('a refused medium carries nothing, a medium without link neither', () =>
    withEngine(async ({ engine }) => {
      const { a, b, c, close } = await trio(engine)
      await link(engine, 'a', 'b')
      await a.say(b, 1, 0)
      await engine.change('call', { kind: 'connect', side: 'a', to: { kind: 'nothing' } })
      a.send({ sequence: 2, timestamp: 160 }, Buffer.from('to nobody'))
      await link(engine, 'a', 'c')
      await a.say(c, 3, 320)
      assert.ok(!b.payloads().includes('to nobody'))
      close()
    }))

  test('counters and codec are those of the wire', () =>
    withEngine(async ({ engine }) => {
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      for (const n of [1, 2, 5]) await a.say(b, n, n * 160)
      const [from, to] = [(await a.stats()).media[0], (await b.stats()).media[0]]
      assert.deepEqual([from?.packetsReceived, from?.packetsLost, from?.codec], [3, 2, 'PCMU'])
      assert.equal(to?.packetsSent, 3)
      assert.equal((await a.stats()).remote, `${a.end.address}:${a.end.port}`)
      close()
    }))

  test('reports name our SSRC and what was sent, whatever the source reports', () =>
    withEngine(async ({ engine, advance }) => {
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      const heard = await a.say(b, 1, 0)
      const reported = b.end.received.next((datagram) => isRtcp(datagram))
      advance(2_000)
      const [report] = readCompound(await reported)
      assert.ok(report?.kind === 'sender-report')
      assert.deepEqual([report.ssrc, report.packets], [heard.ssrc, 1])
      close()
    }))
}

function sourceContract(withEngine: WithEngine): void {
  test('packets from another address are not relayed, and counted', () =>
    withEngine(async ({ engine }) => {
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      await a.say(b, 1, 0)
      const stranger = await UdpEnd.open('127.0.0.2')
      const forged = buildRtp({ ...FIELDS, sequence: 2, timestamp: 160 }, Buffer.from('forged'))
      for (let n = 0; n < 8; n++) stranger.send(forged, a.local.port, a.local.address)
      await reached(async () => ((await a.stats()).media[0]?.packetsDiscarded ?? 0) >= 8)
      await a.say(b, 3, 320)
      assert.ok(!b.payloads().includes('forged'))
      assert.equal((await a.stats()).remote, `${a.end.address}:${a.end.port}`)
      stranger.close()
      close()
    }))

  test('the first packet of a side is told once, with its address', () =>
    withEngine(async ({ engine }) => {
      const events = inboxOf(engine)
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      for (const n of [1, 2, 3]) await a.say(b, n, n * 160)
      await b.say(a, 1, 0)
      await events.find((event) => event.kind === 'first-packet' && event.side === 'b')
      assert.deepEqual(
        events.all.filter((event) => event.kind === 'first-packet' && event.side === 'a'),
        [{ kind: 'first-packet', session: 'call', side: 'a', remote: `${a.end.address}:${a.end.port}` }],
      )
      close()
    }))

  test('silence of a side that may send is told once, and its end', () =>
    withEngine(async ({ engine, advance }) => {
      const events = inboxOf(engine)
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      await a.say(b, 1, 0)
      advance(10_000)
      const silent = await events.find((event) => event.kind === 'silent' && event.side === 'a')
      assert.ok(silent.kind === 'silent' && silent.forMs >= 5_000)
      assert.equal(silent.cause, 'stopped')
      const never = await events.find((event) => event.kind === 'silent' && event.side === 'b')
      assert.ok(never.kind === 'silent' && never.cause === 'never-heard')
      await a.say(b, 2, 160)
      await events.find((event) => event.kind === 'resumed' && event.side === 'a')
      assert.equal(events.all.filter((event) => event.kind === 'silent' && event.side === 'a').length, 1)
      close()
    }))
}

function dtmfContract(withEngine: WithEngine): void {
  test('a digit of 48000 Hz reaches a peer of 8000 Hz with its length, and is told once', () =>
    withEngine(async ({ engine }) => {
      const events = inboxOf(engine)
      const { a, b, close } = await trio(engine, [OPUS, EVENT_48K], [OPUS, EVENT_8K])
      await link(engine, 'a', 'b')
      const audio = await a.say(b, 1, 0, OPUS.payloadType)
      const heard: Heard[] = []
      for (let n = 1; n <= 7; n++) {
        // 20 ms each; the last three are the end, said three times (RFC 4733 §2.5.1.4).
        const duration = Math.min(n, 5) * 960
        const payload = Buffer.from([5, n >= 5 ? 0x8a : 0x0a, duration >> 8, duration & 0xff])
        const next = b.next(EVENT_8K.payloadType)
        a.send({ payloadType: 110, sequence: 1 + n, timestamp: 960, marker: n === 1 }, payload)
        heard.push(await next)
      }
      assert.deepEqual(
        heard.map(({ payload }) => payload.readUInt16BE(2)),
        [160, 320, 480, 640, 800, 800, 800],
      )
      assert.deepEqual(
        heard.map(({ sequence }) => (sequence - audio.sequence) & 0xffff),
        [1, 2, 3, 4, 5, 6, 7],
      )
      assert.equal(new Set(heard.map(({ timestamp }) => timestamp)).size, 1)
      const told = await events.find((event) => event.kind === 'dtmf')
      assert.deepEqual(told, { kind: 'dtmf', session: 'call', side: 'a', digit: '5', durationMs: 100 })
      assert.equal(events.all.filter((event) => event.kind === 'dtmf').length, 1)
      close()
    }))
}

function madeHereContract(withEngine: WithEngine): void {
  test('an echo says what the side said', () =>
    withEngine(async ({ engine }) => {
      const { a, close } = await trio(engine)
      await engine.change('call', { kind: 'connect', side: 'a', to: { kind: 'echo' } })
      const first = await a.say(a, 1, 0)
      const second = await a.say(a, 2, 160)
      assert.deepEqual([first.ssrc, second.sequence - first.sequence], [a.local.ssrc, 1])
      close()
    }))

  test('a tone is heard at its frequency, in one line with what was heard before', () =>
    withEngine(async ({ engine }) => {
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      const before = await b.say(a, 1, 0)
      const first = a.next() // It may come before the answer.
      await engine.change('call', { kind: 'connect', side: 'a', to: { kind: 'tone', frequencyHz: 1_004 } })
      const frames: Heard[] = [await first]
      while (frames.length < 10) frames.push(await a.next())
      assert.equal(frames[0]?.sequence, (before.sequence + 1) & 0xffff)
      const samples = decodeG711('PCMU', Buffer.concat(frames.map(({ payload }) => payload)))
      assert.ok(toneLevel(samples, 1_004, 8_000) > 0.95)
      frames.slice(1).forEach((frame, n) => {
        const previous = frames[n]
        assert.deepEqual(
          [frame.ssrc, frame.sequence - (previous?.sequence ?? 0), frame.timestamp - (previous?.timestamp ?? 0)],
          [a.local.ssrc, 1, 160],
        )
      })
      close()
    }))
}

function secureContract(withEngine: WithEngine): void {
  for (const suite of ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM'] as const satisfies readonly SrtpSuite[]) {
    test(`SDES with ${suite}: both ways, and nothing that is not authentic`, () =>
      withEngine(async ({ engine }) => {
        const { a, b, close } = await trio(engine)
        const local = b.local.crypto.find((key) => key.suite === suite)
        assert.ok(local, `the engine offers no key for ${suite}`)
        const remote = sdesKey(suite, local.tag)
        await b.negotiate({ srtp: { local, remote } })
        await link(engine, 'a', 'b')
        const keys = contextsFromSdes(remote, local)
        const words = randomBytes(160)

        const atB = b.end.received.next((datagram) => !isRtcp(datagram))
        a.send({ sequence: 1 }, words)
        const opened = keys.receive.unprotectRtp(await atB)
        assert.deepEqual(opened?.subarray(12), words)

        const sealed = keys.send.protectRtp(buildRtp({ ...FIELDS, sequence: 1, timestamp: 0 }, words))
        assert.ok(sealed)
        const atA = a.next()
        b.send({ sequence: 9 }, Buffer.from('in the clear'))
        b.end.send(sealed, b.local.port, b.local.address)
        b.end.send(sealed, b.local.port, b.local.address)
        assert.deepEqual((await atA).payload, words)
        await reached(async () => ((await b.stats()).media[0]?.packetsDiscarded ?? 0) >= 2)
        assert.equal((await b.stats()).srtpSuite, suite)
        assert.equal(a.payloads().length, 1)
        close()
      }))
  }
}

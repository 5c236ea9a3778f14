import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeG711 } from '../../src/media/engines/portable/rtp/index.ts'
import type { PayloadCodec } from '../../src/media/index.ts'
import { PCMU } from '../support/media-peers.ts'
import type { WithEngine } from './media-engine.ts'
import { type Heard, link, reached, trio } from './phones.ts'

const EVENT_8K: PayloadCodec = { payloadType: 101, name: 'telephone-event', clockRateHz: 8_000 }

/** What an operator or a called service does to a call that is up: mute, silence, digits. */
export function controlContract(withEngine: WithEngine): void {
  test('a muted side is not heard, hears on, and is heard again in the same line', () =>
    withEngine(async ({ engine }) => {
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      const before = await a.say(b, 1, 0)
      await engine.change('call', { kind: 'mute', side: 'a', muted: true })
      for (const sequence of [2, 3]) a.send({ sequence, timestamp: 160 * sequence }, Buffer.from('muted'))
      await reached(async () => ((await a.stats()).media[0]?.packetsReceived ?? 0) >= 3)
      await b.say(a, 1, 0)
      await engine.change('call', { kind: 'mute', side: 'a', muted: false })
      const after = await a.say(b, 4, 640)
      assert.ok(!b.payloads().includes('muted'))
      assert.equal(after.ssrc, before.ssrc)
      assert.equal((after.sequence - before.sequence) & 0xffff, 1, 'what was not passed on is no loss')
      close()
    }))

  test('silence is sent in real time, in one line with what was heard before', () =>
    withEngine(async ({ engine }) => {
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      const before = await b.say(a, 1, 0)
      const first = a.next() // It may come before the answer.
      await engine.change('call', { kind: 'connect', side: 'a', to: { kind: 'silence' } })
      const frames: Heard[] = [await first]
      while (frames.length < 4) frames.push(await a.next())
      assert.deepEqual(
        frames.map(({ ssrc, sequence, payload }) => [ssrc, (sequence - before.sequence) & 0xffff, payload.length]),
        [1, 2, 3, 4].map((distance) => [a.local.ssrc, distance, 160]),
      )
      const samples = decodeG711('PCMU', Buffer.concat(frames.map(({ payload }) => payload)))
      assert.ok(samples.every((sample) => Math.abs(sample) <= 8))
      close()
    }))

  test('digits reach the peer as events, one after the other, beside what it hears', () =>
    withEngine(async ({ engine }) => {
      const { a, b, close } = await trio(engine, [PCMU, EVENT_8K])
      await link(engine, 'a', 'b')
      const before = await a.say(b, 1, 0)
      const first = b.next(EVENT_8K.payloadType)
      await engine.change('call', { kind: 'send-dtmf', side: 'b', digits: '5#', durationMs: 60, gapMs: 40 })
      const events: Heard[] = [await first]
      while (events.filter(isEnd).length < 6) events.push(await b.next(EVENT_8K.payloadType))
      const [five = [], hash = []] = [5, 11].map((code) =>
        events.filter(({ payload }) => payload.readUInt8(0) === code),
      )
      assert.deepEqual([...five, ...hash], events)
      for (const digit of [five, hash]) {
        assert.equal(new Set(digit.map(({ timestamp }) => timestamp)).size, 1, 'one timestamp for the whole event')
        assert.deepEqual(
          digit.map(({ marker }) => marker),
          digit.map((_, index) => index === 0),
        )
        assert.deepEqual(
          digit.slice(-3).map((end) => [isEnd(end), end.payload.readUInt16BE(2)]),
          [1, 2, 3].map(() => [true, 480]),
        )
      }
      assert.notEqual(hash[0]?.timestamp, five[0]?.timestamp, 'the second digit is another event')
      const after = await a.say(b, 2, 160)
      const sequences = [before, ...events, after].map(({ sequence }) => (sequence - before.sequence) & 0xffff)
      assert.deepEqual(
        sequences,
        sequences.map((_, index) => index),
        'one line of numbers with the audio',
      )
      assert.ok([...events, after].every(({ ssrc }) => ssrc === b.local.ssrc))
      close()
    }))

  test('digits for a peer that agreed to no events are refused, and harm nothing', () =>
    withEngine(async ({ engine }) => {
      const { a, b, close } = await trio(engine)
      await link(engine, 'a', 'b')
      await a.say(b, 1, 0)
      const digits = engine.change('call', { kind: 'send-dtmf', side: 'b', digits: '1' })
      await assert.rejects(digits, { code: 'MEDIA_SPEC_INVALID' })
      await a.say(b, 2, 160)
      assert.equal(b.payloads().length, 2)
      close()
    }))
}

function isEnd({ payload }: Heard): boolean {
  return payload.readUInt8(1) >= 0x80
}

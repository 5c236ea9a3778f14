import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildRtp } from './build.ts'
import type { Route } from './model.ts'
import { type RtpHeader, readRtp } from './packet.ts'
import { createRtpSender } from './sender.ts'

const AUDIO: Route = { payloadType: 0, clockRateHz: 8_000 }
const EVENT_8K: Route = { payloadType: 101, clockRateHz: 8_000, event: { fromHz: 8_000, toHz: 8_000 } }
const PAYLOAD = Buffer.from('payload')

/** A sender whose every packet is read again. */
function line(firstSequence = 100, firstTimestamp = 1_000) {
  const sender = createRtpSender({ ssrc: 0xabcdef01, firstSequence, firstTimestamp })
  const forward = (fields: Partial<RtpHeader>, now: number, route = AUDIO, payload = PAYLOAD) => {
    const packet = buildRtp({ marker: false, payloadType: 8, sequence: 0, timestamp: 0, ssrc: 1, ...fields }, payload)
    const header = readRtp(packet)
    assert.ok(header)
    const sent = sender.forward(packet, header, route, now)
    return sent === undefined ? undefined : read(sent)
  }
  return { sender, forward }
}

function read(packet: Buffer) {
  const header = readRtp(packet)
  assert.ok(header)
  const { ssrc, payloadType, sequence, timestamp, marker, payloadOffset } = header
  return { ssrc, payloadType, sequence, timestamp, marker, payload: packet.subarray(payloadOffset) }
}

const numbers = (sent: ReturnType<typeof read> | undefined) =>
  sent === undefined ? undefined : [sent.sequence, sent.timestamp, sent.marker]

test('a packet leaves with our SSRC, the payload type of the peer and the same payload', () => {
  const { forward } = line()
  assert.deepEqual(forward({ sequence: 7, timestamp: 70, ssrc: 9 }, 0), {
    ssrc: 0xabcdef01,
    payloadType: 0,
    sequence: 100,
    timestamp: 1_000,
    marker: true,
    payload: PAYLOAD,
  })
})

test('losses and reordering of the source stay visible; a repetition does not leave', () => {
  const { forward } = line()
  const packet = (n: number) =>
    numbers(forward({ sequence: (65_534 + n) & 0xffff, timestamp: 8_000 + n * 160 }, n * 20))
  assert.deepEqual(packet(0), [100, 1_000, true])
  assert.deepEqual(packet(1), [101, 1_160, false])
  assert.deepEqual(packet(4), [104, 1_640, false])
  assert.deepEqual(packet(2), [102, 1_320, false])
  assert.equal(packet(2), undefined)
  assert.equal(packet(-1), undefined, 'before the first one')
  assert.deepEqual(packet(5), [105, 1_800, false])
})

test('another SSRC goes on by one packet and by the time that passed', () => {
  const { forward } = line()
  forward({ sequence: 1, timestamp: 160, ssrc: 1 }, 0)
  forward({ sequence: 2, timestamp: 320, ssrc: 1 }, 20)
  const other = { sequence: 40_000, timestamp: 4_000_000_000, ssrc: 2 }
  assert.deepEqual(numbers(forward(other, 120)), [102, 1_160 + 800, true])
  assert.equal(forward({ sequence: 2, timestamp: 320, ssrc: 1 }, 121), undefined, 'overtaken by the new SSRC')
  assert.deepEqual(numbers(forward({ ...other, sequence: 40_001, timestamp: 4_000_000_160 }, 140)), [103, 2_120, false])
})

test('a switch moves the timestamp by one packet at least', () => {
  const { sender, forward } = line()
  forward({ sequence: 1, timestamp: 0 }, 0)
  forward({ sequence: 2, timestamp: 240 }, 30)
  sender.switchSource()
  assert.deepEqual(numbers(forward({ sequence: 2, timestamp: 240 }, 31)), [102, 1_240 + 240, true])
})

test('a source that restarts far away, or just below its old numbers, is heard again', () => {
  const { forward } = line()
  forward({ sequence: 1_000, timestamp: 0 }, 0)
  assert.deepEqual(numbers(forward({ sequence: 20_000, timestamp: 99 }, 20)), [101, 1_160, true])
  assert.deepEqual(numbers(forward({ sequence: 500, timestamp: 5 }, 40)), [102, 1_320, true])
  for (let n = 1; n < 60; n++) forward({ sequence: 500 + n, timestamp: 5 + n * 160 }, 40 + n * 20)
  const heard = Array.from({ length: 20 }, (_, n) => forward({ sequence: 510 + n, timestamp: n * 160 }, 1_300 + n * 20))
  assert.equal(heard.filter((sent) => sent !== undefined).length, 4)
})

test('a source whose timestamps stood still during a hold gets the time that passed', () => {
  const { forward } = line()
  forward({ sequence: 1, timestamp: 0 }, 0)
  assert.deepEqual(numbers(forward({ sequence: 2, timestamp: 160 }, 60_000)), [101, 1_000 + 480_000, false])
  assert.deepEqual(numbers(forward({ sequence: 3, timestamp: 320 }, 60_020)), [102, 1_160 + 480_000, false])
})

test('silence of a source keeps its own timestamps', () => {
  const { forward } = line()
  forward({ sequence: 1, timestamp: 0 }, 0)
  assert.deepEqual(numbers(forward({ sequence: 2, timestamp: 79_840, marker: true }, 10_000)), [101, 80_840, true])
})

test('packets missing after a long silence were not meant for this line', () => {
  const { forward } = line()
  forward({ sequence: 1, timestamp: 0 }, 0)
  assert.deepEqual(numbers(forward({ sequence: 501, timestamp: 80_000 }, 10_000)), [101, 81_000, true])
})

test('another codec clock goes on in the new clock', () => {
  const { forward } = line()
  forward({ sequence: 1, timestamp: 0 }, 0)
  const opus: Route = { payloadType: 111, clockRateHz: 48_000 }
  assert.deepEqual(numbers(forward({ sequence: 2, timestamp: 7 }, 20, opus)), [101, 1_000 + 960, true])
  assert.deepEqual(numbers(forward({ sequence: 3, timestamp: 967 }, 40, opus)), [102, 1_000 + 1_920, false])
})

test('the marker of a video source ends a frame and is not set at a switch', () => {
  const { forward } = line()
  const video: Route = { payloadType: 96, clockRateHz: 90_000, kind: 'video' }
  assert.deepEqual(numbers(forward({ sequence: 1, timestamp: 0 }, 0, video)), [100, 1_000, false])
})

test('RFC 4733 §2.5.1.2: all packets of an event have the timestamp of its start', () => {
  const { forward } = line()
  forward({ sequence: 1, timestamp: 8_000 }, 0)
  const event = (n: number, hex: string) =>
    forward({ sequence: 2 + n, timestamp: 8_160, marker: n === 0 }, 20 + n * 20, EVENT_8K, Buffer.from(hex, 'hex'))
  assert.deepEqual(numbers(event(0, '050a00a0')), [101, 1_160, true])
  assert.deepEqual(numbers(event(1, '050a0140')), [102, 1_160, false])
  assert.deepEqual(event(2, '058a01e0')?.payload, Buffer.from('058a01e0', 'hex'))
  assert.deepEqual(numbers(forward({ sequence: 5, timestamp: 8_640 }, 80)), [104, 1_640, false])
})

test('an event of 48000 Hz that began a call keeps one timestamp toward 8000 Hz', () => {
  const { forward } = line()
  const route: Route = { payloadType: 101, clockRateHz: 48_000, event: { fromHz: 48_000, toHz: 8_000 } }
  const sent = [1, 2, 3].map((n) => {
    const payload = Buffer.from([2, n === 3 ? 0x8a : 0x0a, (n * 960) >> 8, (n * 960) & 0xff])
    return forward({ sequence: n, timestamp: 375 }, n * 20, route, payload)
  })
  assert.deepEqual(
    sent.map((packet) => [packet?.sequence, packet?.timestamp, packet?.payload.readUInt16BE(2)]),
    [
      [100, 1_000, 160],
      [101, 1_000, 320],
      [102, 1_000, 480],
    ],
  )
})

test('RFC 4733 §2.5.1.3: an event too long for the faster clock is told in segments', () => {
  const { forward } = line()
  const route: Route = { payloadType: 101, clockRateHz: 48_000, event: { fromHz: 8_000, toHz: 48_000 } }
  const sent = [10_000, 11_000, 22_000].map((duration, n) => {
    const payload = Buffer.from([2, 0x0a, duration >> 8, duration & 0xff])
    return forward({ sequence: n, timestamp: 375 }, n * 20, route, payload)
  })
  assert.deepEqual(
    sent.map((packet) => [packet?.timestamp, packet?.payload.readUInt16BE(2)]),
    [
      [1_000, 60_000],
      [1_000 + 65_535, 66_000 - 65_535],
      [1_000 + 2 * 65_535, 132_000 - 2 * 65_535],
    ],
  )
})

test('a tone made here and a source after it are one line', () => {
  const { sender, forward } = line()
  const made = [0, 20, 40].map((now) => numbers(read(sender.produce(PAYLOAD, 160, AUDIO, now))))
  assert.deepEqual(made, [
    [100, 1_000, true],
    [101, 1_160, false],
    [102, 1_320, false],
  ])
  assert.deepEqual(numbers(forward({ sequence: 9, timestamp: 9 }, 60)), [103, 1_480, true])
  assert.equal(sender.packetsSent, 4)
  assert.equal(sender.bytesSent, 4 * PAYLOAD.length)
})

test('law: whatever sources do, no sequence number leaves twice and in-order timestamps stay near the clock', () => {
  const step = fc.record({
    ssrc: fc.integer({ min: 1, max: 3 }),
    sequence: fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 40 })),
    timestamp: fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0, max: 6_400 })),
    waitMs: fc.integer({ min: 0, max: 100 }),
    cut: fc.boolean(),
    event: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const { sender, forward } = line(0x7fff, 0xffff_ff00)
      const seen = new Set<number>()
      let highest: number | undefined
      let now = 0
      for (const { waitMs, cut, event, ...fields } of steps) {
        now += waitMs
        if (cut) sender.switchSource()
        const sent = event ? forward(fields, now, EVENT_8K, Buffer.from('010a00a0', 'hex')) : forward(fields, now)
        if (sent === undefined) continue
        assert.ok(!seen.has(sent.sequence), `sequence ${sent.sequence} twice`)
        seen.add(sent.sequence)
        const ahead = highest === undefined ? 1 : ((sent.sequence - highest) << 16) >> 16
        assert.ok(ahead >= -100 && ahead <= 3_000)
        if (ahead > 0) highest = sent.sequence
        const clock = sender.timestampAt(now)
        assert.ok(clock !== undefined && Math.abs((sent.timestamp - clock) | 0) <= 8_000 * 7, 'timestamp far off')
      }
    }),
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildRtp } from './build.ts'
import { readRtp } from './packet.ts'
import { createRtpReceiver } from './receiver.ts'
import {
  buildFullIntraRequest,
  buildGoodbye,
  buildPictureLoss,
  buildReceiverReport,
  buildSenderReport,
  buildSourceDescription,
  type RtcpPacket,
  readCompound,
} from './rtcp/index.ts'
import { createRtpSender } from './sender.ts'
import { createStreamRtcp } from './stream-rtcp.ts'

const OURS = 0x1000
const THEIRS = 0x2000
const SOURCE = 0x3000

function leg() {
  const sender = createRtpSender({ ssrc: OURS, firstSequence: 5, firstTimestamp: 50_000 })
  const receiver = createRtpReceiver()
  const rtcp = createStreamRtcp({ cname: 'trunkline', sender, receiver, clockRateHz: 8_000 })
  const packet = (ssrc: number, sequence: number, timestamp: number) => {
    const bytes = buildRtp({ marker: false, payloadType: 0, sequence, timestamp, ssrc }, Buffer.alloc(160))
    const header = readRtp(bytes)
    assert.ok(header)
    return { bytes, header }
  }
  return {
    rtcp,
    send: (sequence: number, timestamp: number, now: number) => {
      const { bytes, header } = packet(SOURCE, sequence, timestamp)
      sender.forward(bytes, header, { payloadType: 0, clockRateHz: 8_000 }, now)
    },
    receive: (sequence: number, timestamp: number, now: number) => {
      receiver.onPacket(packet(THEIRS, sequence, timestamp).header, 172, 8_000, now)
    },
  }
}

const report = { ssrc: THEIRS, ntpSeconds: 0x0001_0203, ntpFraction: 0x0405_0607, timestamp: 900, packets: 1, bytes: 2 }

function due(rtcp: ReturnType<typeof leg>['rtcp'], now: number): readonly RtcpPacket[] {
  const compound = rtcp.poll(now)
  assert.ok(compound, `nothing is due at ${now} ms`)
  return readCompound(compound)
}

test('the first report comes after about a second, then one every five', () => {
  const { rtcp } = leg()
  assert.equal(rtcp.poll(0), undefined)
  const first = rtcp.deadline()
  assert.ok(first >= 500 && first <= 1_500)
  assert.equal(rtcp.poll(first - 1), undefined)
  assert.deepEqual(due(rtcp, first), [{ kind: 'receiver-report', ssrc: OURS, reports: [] }])
  assert.ok(rtcp.deadline() - first >= 4_000 && rtcp.deadline() - first <= 6_000)
})

test('what we sent is reported in our numbers, in the clock of the source', () => {
  const { rtcp, send } = leg()
  rtcp.poll(0)
  send(1, 777_000, 100)
  send(2, 777_160, 120)
  rtcp.onSourceReport({ ssrc: SOURCE, ntpSeconds: 500, ntpFraction: 0, timestamp: 777_080, receivedAt: 110 })
  const [sent] = due(rtcp, 2_110)
  assert.ok(sent?.kind === 'sender-report')
  const { ssrc, ntpSeconds, timestamp, packets, bytes } = sent
  assert.deepEqual([ssrc, ntpSeconds, timestamp, packets, bytes], [OURS, 502, 50_080 + 16_000, 2, 320])
})

test('a report of a source that is not connected any more is not used', () => {
  const { rtcp, send } = leg()
  rtcp.poll(0)
  rtcp.onSourceReport({ ssrc: SOURCE, ntpSeconds: 500, ntpFraction: 0, timestamp: 777_080, receivedAt: 0 })
  rtcp.switchSource()
  send(1, 777_000, 2_000)
  const [sent] = due(rtcp, 3_000)
  assert.ok(sent?.kind === 'sender-report')
  assert.deepEqual([sent.ntpSeconds, sent.timestamp], [3, 58_000])
})

test('with nothing sent since the last report there is no sender report', () => {
  const { rtcp, send } = leg()
  rtcp.poll(0)
  send(1, 0, 100)
  assert.equal(due(rtcp, 2_000)[0]?.kind, 'sender-report')
  assert.equal(due(rtcp, 8_000)[0]?.kind, 'receiver-report')
})

test('what we received is reported with the time since the peer’s own report', () => {
  const { rtcp, receive } = leg()
  rtcp.poll(0)
  receive(1, 0, 1_000)
  receive(3, 320, 1_040)
  const news = rtcp.onPacket(buildSenderReport({ ...report, reports: [] }), 1_500)
  assert.deepEqual(news.senderReport, {
    ssrc: THEIRS,
    ntpSeconds: report.ntpSeconds,
    ntpFraction: report.ntpFraction,
    timestamp: 900,
    receivedAt: 1_500,
  })
  const [sent] = due(rtcp, 2_000)
  assert.ok(sent?.kind === 'receiver-report')
  assert.deepEqual(sent.reports, [
    {
      ssrc: THEIRS,
      lossFraction: Math.floor(256 / 3) / 256,
      packetsLost: 1,
      highestSequence: 3,
      jitterTicks: 0,
      lastSenderReport: 0x0203_0405,
      delay: 32_768,
    },
  ])
})

test('RFC 3550 §6.4.1: the round trip is the time since our report less the peer’s delay', () => {
  const { rtcp, send } = leg()
  rtcp.poll(0)
  send(1, 0, 100)
  const [sent] = due(rtcp, 2_000)
  assert.ok(sent?.kind === 'sender-report')
  const lastSenderReport = (((sent.ntpSeconds & 0xffff) << 16) | (sent.ntpFraction >>> 16)) >>> 0
  const block = { ssrc: OURS, lossFraction: 0.5, packetsLost: 1, highestSequence: 5, jitterTicks: 80 }
  const reply = (delay: number, last = lastSenderReport) =>
    buildReceiverReport({ ssrc: THEIRS, reports: [{ ...block, lastSenderReport: last, delay }] })
  const news = rtcp.onPacket(reply(65_536), 3_040)
  assert.deepEqual([news.lossFraction, news.jitterMs, news.roundTripMs], [0.5, 10, 40])
  assert.equal(rtcp.onPacket(reply(65_536, 12_345), 3_040).roundTripMs, undefined)
  assert.equal(rtcp.onPacket(reply(0xffff_ffff), 3_040).roundTripMs, 0)
})

test('key frames are asked for once in 500 ms; asked again soon, also by FIR', () => {
  const { rtcp, receive } = leg()
  assert.equal(rtcp.keyFrameRequest(0), undefined)
  receive(1, 0, 0)
  const kinds = (now: number) => readCompound(rtcp.keyFrameRequest(now) ?? Buffer.alloc(0)).map(({ kind }) => kind)
  assert.deepEqual(kinds(0), ['receiver-report', 'picture-loss'])
  assert.deepEqual(kinds(400), [])
  assert.deepEqual(kinds(1_000), ['receiver-report', 'picture-loss', 'full-intra-request'])
  assert.deepEqual(kinds(9_000), ['receiver-report', 'picture-loss'])
})

test('requests and goodbyes count only for the streams they name', () => {
  const { rtcp, receive } = leg()
  receive(1, 0, 0)
  const news = (...packets: Buffer[]) => {
    const { keyFrameWanted, goodbye } = rtcp.onPacket(Buffer.concat(packets), 0)
    return [keyFrameWanted, goodbye]
  }
  assert.deepEqual(news(buildPictureLoss(THEIRS, OURS)), [true, false])
  assert.deepEqual(news(buildFullIntraRequest(THEIRS, OURS, 0)), [true, false])
  assert.deepEqual(news(buildSourceDescription(THEIRS, 'them'), buildGoodbye(THEIRS)), [false, true])
  assert.deepEqual(news(buildPictureLoss(THEIRS, 9), buildFullIntraRequest(THEIRS, 9, 0), buildGoodbye(9)), [
    false,
    false,
  ])
})

test('our goodbye names our SSRC', () => {
  assert.deepEqual(readCompound(leg().rtcp.goodbye(0)).at(-1), { kind: 'goodbye', ssrcs: [OURS] })
})

test('an SDES packet ends on a whole word after at least one zero', () => {
  for (const cname of ['', 'a', 'ab', 'abc', 'abcd', 'é'.repeat(200)]) {
    const packet = buildSourceDescription(OURS, cname)
    const length = packet.readUInt8(9)
    assert.equal(packet.length % 4, 0)
    assert.equal(packet.readUInt16BE(2), packet.length / 4 - 1)
    assert.ok(packet.length > 10 + length && packet.subarray(10 + length).every((byte) => byte === 0))
  }
})

test('law: any bytes are read without a fault, and a good packet before them is kept', () => {
  const good = buildSenderReport({ ...report, reports: [] })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(0x80, 0x9f, 0xa0, 0xbf), (bytes, first) => {
      const rest = Buffer.from(bytes)
      if (rest.length > 1) rest.set([first, 200 + ((rest[1] ?? 0) % 8)])
      const [read] = readCompound(Buffer.concat([good, rest]))
      assert.deepEqual(read, { kind: 'sender-report', ...report, reports: [] })
      leg().rtcp.onPacket(rest, 0)
    }),
  )
})

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  buildRtp,
  createDtmfDetector,
  createRtpReceiver,
  createRtpSender,
  createStreamRtcp,
  type Route,
  readRtp,
} from '../../src/media/engines/portable/rtp/index.ts'
import {
  buildFullIntraRequest,
  buildGoodbye,
  buildPictureLoss,
  buildSenderReport,
  buildSourceDescription,
} from '../../src/media/engines/portable/rtp/rtcp/index.ts'
import {
  createSrtpContext,
  parametersOf,
  SRTP_SUITES,
  type SrtpContext,
} from '../../src/media/engines/portable/srtp/index.ts'
import type { SrtpSuite } from '../../src/media/index.ts'
import { corpus } from '../support/corpora.ts'
import { type Random, seededRandom } from '../support/random.ts'
import { mutate } from './mutate.ts'

const OUR_SSRC = 0x0bad_cafe
const AUDIO: Route = { payloadType: 0, clockRateHz: 8_000 }
const EVENT: Route = { payloadType: 101, clockRateHz: 8_000, event: { fromHz: 48_000, toHz: 8_000 } }

const RTP: readonly Buffer[] = [
  ...[1, 2, 3, 0x7fff, 0x8000, 0xffff].map((sequence) => rtp(sequence, sequence * 160, Buffer.alloc(20, 0xff))),
  ...[960, 1_920, 0xffff].map((duration, n) => {
    return rtp(10 + n, 1_600, Buffer.from([5, n === 2 ? 0x8a : 0x0a, duration >> 8, duration & 0xff]))
  }),
]

const BLOCK = {
  ssrc: OUR_SSRC,
  lossFraction: 0.1,
  packetsLost: 9,
  highestSequence: 70_000,
  jitterTicks: 30,
  lastSenderReport: 77,
  delay: 65_536,
}
const CLOCK = { ntpSeconds: 1, ntpFraction: 2, timestamp: 3, packets: 4, bytes: 5 }
const RTCP: readonly Buffer[] = [
  buildSenderReport({ ssrc: 7, ...CLOCK, reports: [BLOCK] }),
  buildSourceDescription(7, 'a name'),
  buildPictureLoss(7, OUR_SSRC),
  buildFullIntraRequest(7, OUR_SSRC, 1),
  buildGoodbye(7),
]

/** A stream of packets, most of them changed, through everything a packet meets. @throws Error with the seed. */
export function fuzzRtp(rounds: number, seed: number): void {
  const seeds = [...RTP, ...seedsOf('rtp')]
  for (let round = 0; round < rounds; round++) {
    labelled(`RTP seed ${seed + round}`, () => relay(seeds, seededRandom(seed + round)))
  }
}

/** Every seed as it is, then `rounds` changed ones. @throws Error with the input in hex. */
export function fuzzRtcp(rounds: number, seed: number): void {
  const random = seededRandom(seed)
  const seeds = [Buffer.concat(RTCP), ...RTCP, ...seedsOf('rtcp')]
  for (const input of seeds) takeRtcp(input)
  for (let round = 0; round < rounds; round++) takeRtcp(mutate(oneOf(seeds, random), seeds, random))
}

/** Nothing authenticates but what was protected. @throws Error with the input in hex. */
export function fuzzSrtp(rounds: number, seed: number): void {
  const random = seededRandom(seed)
  const seeds = seedsOf('srtp')
  for (const suite of SRTP_SUITES) {
    const [send, receive] = [context(suite, 'send'), context(suite, 'receive')]
    const good = [
      ...RTP.flatMap((packet) => send.protectRtp(packet) ?? []),
      ...RTCP.flatMap((p) => send.protectRtcp(p) ?? []),
    ]
    const inputs = [...good, ...seeds]
    for (const input of seeds) refuse(receive, input)
    for (let round = 0; round < rounds; round++) {
      const input = mutate(oneOf(inputs, random), inputs, random)
      if (!good.some((packet) => packet.equals(input))) refuse(receive, input)
    }
  }
}

function relay(seeds: readonly Buffer[], random: Random): void {
  const receiver = createRtpReceiver()
  const sender = createRtpSender({ ssrc: OUR_SSRC, firstSequence: 0x7ff0, firstTimestamp: 0xffff_ff00 })
  const dtmf = createDtmfDetector()
  const given = new Set<number>()
  let now = 0
  for (let step = 0; step < 60; step++) {
    now += random.between(0, 60)
    if (random.between(0, 20) === 0) sender.switchSource()
    if (random.between(0, 20) === 0) take(sender.produce(Buffer.alloc(160), 160, AUDIO, now), given)
    const packet = random.between(0, 3) === 0 ? oneOf(seeds, random) : mutate(oneOf(seeds, random), seeds, random)
    const header = readRtp(packet)
    if (header === undefined || !receiver.onPacket(header, packet.length, 8_000, now)) continue
    const route = random.between(0, 1) === 0 ? AUDIO : EVENT
    for (const { durationMs } of dtmf.onPacket(packet, header, 8_000, now)) assert.ok(durationMs >= 0)
    const sent = sender.forward(packet, header, route, now)
    if (sent !== undefined) take(sent, given)
    assert.ok(Number.isFinite(receiver.jitterMs) && receiver.jitterMs >= 0)
  }
}

/** What leaves is RTP of ours, under a number that did not leave before. */
function take(packet: Buffer, given: Set<number>): void {
  const header = readRtp(packet)
  assert.ok(header?.ssrc === OUR_SSRC && header.payloadOffset === 12)
  assert.ok(!given.has(header.sequence), `sequence ${header.sequence} twice`)
  given.add(header.sequence)
}

function takeRtcp(input: Buffer): void {
  labelled(`RTCP input ${input.toString('hex')}`, () => {
    const receiver = createRtpReceiver()
    const sender = createRtpSender({ ssrc: OUR_SSRC, firstSequence: 1, firstTimestamp: 1 })
    const first = RTP[0] ?? Buffer.alloc(0)
    const header = readRtp(first)
    assert.ok(header)
    receiver.onPacket(header, first.length, 8_000, 0)
    const rtcp = createStreamRtcp({ cname: 'c', sender, receiver, clockRateHz: 8_000 })
    const { lossFraction = 0, jitterMs = 0, roundTripMs = 0, senderReport } = rtcp.onPacket(input, 1_000)
    assert.ok(lossFraction >= 0 && lossFraction < 1 && jitterMs >= 0 && roundTripMs >= 0)
    if (senderReport !== undefined) rtcp.onSourceReport(senderReport)
    rtcp.poll(1_000)
    sender.forward(first, header, AUDIO, 1_000)
    assert.ok(rtcp.poll(60_000))
  })
}

function refuse(receive: SrtpContext, input: Buffer): void {
  labelled(`${receive.suite} input ${input.toString('hex')}`, () => {
    const before = Buffer.from(input)
    assert.equal(receive.unprotectRtp(input), undefined)
    assert.equal(receive.unprotectRtcp(input), undefined)
    assert.ok(input.equals(before), 'the input was changed')
  })
}

function context(suite: SrtpSuite, direction: 'send' | 'receive'): SrtpContext {
  const { keyLength, saltLength } = parametersOf(suite)
  const keys = { masterKey: Buffer.alloc(keyLength, 1), masterSalt: Buffer.alloc(saltLength, 2) }
  return createSrtpContext({ suite, ...keys, direction })
}

function oneOf(list: readonly Buffer[], random: Random): Buffer {
  return list[random.between(0, list.length - 1)] ?? Buffer.alloc(0)
}

function rtp(sequence: number, timestamp: number, payload: Buffer): Buffer {
  return buildRtp({ marker: false, payloadType: 0, sequence, timestamp, ssrc: 7 }, payload)
}

function seedsOf(topic: 'rtp' | 'rtcp' | 'srtp'): readonly Buffer[] {
  const dir = corpus('fuzz-seeds')
  if (dir === undefined) return []
  return readdirSync(join(dir, topic)).map((file) => readFileSync(join(dir, topic, file)))
}

function labelled(label: string, run: () => void): void {
  try {
    run()
  } catch (error) {
    throw new Error(label, { cause: error })
  }
}

if (process.argv[1]?.endsWith('fuzz/rtp.ts')) {
  for (let seed = Date.now(); ; seed += 1_000) {
    fuzzRtp(1_000, seed)
    fuzzRtcp(20_000, seed)
    fuzzSrtp(5_000, seed)
  }
}

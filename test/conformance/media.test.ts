import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  createDtmfDetector,
  createRtpSender,
  type DtmfDigit,
  decodeG711,
  encodeG711,
  readRtp,
} from '../../src/media/engines/portable/rtp/index.ts'
import {
  buildTelephoneEvent,
  digitOf,
  readTelephoneEvent,
} from '../../src/media/engines/portable/rtp/telephone-event.ts'
import { corpus, corpusFile } from '../support/corpora.ts'

interface DtmfFile {
  readonly event_codes: Readonly<Record<string, number>>
  readonly payloads: readonly { event: number; end: boolean; volume: number; duration: number; hex: string }[]
  readonly sequence_digit_5: { readonly packets: readonly { hex: string; t_ms: number }[] }
  readonly reordered: { readonly order: readonly number[] }
  readonly lost_start: { readonly order: readonly number[] }
  readonly lost_all_ends: { readonly order: readonly number[] }
  readonly long_event_segments: { readonly packets: readonly { hex: string }[] }
  readonly clock_48000: { readonly hex: string }
}

interface G711File {
  readonly ulaw_decode: readonly number[]
  readonly alaw_decode: readonly number[]
  readonly encode: readonly { readonly pcm: number; readonly ulaw: number; readonly alaw: number }[]
}

interface PcapFile {
  readonly captures: readonly {
    readonly file: string
    readonly events?: readonly { readonly event: number; readonly max_duration: number }[]
  }[]
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex')

const dtmf = corpusFile<DtmfFile>('media', 'dtmf.json')
if (dtmf !== undefined) {
  const sequence = dtmf.sequence_digit_5.packets.map((packet) => hex(packet.hex))

  test('every event code has its digit; a flash has none', () => {
    for (const [digit, code] of Object.entries(dtmf.event_codes)) {
      assert.equal(digitOf(code), digit === 'flash' ? undefined : digit)
    }
  })

  for (const { hex: text, event, end, volume, duration } of dtmf.payloads) {
    test(`telephone-event payload ${text}`, () => {
      assert.deepEqual(readTelephoneEvent(hex(text)), { event, end, volume, duration })
      // The reserved bit is not ours to pass on (RFC 4733 §2.3.3).
      const clear = hex(text)
      clear.writeUInt8(clear.readUInt8(1) & 0xbf, 1)
      assert.deepEqual(buildTelephoneEvent({ event, end, volume, duration }), clear)
    })
  }

  const orders: readonly (readonly [name: string, order: readonly number[], durationMs: number])[] = [
    ['in order', sequence.map((_, index) => index), 120],
    ['reordered', dtmf.reordered.order, 120],
    ['start lost', dtmf.lost_start.order, 120],
    ['ends lost', dtmf.lost_all_ends.order, 100],
  ]
  for (const [name, order, durationMs] of orders) {
    test(`one digit 5, ${name}`, () => {
      const packets = order.flatMap((index) => sequence[index] ?? [])
      assert.deepEqual(detect(packets, 8_000), [{ digit: '5', durationMs }])
    })
  }

  test('a long event in segments is one digit', () => {
    const packets = dtmf.long_event_segments.packets.map((packet) => hex(packet.hex))
    assert.deepEqual(detect(packets, 8_000), [{ digit: '1', durationMs: Math.round((65_535 + 305) / 8) }])
  })

  test('the same digit with a new timestamp is a second one', () => {
    const again = sequence.map((packet) => {
      const copy = Buffer.from(packet)
      copy.writeUInt16BE(packet.readUInt16BE(2) + sequence.length, 2)
      copy.writeUInt32BE(packet.readUInt32BE(4) + 1_600, 4)
      return copy
    })
    assert.deepEqual(
      detect([...sequence, ...again], 8_000).map(({ digit }) => digit),
      ['5', '5'],
    )
  })

  test('20 ms at 48000 Hz are 160 ticks toward 8000 Hz', () => {
    const packet = hex(dtmf.clock_48000.hex)
    const header = readRtp(packet)
    assert.ok(header)
    const sender = createRtpSender({ ssrc: 7, firstSequence: 1, firstTimestamp: 0 })
    const route = { payloadType: 101, clockRateHz: 48_000, event: { fromHz: 48_000, toHz: 8_000 } }
    const sent = sender.forward(packet, header, route, 0)
    assert.deepEqual(sent?.subarray(12), hex('020a00a0'))
  })
}

for (const capture of corpusFile<PcapFile>('media', 'pcap.json')?.captures ?? []) {
  const [event] = capture.events ?? []
  if (event === undefined) continue
  test(`${capture.file} is one digit`, () => {
    const digits = detect(rtpOfPcap(readFileSync(join(corpus('media') ?? '', capture.file))), 8_000)
    assert.deepEqual(digits, [{ digit: digitOf(event.event), durationMs: Math.round(event.max_duration / 8) }])
  })
}

const g711 = corpusFile<G711File>('media', 'g711.json')
if (g711 !== undefined) {
  const codes = Uint8Array.from({ length: 256 }, (_, code) => code)

  test('every code of G.711 is decoded as the formula says', () => {
    assert.deepEqual([...decodeG711('PCMU', codes)], g711.ulaw_decode)
    assert.deepEqual([...decodeG711('PCMA', codes)], g711.alaw_decode)
  })

  test('a decoded code is encoded as itself, save the negative zero of µ-law', () => {
    const again = encodeG711('PCMU', decodeG711('PCMU', codes))
    assert.deepEqual(
      [...again],
      [...codes].map((code) => (code === 0x7f ? 0xff : code)),
    )
    assert.deepEqual([...encodeG711('PCMA', decodeG711('PCMA', codes))], [...codes])
  })

  test('samples are encoded as well as by the reference', () => {
    for (const { pcm, ulaw, alaw } of g711.encode) {
      for (const [law, code] of [
        ['PCMU', ulaw],
        ['PCMA', alaw],
      ] as const) {
        const error = (of: number) => Math.abs((decodeG711(law, Uint8Array.of(of))[0] ?? 0) - pcm)
        const ours = encodeG711(law, Int16Array.of(pcm)).readUInt8(0)
        assert.ok(error(ours) <= error(code), `${law} of ${pcm}: ${ours}, expected ${code}`)
      }
    }
  })
}

/** The digits of packets 20 ms apart, and of the silence after them. */
function detect(packets: readonly Buffer[], clockRateHz: number): DtmfDigit[] {
  const detector = createDtmfDetector()
  const digits = packets.flatMap((packet, index) => {
    const header = readRtp(packet)
    return header === undefined ? [] : detector.onPacket(packet, header, clockRateHz, index * 20)
  })
  const silence = detector.deadline()
  return silence === undefined ? digits : [...digits, ...detector.onWakeup(silence)]
}

/** The UDP payloads of a classic pcap file with Ethernet frames and IPv4. */
function rtpOfPcap(file: Buffer): Buffer[] {
  const packets: Buffer[] = []
  const little = file.readUInt32BE(0) === 0xd4c3b2a1
  for (let at = 24; at + 16 <= file.length; ) {
    const length = little ? file.readUInt32LE(at + 8) : file.readUInt32BE(at + 8)
    const frame = file.subarray(at + 16, at + 16 + length)
    const ip = frame.subarray(frame.readUInt16BE(12) === 0x0800 ? 14 : 16)
    const udp = ip.subarray(4 * (ip.readUInt8(0) & 0x0f))
    packets.push(udp.subarray(8, udp.readUInt16BE(4)))
    at += 16 + length
  }
  return packets
}

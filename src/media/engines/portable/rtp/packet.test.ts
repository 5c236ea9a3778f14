import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildRtp } from './build.ts'
import { isRtcp, isRtp, readRtp } from './packet.ts'

const packet = (...parts: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part)))

test('CSRCs, extension and padding are not payload', () => {
  const header = readRtp(
    packet('b2e5fffe', '00003e80', 'decafbad', '00000001', '00000002', 'bede0001', '10ff0000', 'aabbcc', '000003'),
  )
  assert.deepEqual(header, {
    marker: true,
    payloadType: 0x65,
    sequence: 0xfffe,
    timestamp: 16_000,
    ssrc: 0xdecafbad,
    payloadOffset: 28,
    payloadEnd: 31,
  })
})

const invalid: readonly (readonly [why: string, hex: string])[] = [
  ['too short', '8000000000000000000000'],
  ['version 1', '400000000000000000000000'],
  ['CSRCs past the end', '830000000000000000000000'],
  ['an extension without its header', '900000000000000000000000bede'],
  ['an extension past the end', '900000000000000000000000bede0002aabbccdd'],
  ['more padding than payload', 'a00000000000000000000000aa03'],
  ['padding of nothing', 'a00000000000000000000000aa00'],
  ['a sender report', '80c8000600000000000000000000000000000000000000000000'],
]
for (const [why, text] of invalid) {
  test(`not RTP: ${why}`, () => assert.equal(readRtp(packet(text)), undefined))
}

test('RFC 5761 §4: packet types from 192 to 223 are RTCP, all others are RTP', () => {
  for (let second = 0; second < 256; second++) {
    const bytes = packet(Buffer.from([0x80, second]), Buffer.alloc(10))
    assert.equal(isRtcp(bytes), second >= 192 && second <= 223)
    assert.equal(isRtp(bytes), !isRtcp(bytes))
  }
})

test('the mid goes into a one-byte extension that ends on a whole word', () => {
  const fields = { marker: false, payloadType: 8, sequence: 1, timestamp: 2, ssrc: 3 }
  const built = buildRtp({ ...fields, mid: { id: 4, value: 'audio' } }, Buffer.from('aa', 'hex'))
  assert.equal(built.toString('hex'), `9008000100000002${'00000003'}bede0002${'44617564696f0000'}aa`)
  assert.equal(readRtp(built)?.payloadOffset, 24)
})

test('law: what is built is read again', () => {
  const field = (max: number) => fc.integer({ min: 0, max })
  fc.assert(
    fc.property(
      fc.record({
        marker: fc.boolean(),
        payloadType: field(63),
        sequence: field(0xffff),
        timestamp: field(0xffff_ffff),
        ssrc: field(0xffff_ffff),
      }),
      fc.uint8Array({ maxLength: 200 }),
      (fields, payload) => {
        const built = buildRtp(fields, payload)
        assert.deepEqual(readRtp(built), { ...fields, payloadOffset: 12, payloadEnd: 12 + payload.length })
      },
    ),
  )
})

test('law: nothing read from any bytes lies outside of them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const buffer = Buffer.from(bytes)
      if (buffer.length > 0) buffer[0] = 0x80 | ((buffer[0] ?? 0) & 0x3f)
      const header = readRtp(buffer)
      if (header === undefined) return
      assert.ok(header.payloadOffset >= 12 && header.payloadOffset <= header.payloadEnd)
      assert.ok(header.payloadEnd <= buffer.length)
    }),
  )
})

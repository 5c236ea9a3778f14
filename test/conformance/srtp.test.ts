import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { CounterMode } from '../../src/media/engines/portable/srtp/counter-mode.ts'
import { GcmProtection } from '../../src/media/engines/portable/srtp/gcm-protection.ts'
import { HmacProtection } from '../../src/media/engines/portable/srtp/hmac-protection.ts'
import { createSrtpContext, parametersOf, SRTP_SUITES } from '../../src/media/engines/portable/srtp/index.ts'
import { deriveKey, LABEL } from '../../src/media/engines/portable/srtp/key-derivation.ts'
import { estimateRoc } from '../../src/media/engines/portable/srtp/packet-index.ts'
import type { SrtpSuite } from '../../src/media/index.ts'
import { corpusFile } from '../support/corpora.ts'

interface PacketVector {
  readonly name: string
  readonly profile: string
  readonly mki?: string
  readonly master_key: string
  readonly master_salt: string
  readonly roc: number
  readonly rtp: string
  readonly srtp: string
  readonly rtcp?: string
  readonly srtcp?: string
}

interface GcmVector {
  readonly rfc: string
  readonly mode: 'encrypt' | 'tag-only'
  readonly kind: 'rtp' | 'rtcp'
  readonly session_key: string
  readonly session_salt: string
  readonly roc?: number
  readonly srtcp_index?: number
  readonly plain: string
  readonly protected: string
}

interface IndexCase {
  readonly roc: number
  readonly s_l: number
  readonly seq: number
  readonly v: number
}

interface Derivations {
  readonly rfc3711: {
    readonly b2_aes_cm: KeyStream & { readonly keystream_segment_octets: number; readonly keystream_sha256: string }
    readonly b3_key_derivation: Derivation & { readonly srtcp_computed: Readonly<Record<string, string>> }
  }
  readonly rfc6188: readonly Partial<KeyStream & Derivation>[]
}
interface KeyStream {
  readonly session_key: string
  readonly session_salt: string
  readonly blocks: Readonly<Record<string, string>>
}
interface Derivation {
  readonly master_key: string
  readonly master_salt: string
  readonly srtp: Readonly<Record<string, string>>
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const isOurs = (profile: string): profile is SrtpSuite => SRTP_SUITES.some((suite) => suite === profile)

const packets = corpusFile<{ vectors: PacketVector[] }>('srtp', 'packets.json')
for (const vector of packets?.vectors ?? []) {
  const reason =
    vector.mki !== undefined
      ? 'by design: MKI is never negotiated'
      : `by design: ${vector.profile} is not a suite of ours`
  const skip = vector.mki === undefined && isOurs(vector.profile) ? false : reason
  describe(`whole packets: ${vector.name}`, { skip }, () => {
    const suite = vector.profile as SrtpSuite
    const make = (direction: 'send' | 'receive') =>
      createSrtpContext({ suite, masterKey: hex(vector.master_key), masterSalt: hex(vector.master_salt), direction })

    // The rollover counter is not on the wire: a test with a large one is about the transform alone.
    if (vector.roc === 0) {
      test('RTP is protected byte for byte, unprotected, and refused the second time', () => {
        assert.equal(make('send').protectRtp(hex(vector.rtp))?.toString('hex'), vector.srtp)
        const receive = make('receive')
        assert.equal(receive.unprotectRtp(hex(vector.srtp))?.toString('hex'), vector.rtp)
        assert.equal(receive.unprotectRtp(hex(vector.srtp)), undefined)
        assert.deepEqual({ ...receive.counters }, { failed: 0, replayed: 1 })
      })

      test('every flipped bit of SRTP is noticed', () =>
        everyBit(hex(vector.srtp), (p) => make('receive').unprotectRtp(p)))
    }

    if (vector.roc > 0) {
      test('the transform takes the rollover counter', () => {
        const packet = hex(vector.rtp)
        const index = vector.roc * 0x1_0000 + packet.readUInt16BE(2)
        const sealed = hmacTransform(vector).sealRtp(packet, 12, packet.readUInt32BE(8), index)
        assert.equal(sealed.toString('hex'), vector.srtp)
      })
    }

    if (vector.roc === 1) {
      test('the packets of the next rollover come out of a running stream', () => {
        const [send, receive] = [make('send'), make('receive')]
        const packet = hex(vector.rtp)
        const at = packet.readUInt16BE(2)
        for (let step = 0; step <= 8; step++) {
          const sequence = (at + step * 0x2000) % 0x10000
          packet.writeUInt16BE(sequence, 2)
          const sealed = send.protectRtp(packet)
          assert.ok(sealed !== undefined && receive.unprotectRtp(sealed)?.equals(packet), `step ${step}`)
          if (step === 8) assert.equal(sealed.toString('hex'), vector.srtp)
        }
      })
    }

    if (vector.rtcp !== undefined && vector.srtcp !== undefined) {
      const { rtcp, srtcp } = vector
      test('RTCP: the second packet has index 1; unprotected once', () => {
        const send = make('send')
        send.protectRtcp(hex(rtcp))
        assert.equal(send.protectRtcp(hex(rtcp))?.toString('hex'), srtcp)
        const receive = make('receive')
        assert.equal(receive.unprotectRtcp(hex(srtcp))?.toString('hex'), rtcp)
        assert.equal(receive.unprotectRtcp(hex(srtcp)), undefined)
        assert.deepEqual({ ...receive.counters }, { failed: 0, replayed: 1 })
      })

      test('every flipped bit of SRTCP is noticed', () => everyBit(hex(srtcp), (p) => make('receive').unprotectRtcp(p)))
    }
  })
}

const gcm = corpusFile<{ vectors: GcmVector[] }>('srtp', 'rfc7714.json')
for (const vector of gcm?.vectors ?? []) {
  const key = { encryption: hex(vector.session_key), salt: hex(vector.session_salt), authentication: Buffer.alloc(0) }
  const plain = hex(vector.plain)
  const ssrc = plain.readUInt32BE(vector.kind === 'rtp' ? 8 : 4)
  const name = `RFC ${vector.rfc}, ${vector.mode}`
  if (vector.kind === 'rtp') {
    const skip = vector.mode === 'tag-only' ? 'by design: RTP is always encrypted' : false
    test(name, { skip }, () => {
      const index = (vector.roc ?? 0) * 0x1_0000 + plain.readUInt16BE(2)
      const transform = new GcmProtection(key, key)
      assert.equal(transform.sealRtp(plain, 12, ssrc, index).toString('hex'), vector.protected)
      assert.equal(transform.openRtp(hex(vector.protected), 12, ssrc, index)?.toString('hex'), vector.plain)
    })
  } else {
    test(name, () => {
      const transform = new GcmProtection(key, key)
      const index = vector.srtcp_index ?? 0
      assert.equal(transform.rtcpIndex(hex(vector.protected)), index)
      assert.equal(transform.openRtcp(hex(vector.protected), ssrc)?.toString('hex'), vector.plain)
      if (vector.mode === 'encrypt') {
        assert.equal(transform.sealRtcp(plain, ssrc, index).toString('hex'), vector.protected)
      }
    })
  }
}

const indices = corpusFile<{ cases: IndexCase[] }>('srtp', 'index-estimate.json')
for (const { roc, s_l, seq, v } of indices?.cases ?? []) {
  test(`RFC 3711 appendix A: roc ${roc}, highest ${s_l}, packet ${seq} is of ${v}`, () => {
    assert.equal(estimateRoc(roc, s_l, seq), v)
  })
}

const derivations = corpusFile<Derivations>('srtp', 'key-derivation.json')
if (derivations !== undefined) {
  const { b2_aes_cm: b2, b3_key_derivation: b3 } = derivations.rfc3711

  test('RFC 3711 B.2: the whole key stream', () => {
    const stream = keyStream(b2, b2.keystream_segment_octets)
    for (const [block, value] of Object.entries(b2.blocks)) assert.equal(blockOf(stream, block), value)
    assert.equal(createHash('sha256').update(stream).digest('hex'), b2.keystream_sha256)
  })

  test('RFC 3711 B.3: session keys', () => {
    const names = { ...b3.srtp, ...b3.srtcp_computed }
    for (const [name, value] of Object.entries(names)) assert.equal(derived(b3, name, value), value, name)
  })

  for (const [index, vector] of derivations.rfc6188.entries()) {
    test(`RFC 6188 §7, vector ${index + 1}`, () => {
      const { session_key, session_salt, blocks, master_key, master_salt, srtp } = vector
      if (session_key !== undefined && session_salt !== undefined && blocks !== undefined) {
        const stream = keyStream({ session_key, session_salt, blocks }, 64)
        for (const [block, value] of Object.entries(blocks)) assert.equal(blockOf(stream, block), value)
      }
      if (master_key !== undefined && master_salt !== undefined && srtp !== undefined) {
        for (const [name, value] of Object.entries(srtp)) {
          assert.equal(derived({ master_key, master_salt, srtp }, name, value), value, name)
        }
      }
    })
  }
}

test('a suite has the lengths of its RFC, in bytes', () => {
  assert.deepEqual(
    SRTP_SUITES.map((suite) => {
      const { keyLength, saltLength, tagLength } = parametersOf(suite)
      return [suite, keyLength, saltLength, tagLength]
    }),
    [
      ['AES_CM_128_HMAC_SHA1_80', 16, 14, 10],
      ['AES_CM_128_HMAC_SHA1_32', 16, 14, 4],
      ['AEAD_AES_128_GCM', 16, 12, 16],
      ['AEAD_AES_256_GCM', 32, 12, 16],
    ],
  )
})

function hmacTransform({ master_key, master_salt }: PacketVector): HmacProtection {
  const derive = (label: number, length: number) => deriveKey(hex(master_key), hex(master_salt), label, length)
  const keys = {
    encryption: derive(LABEL.rtpEncryption, 16),
    salt: derive(LABEL.rtpSalt, 14),
    authentication: derive(LABEL.rtpAuthentication, 20),
  }
  return new HmacProtection(keys, keys, 10)
}

function everyBit(packet: Buffer, unprotect: (packet: Buffer) => Buffer | undefined): void {
  for (let bit = 0; bit < packet.length * 8; bit++) {
    const flipped = Buffer.from(packet)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
    assert.equal(unprotect(flipped), undefined, `bit ${bit}`)
  }
}

function keyStream({ session_key, session_salt }: KeyStream, bytes: number): Buffer {
  const stream = Buffer.alloc(bytes)
  new CounterMode(hex(session_key), hex(session_salt)).apply(stream, 0, bytes, 0, 0)
  return stream
}

function blockOf(stream: Buffer, block: string): string {
  const at = Number.parseInt(block, 16) * 16
  return stream.subarray(at, at + 16).toString('hex')
}

function derived({ master_key, master_salt }: Derivation, name: string, value: string): string {
  const label = Number.parseInt(/label_(\d\d)/.exec(name)?.[1] ?? '', 16)
  assert.ok(Object.values(LABEL).some((each) => each === label))
  return deriveKey(hex(master_key), hex(master_salt), label, value.length / 2).toString('hex')
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Secret } from '../../../../base/index.ts'
import type { SrtpSuite } from '../../../model.ts'
import { buildRtp } from '../rtp/build.ts'
import { contextsFromDtls, contextsFromSdes, createSrtpContext, parametersOf, SRTP_SUITES, sdesKey } from './index.ts'

const rtp = (sequence: number, ssrc = 7): Buffer =>
  buildRtp({ marker: false, payloadType: 0, sequence: sequence & 0xffff, timestamp: 0, ssrc }, Buffer.from('payload'))

function pair(suite: SrtpSuite, ssrcLimit = 16, sentLimit = 64) {
  const { keyLength, saltLength } = parametersOf(suite)
  const keys = { masterKey: Buffer.alloc(keyLength, 1), masterSalt: Buffer.alloc(saltLength, 2) }
  const send = createSrtpContext({ suite, ...keys, direction: 'send', ssrcLimit: sentLimit })
  const receive = createSrtpContext({ suite, ...keys, direction: 'receive', ssrcLimit })
  const sealed = (packet: Buffer): Buffer => {
    const out = send.protectRtp(packet)
    assert.ok(out)
    return out
  }
  return { send, receive, sealed }
}

for (const suite of SRTP_SUITES) {
  describe(suite, () => {
    test('a stream comes through three wraps of the sequence number, with gaps and late packets', () => {
      const { receive, sealed } = pair(suite)
      const late: (readonly [sealed: Buffer, packet: Buffer])[] = []
      for (let n = 65_000; n < 65_000 + 3 * 65_536; n += 97) {
        const packet = rtp(n)
        const protectedPacket = sealed(packet)
        if (n % 5 === 0) late.push([protectedPacket, packet])
        else assert.deepEqual(receive.unprotectRtp(protectedPacket), packet)
        const [overtaken] = late
        if (overtaken !== undefined && n % 5 === 2) {
          late.shift()
          assert.deepEqual(receive.unprotectRtp(overtaken[0]), overtaken[1])
        }
      }
      assert.deepEqual({ ...receive.counters }, { failed: 0, replayed: 0 })
    })

    test('a forged packet moves nothing, whatever its number', () => {
      const { receive, sealed } = pair(suite)
      const [first, second] = [sealed(rtp(100)), sealed(rtp(101))]
      assert.ok(receive.unprotectRtp(first))
      for (const sequence of [101, 20_000, 32_000]) {
        const forged = Buffer.from(second)
        forged.writeUInt16BE(sequence, 2)
        forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1)
        assert.equal(receive.unprotectRtp(forged), undefined)
      }
      assert.deepEqual({ ...receive.counters }, { failed: 3, replayed: 0 })
      assert.deepEqual(receive.unprotectRtp(second), rtp(101))
    })

    test('a sequence number is never protected twice', () => {
      const { send } = pair(suite)
      assert.ok(send.protectRtp(rtp(5)))
      assert.equal(send.protectRtp(rtp(5)), undefined)
    })

    test('packets too short to hold a tag fail', () => {
      const { receive } = pair(suite)
      const packet = rtp(1)
      for (let length = 0; length < packet.length; length++) {
        assert.equal(receive.unprotectRtp(packet.subarray(0, length)), undefined)
        assert.equal(receive.unprotectRtcp(packet.subarray(0, length)), undefined)
      }
      assert.equal(receive.counters.failed, 2 * packet.length)
    })

    test('state is kept for as many SSRCs as allowed; the one unused longest gives way', () => {
      const { receive, sealed } = pair(suite, 2)
      const [one, two, three] = [sealed(rtp(1, 1)), sealed(rtp(1, 2)), sealed(rtp(1, 3))]
      for (const packet of [one, two, sealed(rtp(2, 1)), three]) assert.ok(receive.unprotectRtp(packet))
      assert.equal(receive.unprotectRtp(one), undefined, 'still known')
      assert.ok(receive.unprotectRtp(two), 'forgotten')
    })

    test('what was sent of an SSRC is never forgotten: a keystream used twice would tell both texts', () => {
      const { send } = pair(suite, 16, 2)
      const report = Buffer.from('80c80001000000010000000000000000', 'hex')
      const rtcp = (ssrc: number): Buffer => {
        report.writeUInt32BE(ssrc, 4)
        return report
      }
      for (const ssrc of [1, 2]) {
        assert.ok(send.protectRtp(rtp(5, ssrc)))
        assert.ok(send.protectRtcp(rtcp(ssrc)))
      }
      assert.equal(send.protectRtp(rtp(5, 3)), undefined, 'one SSRC too many')
      assert.equal(send.protectRtcp(rtcp(3)), undefined)
      assert.equal(send.protectRtp(rtp(5, 1)), undefined, 'still known')
      assert.ok(send.protectRtp(rtp(6, 1)))
    })

    test('keys of SDES lines work in both directions', () => {
      const [ours, theirs] = [sdesKey(suite, 1), sdesKey(suite, 1)]
      const here = contextsFromSdes(ours, theirs)
      const there = contextsFromSdes(theirs, ours)
      const out = here.send.protectRtp(rtp(1))
      const back = there.send.protectRtp(rtp(1))
      assert.ok(out && back)
      assert.deepEqual(there.receive.unprotectRtp(out), rtp(1))
      assert.deepEqual(here.receive.unprotectRtp(back), rtp(1))
      assert.equal(here.receive.unprotectRtp(out), undefined)
    })
  })
}

test('keys that were exported from DTLS are those of two directions', () => {
  const local = { key: Buffer.alloc(16, 1), salt: Buffer.alloc(14, 2) }
  const remote = { key: Buffer.alloc(16, 3), salt: Buffer.alloc(14, 4) }
  const suite = 'AES_CM_128_HMAC_SHA1_80'
  const out = contextsFromDtls({ suite, local, remote }).send.protectRtp(rtp(1))
  assert.ok(out)
  assert.deepEqual(contextsFromDtls({ suite, local: remote, remote: local }).receive.unprotectRtp(out), rtp(1))
})

test('keys of the wrong length, or of two suites, are a fault of the caller', () => {
  const key = sdesKey('AES_CM_128_HMAC_SHA1_80', 1)
  const fault = { code: 'MEDIA_SPEC_INVALID' }
  assert.throws(() => contextsFromSdes(key, { ...key, key: new Secret('AAAA') }), fault)
  assert.throws(() => contextsFromSdes(key, sdesKey('AEAD_AES_128_GCM', 1)), fault)
  const suite = 'AEAD_AES_256_GCM'
  const short = { masterKey: Buffer.alloc(16), masterSalt: Buffer.alloc(12) }
  assert.throws(() => createSrtpContext({ suite, ...short, direction: 'send' }), fault)
})

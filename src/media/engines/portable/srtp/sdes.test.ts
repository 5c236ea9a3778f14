import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildRtp } from '../rtp/build.ts'
import { SdesContexts, SRTP_SUITES, type SrtpPair, sdesKey } from './index.ts'

const REPORT = Buffer.from('80c80001000000070000000000000000', 'hex')
const rtp = (sequence: number): Buffer =>
  buildRtp({ marker: false, payloadType: 0, sequence, timestamp: 0, ssrc: 7 }, Buffer.from('payload'))

function sent({ send }: SrtpPair): string {
  const out = send.protectRtcp(REPORT)
  assert.ok(out)
  return out.toString('hex')
}

for (const suite of SRTP_SUITES) {
  describe(`${suite} over several negotiations`, () => {
    const [ours, first, second] = [sdesKey(suite, 1), sdesKey(suite, 1), sdesKey(suite, 1)]

    test('no index of our key is used twice, whatever the peer does with its own', () => {
      const keys = new SdesContexts()
      const packets = [first, second, first].map((theirs) => sent(keys.of(ours, theirs)))
      assert.equal(new Set(packets).size, 3)
      assert.ok(keys.of(ours, first).send.protectRtp(rtp(5)))
      assert.equal(keys.of(ours, second).send.protectRtp(rtp(5)), undefined)
    })

    test('the peer’s packets are not taken twice while its key stays', () => {
      const keys = new SdesContexts()
      const packet = new SdesContexts().of(first, ours).send.protectRtp(rtp(1))
      assert.ok(packet)
      assert.ok(keys.of(ours, first).receive.unprotectRtp(packet))
      assert.equal(keys.of(ours, first).receive.unprotectRtp(packet), undefined)
    })
  })
}

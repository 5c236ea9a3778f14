import assert from 'node:assert/strict'
import { test } from 'node:test'
import { targetOf } from './target.ts'

const cases: readonly (readonly [uri: string, transport: string, host: string, port: number])[] = [
  ['sip:b@h', 'udp', 'h', 5060],
  ['sip:b@h:5070;transport=TCP', 'tcp', 'h', 5070],
  ['sip:b@h;transport=tls', 'tls', 'h', 5061],
  ['sips:b@h', 'tls', 'h', 5061],
  ['sips:b@h;transport=tcp', 'tls', 'h', 5061],
  ['sip:b@h;transport=ws', 'ws', 'h', 80],
  ['sips:b@h;transport=ws', 'wss', 'h', 443],
  ['sip:b@[2001:db8::1]:5080', 'udp', '2001:db8::1', 5080],
  ['sip:b@h;maddr=192.0.2.9', 'udp', '192.0.2.9', 5060],
]

for (const [uri, transport, host, port] of cases) {
  test(uri, () => assert.deepEqual(targetOf(uri), { kind: 'address', transport, to: { host, port } }))
}

for (const uri of ['tel:+1555', 'sip:b@h;transport=sctp', 'nonsense']) {
  test(`${uri} is reached by nothing we have`, () => {
    assert.throws(() => targetOf(uri), { code: 'SIP_MALFORMED_MESSAGE' })
  })
}

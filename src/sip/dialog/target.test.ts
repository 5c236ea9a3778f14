import assert from 'node:assert/strict'
import { test } from 'node:test'
import { targetOf } from './target.ts'

type LeftOpen = 'port' | 'transport' | 'both' | undefined

const cases: readonly (readonly [uri: string, transport: string, host: string, port: number, leftOpen: LeftOpen])[] = [
  ['sip:b@h', 'udp', 'h', 5060, 'both'],
  ['sip:b@h:5070', 'udp', 'h', 5070, 'transport'],
  ['sip:b@h:5070;transport=TCP', 'tcp', 'h', 5070, undefined],
  ['sip:b@h;transport=tls', 'tls', 'h', 5061, 'port'],
  ['sips:b@h', 'tls', 'h', 5061, 'both'],
  ['sips:b@h;transport=tcp', 'tls', 'h', 5061, 'port'],
  ['sip:b@h;transport=ws', 'ws', 'h', 80, 'port'],
  ['sips:b@h;transport=ws', 'wss', 'h', 443, 'port'],
  ['sip:b@192.0.2.9;transport=udp', 'udp', '192.0.2.9', 5060, undefined],
  ['sip:b@[2001:db8::1]:5080', 'udp', '2001:db8::1', 5080, 'transport'],
  ['sip:b@h;maddr=192.0.2.9', 'udp', '192.0.2.9', 5060, 'transport'],
]

for (const [uri, transport, host, port, leftOpen] of cases) {
  test(`${uri} leaves open: ${leftOpen ?? 'nothing'}`, () => {
    const secure = transport === 'tls' ? { secure: { domain: host } } : {} // RFC 5922 §7.2.
    const target = { kind: 'address', transport, to: { host, port }, ...secure }
    assert.deepEqual(targetOf(uri), leftOpen === undefined ? target : { ...target, leftOpen })
  })
}

for (const uri of ['tel:+1555', 'sip:b@h;transport=sctp', 'nonsense']) {
  test(`${uri} is reached by nothing we have`, () => {
    assert.throws(() => targetOf(uri), { code: 'SIP_MALFORMED_MESSAGE' })
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Flow } from './flow.ts'
import { createRequest } from './message/create.ts'
import { responseTarget, stampSource } from './response-routing.ts'

function routed(via: string, transport: Flow['transport'] = 'udp') {
  const flow: Flow = {
    id: 'f',
    transport,
    local: { host: '192.0.2.1', port: 5060 },
    remote: { host: '192.0.2.9', port: 7_000 },
  }
  const request = createRequest({ method: 'OPTIONS', uri: 'sip:x', headers: [{ name: 'Via', value: via }] })
  const target = responseTarget(request.headers.viaSpan, flow)
  return {
    via: stampSource(request, flow).headers.get('Via'),
    to: target.kind === 'flow' ? 'flow' : `${target.to.host}:${target.to.port}`,
  }
}

const cases: readonly (readonly [what: string, via: string, stamped: string, to: string])[] = [
  [
    'RFC 3581 §4: rport is filled in and received added even if it is equal',
    'SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1;rport',
    'SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1;rport=7000;received=192.0.2.9',
    'flow',
  ],
  [
    'RFC 3261 §18.2.2: without rport the source port is not used',
    'SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1',
    'SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1',
    '192.0.2.9:5060',
  ],
  [
    '§18.2.1: another address than the one named is noted',
    'SIP/2.0/UDP client.test:5070;branch=z9hG4bK1',
    'SIP/2.0/UDP client.test:5070;branch=z9hG4bK1;received=192.0.2.9',
    '192.0.2.9:5070',
  ],
  [
    'what the sender claims as its source is not believed',
    'SIP/2.0/UDP 192.0.2.9:7000;received=198.51.100.1;branch=z9hG4bK1',
    'SIP/2.0/UDP 192.0.2.9:7000;branch=z9hG4bK1',
    'flow',
  ],
  [
    'a claimed rport is overwritten',
    'SIP/2.0/UDP 10.0.0.1;rport=1;received=10.0.0.1;branch=z9hG4bK1',
    'SIP/2.0/UDP 10.0.0.1;rport=7000;branch=z9hG4bK1;received=192.0.2.9',
    'flow',
  ],
  [
    'a maddr is not followed: anybody could have our answers sent to anybody',
    'SIP/2.0/UDP 192.0.2.9;maddr=224.2.0.1;branch=z9hG4bK1',
    'SIP/2.0/UDP 192.0.2.9;maddr=224.2.0.1;branch=z9hG4bK1',
    '192.0.2.9:5060',
  ],
  [
    'further values on the line stay',
    'SIP/2.0/UDP a.test;branch=z9hG4bK1 , SIP/2.0/TCP b.test;branch=z9hG4bK2',
    'SIP/2.0/UDP a.test;branch=z9hG4bK1;received=192.0.2.9, SIP/2.0/TCP b.test;branch=z9hG4bK2',
    '192.0.2.9:5060',
  ],
]

for (const [what, via, stamped, to] of cases) {
  test(what, () => assert.deepEqual(routed(via), { via: stamped, to }))
}

test('§18.2.2: on a stream the answer goes back on it, whatever the Via says', () => {
  const browser = routed('SIP/2.0/WS x1.invalid;branch=z9hG4bK1', 'ws')
  assert.deepEqual(browser, { via: 'SIP/2.0/WS x1.invalid;branch=z9hG4bK1;received=192.0.2.9', to: 'flow' })
})

test('RFC 3261 §18.2.2: over a stream: its connection, then where the Via says', () => {
  const to = (via: string, transport: Flow['transport']) => {
    const ends = { local: { host: '192.0.2.1', port: 5060 }, remote: { host: '192.0.2.9', port: 7_000 } }
    const flow: Flow = { id: 'f', transport, ...ends }
    const request = createRequest({ method: 'OPTIONS', uri: 'sip:x', headers: [{ name: 'Via', value: via }] })
    const target = responseTarget(request.headers.viaSpan, flow)
    assert.ok(target.kind === 'flow' && target.flow === flow)
    return target.otherwise
  }
  const tcp = { kind: 'address', transport: 'tcp', to: { host: '192.0.2.9', port: 5060 } }
  assert.deepEqual(to('SIP/2.0/TCP client.test;branch=z9hG4bK1', 'tcp'), tcp)
  const tls = { kind: 'address', transport: 'tls', to: { host: '192.0.2.9', port: 5070 } }
  assert.deepEqual(to('SIP/2.0/TLS client.test:5070;branch=z9hG4bK1', 'tls'), {
    ...tls,
    secure: { domain: 'client.test' },
  })
  assert.equal(to('SIP/2.0/WS client.invalid;branch=z9hG4bK1', 'ws'), undefined)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Flow, SendTarget } from './flow.ts'
import { type OwnAddress, ownAddressFor } from './own-addresses.ts'

const udp = (host: string, advertised = host, port = 5060): OwnAddress => ({
  transport: 'udp',
  local: { host, port },
  advertised: { host: advertised, port },
})

/** A gateway behind a NAT with a leg in the private network and one on IPv6. */
const OWN: readonly OwnAddress[] = [
  udp('127.0.0.1'),
  udp('10.0.0.5', '203.0.113.7'),
  udp('10.0.0.5', '10.0.0.5', 5062),
  udp('::', '2001:db8::5', 5064),
  { transport: 'tcp', local: { host: '10.0.0.5', port: 5060 }, advertised: { host: '203.0.113.7', port: 5060 } },
]

const cases: readonly (readonly [what: string, peer: string, advertised: string])[] = [
  ['a public peer is told the public address', '198.51.100.1', '203.0.113.7:5060'],
  ['a private peer is told the private one', '10.9.9.9', '10.0.0.5:5062'],
  ['so is one behind a carrier’s NAT', '100.64.1.1', '10.0.0.5:5062'],
  ['this machine is told the loopback address', '127.0.0.9', '127.0.0.1:5060'],
  ['a peer on IPv6 is told an IPv6 address', '2001:db8:9::1', '2001:db8::5:5064'],
  ['a name may lead anywhere: the first', 'sbc.test', '127.0.0.1:5060'],
]
for (const [what, host, advertised] of cases) {
  test(`${what}: ${host}`, () => {
    const target: SendTarget = { kind: 'address', transport: 'udp', to: { host, port: 5060 } }
    const found = ownAddressFor(target, OWN)?.advertised
    assert.equal(`${found?.host}:${found?.port}`, advertised)
  })
}

test('a flow keeps to the listener it came over, and each family of a wildcard is told its own address', () => {
  const wild = [udp('::', '203.0.113.7'), udp('::', '2001:db8::5'), udp('10.0.0.5', '10.0.0.5', 5070)]
  const flow = (local: string, port: number, remote: string): SendTarget => {
    const ends = { local: { host: local, port }, remote: { host: remote, port: 9 } }
    return { kind: 'flow', flow: { id: 'f', transport: 'udp', ...ends } satisfies Flow }
  }
  assert.equal(ownAddressFor(flow('10.0.0.5', 5070, '198.51.100.1'), wild)?.advertised.host, '10.0.0.5')
  assert.equal(ownAddressFor(flow('::', 5060, '198.51.100.1'), wild)?.advertised.host, '203.0.113.7')
  assert.equal(ownAddressFor(flow('::', 5060, '2001:db8:9::1'), wild)?.advertised.host, '2001:db8::5')
})

test('one address of a transport is for everybody; none is none', () => {
  const to = { host: '192.0.2.9', port: 5060 }
  assert.equal(ownAddressFor({ kind: 'address', transport: 'tcp', to }, OWN)?.advertised.host, '203.0.113.7')
  assert.equal(ownAddressFor({ kind: 'address', transport: 'tls', to }, OWN), undefined)
})

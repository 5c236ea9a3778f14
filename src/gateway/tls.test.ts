import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CALL_CONFIG } from '../../test/support/call-rig.ts'
import { CoreRig, exampleTenant, header, type RigPeer } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'
import { type DnsRecords, type Flow, parseUri } from '../sip/index.ts'
import type { Tenant } from '../tenancy/index.ts'

const SDP = { 'Content-Type': 'application/sdp' }
const NAME = 'sbc.carrier.test'

function tenantWith(target: string): Tenant {
  const tls = { accept: [NAME], verify: 'peer', names: [] } as const
  const carrier = { name: 'carrier', targets: [target], accept: [], srtp: 'never', tls } as const
  return exampleTenant({ trunks: [carrier] })
}

/** As if it came over a connection whose client showed that certificate. */
async function sendProved(rig: CoreRig, peer: RigPeer, data: string, identities: readonly string[]): Promise<void> {
  const flow: Flow = { ...peer.flow, identities }
  rig.input({ kind: 'received', flow, data })
  await rig.settle()
}

function invite(peer: RigPeer, more: Readonly<Record<string, string>> = {}): string {
  const from = { From: `<sip:+4930123456@${NAME}>;tag=1`, ...SDP, ...more }
  return peer.request('INVITE', 'sip:+15550100@example.test', from, phoneSdp())
}

describe('a trunk that is known by its certificate', () => {
  test('reaches its numbers from any address; without the certificate, or with another, nobody does', async () => {
    const rig = new CoreRig({ tenants: [tenantWith('sip:sbc.carrier.test;transport=tls')] })
    const [alice, carrier] = [rig.peer('198.51.100.6'), rig.peer('203.0.113.99', 'tls', 40_000)]
    await alice.register('alice', 'wonderland')
    for (const identities of [[], ['other.test']]) {
      await sendProved(rig, carrier, invite(carrier), identities)
      carrier.take('SIP/2.0 403')
    }
    await sendProved(rig, carrier, invite(carrier), ['other.test', NAME])
    assert.match(header(alice.take('INVITE'), 'From'), /\+4930123456/)
  })

  test('a trunk known by its certificate asks for its connection to be used, and is', async () => {
    const rig = new CoreRig({ tenants: [tenantWith('sip:sbc.carrier.test;transport=tls')] })
    const carrier = rig.peer('203.0.113.99', 'tls', 40_000)
    const via = (n: number): string => `SIP/2.0/TLS 203.0.113.99:5071;branch=z9hG4bK${n};alias`
    await carrier.send(carrier.request('OPTIONS', 'sip:example.test', { Via: via(1) }))
    assert.deepEqual(
      rig.outputs.filter(({ kind }) => kind === 'alias'),
      [],
      'nothing proves who asks',
    )
    await sendProved(rig, carrier, carrier.request('OPTIONS', 'sip:example.test', { Via: via(2) }), [NAME])
    const asked = rig.outputs.flatMap((output) => (output.kind === 'alias' ? [[output.flow.id, output.port]] : []))
    assert.deepEqual(asked, [[carrier.flow.id, 5071]])
  })
})

describe('calls to a trunk over TLS', () => {
  const plain = /^<sip:192\.0\.2\.1:5061;transport=tls>$/
  const cases: readonly (readonly [target: string, address: string, contact: RegExp])[] = [
    ['sip:sbc.carrier.test;transport=tls', '203.0.113.1:5071', plain],
    ['sip:sbc.carrier.test:5081;transport=tls', '203.0.113.9:5081', plain],
    ['sips:sbc.carrier.test:5081', '203.0.113.9:5081', /^<sips:192\.0\.2\.1:5061>$/],
    ['sip:naptr.carrier.test', '203.0.113.1:5071', plain],
  ]
  for (const [target, address, contact] of cases) {
    test(`${target}: its certificate has to be of the domain, whatever the DNS makes of it`, async () => {
      const rig = new CoreRig({
        tenants: [tenantWith(target)],
        endpoint: { sentBy: { tls: { host: '192.0.2.1', port: 5061 } }, product: 'test', aliases: true },
        call: { ...CALL_CONFIG, contactFor: { tls: 'sip:192.0.2.1:5061;transport=tls' } },
        locating: { transports: ['udp', 'tcp', 'tls'] },
      })
      for (const [question, records] of ZONE) rig.zone.set(question, { kind: 'found', ttlSeconds: 60, records })
      await rig.peer('198.51.100.6').call('alice', 'wonderland', '+49301')
      const sent = rig.outputs.find((output) => output.kind === 'send' && output.data.startsWith('INVITE'))
      assert.ok(sent?.kind === 'send' && sent.target.kind === 'address')
      const { transport, to, secure } = sent.target
      assert.deepEqual([transport, `${to.host}:${to.port}`], ['tls', address])
      assert.deepEqual(secure, { domain: parseUri(target).host, profile: 'example.test/carrier' })
      assert.match(header(sent.data, 'Via'), /^SIP\/2\.0\/TLS 192\.0\.2\.1:5061;branch=[^;]+;alias$/)
      assert.match(header(sent.data, 'Contact'), contact)
    })
  }
})

const ZONE: readonly (readonly [question: string, records: DnsRecords])[] = [
  ['A sbc.carrier.test', { type: 'A', addresses: ['203.0.113.9'] }],
  ['A one.carrier.test', { type: 'A', addresses: ['203.0.113.1'] }],
  [
    'SRV _sips._tcp.sbc.carrier.test',
    { type: 'SRV', services: [{ priority: 1, weight: 1, port: 5071, target: 'one.carrier.test' }] },
  ],
  [
    'NAPTR naptr.carrier.test',
    {
      type: 'NAPTR',
      pointers: [
        {
          order: 1,
          preference: 1,
          flags: 's',
          service: 'SIPS+D2T',
          regexp: '',
          replacement: '_sips._tcp.sbc.carrier.test',
        },
      ],
    },
  ],
]

test('sips: is taken over TLS, and refused elsewhere', async () => {
  const rig = new CoreRig()
  const [secure, plain] = [rig.peer('198.51.100.6', 'tls', 40_000), rig.peer('198.51.100.7', 'tcp', 40_000)]
  await secure.send(secure.request('OPTIONS', 'sips:example.test'))
  secure.take('SIP/2.0 200')
  await plain.send(plain.request('OPTIONS', 'sips:example.test'))
  plain.take('SIP/2.0 416')
})

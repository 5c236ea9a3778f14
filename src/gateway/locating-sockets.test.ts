import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, test } from 'node:test'
import { exampleTenant, header } from '../../test/support/core-rig.ts'
import { DnsServer } from '../../test/support/dns-server.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'
import { seededIds } from '../base/index.ts'
import { createFakeEngine } from '../media/engines/fake/index.ts'
import { createGateway } from './gateway.ts'
import type { GatewayOptions } from './model.ts'

/** What a message may take on a busy machine, in ms. */
const PATIENCE_MS = 20_000

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

async function udpSocket(host: string): Promise<Socket> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  socket.bind(0, host)
  await once(socket, 'listening')
  return socket
}

/** The INVITE that comes here. */
async function inviteAt(socket: Socket): Promise<string> {
  const [data] = await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })
  const message = String(data)
  assert.match(message, /^INVITE /)
  return message
}

/** A gateway through which a carrier at 127.0.0.1 calls a PBX with this target. */
function start(target: string, options: Pick<GatewayOptions, 'dns'>) {
  const [carrier] = exampleTenant().trunks
  assert.ok(carrier)
  const trunks = [
    { ...carrier, accept: ['127.0.0.1'] },
    { ...carrier, name: 'pbx', targets: [target], accept: [] },
  ]
  const numbers = [{ number: '+15550199', to: { kind: 'trunk', name: 'pbx' } }] as const
  return createGateway({
    listen: {
      sip: [
        { transport: 'udp', host: '127.0.0.1', port: 0 },
        ...(hasIpv6 ? [{ transport: 'udp', host: '::1', port: 0 } as const] : []),
      ],
    },
    tenants: [exampleTenant({ trunks, numbers })],
    engine: createFakeEngine({ ids: seededIds(1) }),
    log: { debug() {}, info() {}, warn() {}, error() {} },
    product: 'Trunkline/test',
    ...options,
  })
}

/** The carrier's call; `name` is who calls. */
function call(from: Socket, port: number, name = 'Carol'): void {
  const own = `127.0.0.1:${from.address().port}`
  const body = phoneSdp({ address: '127.0.0.1' })
  const lines = [
    `INVITE sip:+15550199@127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP ${own};branch=z9hG4bKcarol`,
    'Max-Forwards: 70',
    `From: "${name}" <sip:+15551@carrier.test>;tag=carol`,
    'To: <sip:+15550199@example.test>',
    'Call-ID: carol@carrier.test',
    'CSeq: 1 INVITE',
    `Contact: <sip:${own}>`,
    'Content-Type: application/sdp',
    `Content-Length: ${body.length}`,
    '',
    body,
  ]
  from.send(lines.join('\r\n'), port, '127.0.0.1')
}

describe('on real sockets', () => {
  const skip = hasIpv6 ? false : 'by design: this machine has no IPv6'
  test('a trunk whose only address is in an AAAA record is called over IPv6', { skip }, async () => {
    const [carrier, pbx] = await Promise.all(['127.0.0.1', '::1'].map(udpSocket))
    assert.ok(carrier && pbx)
    const { port } = pbx.address()
    const dns = await DnsServer.start({
      entries: {
        '_sip._udp.pbx.test': [{ type: 'SRV', services: [{ priority: 1, weight: 1, port, target: 'six.test' }] }],
        'six.test': [{ type: 'AAAA', addresses: ['::1'] }],
      },
    })
    const gateway = await start('sip:pbx.test', { dns: { servers: [dns.address], timeoutMs: PATIENCE_MS } })
    try {
      call(carrier, gateway.addresses[0]?.port ?? 0)
      assert.match(await inviteAt(pbx), /^INVITE sip:\+15550199@pbx\.test SIP/)
    } finally {
      await gateway.stop()
      await dns.stop()
      for (const socket of [carrier, pbx]) socket.close()
    }
  })

  test('RFC 3261 §18.1.1: a large request reaches a trunk that takes no connections over UDP', async () => {
    const [carrier, pbx] = await Promise.all(['127.0.0.1', '127.0.0.1'].map(udpSocket))
    assert.ok(carrier && pbx)
    const gateway = await start(`sip:127.0.0.1:${pbx.address().port}`, {})
    try {
      call(carrier, gateway.addresses[0]?.port ?? 0, 'x'.repeat(1_200))
      const invite = await inviteAt(pbx)
      assert.ok(invite.length > 1_300)
      assert.match(header(invite, 'Via'), /^SIP\/2\.0\/UDP /)
      const [view] = gateway.calls()
      const { timeline = [] } = gateway.call(view?.id ?? '') ?? {}
      const first = timeline.flatMap((entry) => (entry.kind === 'sip' && !entry.repeated ? entry : []))
      const own = first.filter(({ direction, summary }) => direction === 'out' && summary.startsWith('INVITE'))
      const ways = own.map(({ transport }) => transport)
      assert.deepEqual(ways, ['tcp', 'udp'])
    } finally {
      await gateway.stop()
      for (const socket of [carrier, pbx]) socket.close()
    }
  })
})

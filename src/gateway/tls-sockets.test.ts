import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'
import { createServer } from 'node:tls'
import { createTestCa, type TestCa } from '../../test/support/certificates.ts'
import { exampleTenant, header } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'
import { seededIds } from '../base/index.ts'
import { createFakeEngine } from '../media/engines/fake/index.ts'
import type { TrunkTls } from '../tenancy/index.ts'
import { createGateway } from './gateway.ts'
import { createTls } from './tls.ts'

/** What a message may take on a busy machine, in ms. */
const PATIENCE_MS = 20_000

const ca = createTestCa()
const stranger = createTestCa()
after(() => {
  ca.remove()
  stranger.remove()
})

/** A PBX that takes SIP over TLS and tells the first message that comes. */
async function startPbx(issuer: TestCa) {
  const { cert, key } = issuer.issue(['IP:127.0.0.1'])
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) })
  server.on('tlsClientError', () => undefined)
  const first = new Promise<string>((done) =>
    server.on('secureConnection', (socket) => {
      socket.on('error', () => undefined)
      socket.once('data', (data) => done(String(data)))
    }),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, first, close: () => server.close() }
}

/** A gateway through which a carrier at 127.0.0.1 calls the PBX. */
async function startWith(pbxPort: number, tls: Partial<TrunkTls>) {
  const [carrier] = exampleTenant().trunks
  assert.ok(carrier)
  const targets = [`sip:127.0.0.1:${pbxPort};transport=tls`]
  const trunkTls: TrunkTls = { accept: [], names: [], verify: 'peer', ...tls }
  const trunks = [
    { ...carrier, accept: ['127.0.0.1'] },
    { ...carrier, name: 'pbx', targets, accept: [], tls: trunkTls },
  ]
  const numbers = [{ number: '+15550199', to: { kind: 'trunk', name: 'pbx' } }] as const
  const tenants = [exampleTenant({ trunks, numbers })]
  const warned: string[] = []
  const log = {
    debug() {},
    info() {},
    warn: (fields: object, message: string): void => void warned.push(`${message} ${JSON.stringify(fields)}`),
    error() {},
  }
  const files = {
    certificates: [ca.issue(['IP:127.0.0.1'])],
    ca: ca.file,
    minVersion: '1.2',
    reloadMs: 60_000,
  } as const
  const running = createTls({ tls: files, tenants }, log)
  const gateway = await createGateway({
    listen: {
      sip: [
        { transport: 'udp', host: '127.0.0.1', port: 0 },
        { transport: 'tls', host: '127.0.0.1', port: 0 },
      ],
    },
    tenants,
    engine: createFakeEngine({ ids: seededIds(1) }),
    log,
    product: 'Trunkline/test',
    tls: running.store,
    limits: { connectTimeoutMs: PATIENCE_MS },
  })
  const stop = async (): Promise<void> => {
    running.stop()
    await gateway.stop()
  }
  return { gateway, warned, stop }
}

async function calls(port: number): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const own = `127.0.0.1:${socket.address().port}`
  const body = phoneSdp({ address: '127.0.0.1' })
  const lines = [
    `INVITE sip:+15550199@127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP ${own};branch=z9hG4bKcarol`,
    'Max-Forwards: 70',
    'From: <sip:+15551@carrier.test>;tag=carol',
    'To: <sip:+15550199@example.test>',
    'Call-ID: carol@carrier.test',
    'CSeq: 1 INVITE',
    `Contact: <sip:${own}>`,
    'Content-Type: application/sdp',
    `Content-Length: ${body.length}`,
    '',
    body,
  ]
  socket.send(lines.join('\r\n'), port, '127.0.0.1')
  return socket
}

async function finalAt(socket: Socket): Promise<string> {
  for (;;) {
    const [data] = await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })
    if (!String(data).startsWith('SIP/2.0 1')) return String(data)
  }
}

describe('a trunk over TLS, on real sockets', () => {
  for (const [what, issuer, tls] of [
    ['whose certificate is of a CA we trust', ca, {}],
    ['whose certificate nobody looks at', stranger, { verify: 'none' }],
    ['with a CA of its own', stranger, { ca: stranger.file }],
  ] as const) {
    test(`${what} is called`, async () => {
      const pbx = await startPbx(issuer)
      const { gateway, stop } = await startWith(pbx.port, tls)
      const caller = await calls(gateway.addresses[0]?.port ?? 0)
      const invite = await pbx.first
      assert.match(invite, /^INVITE sip:\+15550199@127\.0\.0\.1/)
      const port = gateway.addresses[1]?.port
      assert.match(header(invite, 'Via'), new RegExp(`^SIP/2\\.0/TLS 127\\.0\\.0\\.1:${port};`))
      assert.match(header(invite, 'Contact'), new RegExp(`^<sip:127\\.0\\.0\\.1:${port};transport=tls>`))
      caller.close()
      await stop()
      pbx.close()
    })
  }

  test('one whose certificate cannot be verified is not: the log and the timeline of the call say why', async () => {
    const pbx = await startPbx(stranger)
    const { gateway, warned, stop } = await startWith(pbx.port, {})
    const caller = await calls(gateway.addresses[0]?.port ?? 0)
    assert.match(await finalAt(caller), /^SIP\/2\.0 503 /)
    assert.match(warned.join('\n'), /tls-unverified.*trunk example\.test\/pbx.*certificate of 127\.0\.0\.1 is refused/)
    const [view] = gateway.calls()
    const { timeline = [] } = gateway.call(view?.id ?? '') ?? {}
    assert.match(JSON.stringify(timeline), /No answer to INVITE: the certificate of 127\.0\.0\.1 is refused/)
    caller.close()
    await stop()
    pbx.close()
  })
})

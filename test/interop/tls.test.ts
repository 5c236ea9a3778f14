import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { createTestCa, type TestCa, type TestCertificate } from '../support/certificates.ts'
import { type Baresip, startBaresip } from './support/baresip.ts'
import { startChild } from './support/child.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { tonesHeard } from './support/tone.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const ALICE_HZ = 620
const BOB_HZ = 880

describe('TLS with real peers', { skip }, () => {
  let ca: TestCa
  let certificate: TestCertificate
  let gateway: GatewayProcess
  before(async () => {
    ca = createTestCa()
    certificate = ca.issue(['IP:127.0.0.1', 'DNS:localhost', 'DNS:first.test'])
    gateway = await startGateway({ certificate, tenants: TENANTS })
  })
  after(async () => {
    await gateway?.stop()
    ca?.remove()
  })

  const phone = (user: 'alice' | 'bob', toneHz: number): Promise<Baresip> =>
    startBaresip({
      user,
      domain: 'example.test',
      password: `${user}-secret`,
      registrar: `127.0.0.1:${gateway.tlsPort}`,
      transport: 'tls',
      ca: ca.file,
      toneHz,
      answer: 'auto',
    })

  test('two phones register over TLS and hear each other', async () => {
    const phones = await Promise.all([phone('alice', ALICE_HZ), phone('bob', BOB_HZ)])
    try {
      const [alice, bob] = phones
      await Promise.all(phones.map((each) => each.registered()))
      const { registrations } = await gateway.api<{ registrations: { transport: string }[] }>('/v1/registrations')
      assert.deepEqual(
        registrations.map(({ transport }) => transport),
        ['tls', 'tls'],
      )
      await alice.command('dial', 'sip:bob@example.test')
      await Promise.all([alice.event('CALL_ESTABLISHED'), bob.event('CALL_ESTABLISHED')])
      await Promise.all(phones.map((each) => each.hasHeard(1.2)))
      await alice.command('hangup')
      await Promise.all(phones.map((each) => each.ended(1)))
      for (const [each, hz] of [[alice, BOB_HZ] as const, [bob, ALICE_HZ] as const]) {
        const [heard] = await each.heard()
        assert.ok(heard !== undefined && (tonesHeard(heard, [ALICE_HZ, BOB_HZ]).get(hz) ?? 0) >= 8)
      }
    } finally {
      await Promise.all(phones.map((each) => each.stop()))
    }
  })

  test('openssl shakes hands with TLS 1.2 and 1.3, and sees a certificate that it can verify', async () => {
    for (const version of ['-tls1_2', '-tls1_3']) {
      const at = `127.0.0.1:${gateway.tlsPort}`
      const args = ['s_client', '-connect', at, '-CAfile', ca.file, '-verify_ip', '127.0.0.1', '-verify_return_error']
      const openssl = startChild('openssl', [...args, version])
      await openssl.sees(/Verify return code: 0 \(ok\)/)
      await openssl.stop()
    }
  })

  test('trunkline call makes a WebRTC call over wss without a proxy', async () => {
    const url = `wss://localhost:${gateway.httpsPort}/sip`
    const who = ['--domain', 'example.test', '--user', 'alice', '--password', 'alice-secret']
    const argv = ['--import', 'tsx', 'src/main.ts', 'call', url, '--to', '*43', ...who, '--seconds', '1']
    const trusting = startChild(process.execPath, argv, { cwd: ROOT, env: { NODE_EXTRA_CA_CERTS: ca.file } })
    assert.equal(await trusting.exited(), 0, trusting.output())
    const wary = startChild(process.execPath, argv, { cwd: ROOT })
    assert.equal(await wary.exited(), 1)
    assert.match(wary.output(), /certificate/)
  })

  test('trunkline call makes a SIP call over TLS, by either way to write it', async () => {
    const who = ['--domain', 'example.test', '--user', 'alice', '--password', 'alice-secret', '--ca', ca.file]
    for (const target of [
      `sips:*43@127.0.0.1:${gateway.tlsPort}`,
      `sip:*43@localhost:${gateway.tlsPort};transport=tls`,
    ]) {
      const argv = ['--import', 'tsx', 'src/main.ts', 'call', target, ...who, '--seconds', '1']
      const call = startChild(process.execPath, argv, { cwd: ROOT })
      assert.equal(await call.exited(), 0, call.output())
    }
  })

  test('SIGHUP: new connections see the renewed certificate, those that are open stay', async () => {
    const old = await dial(gateway.tlsPort, ca)
    assert.match(namesOf(old), /first\.test/)
    ca.replace(certificate, ca.issue(['IP:127.0.0.1', 'DNS:localhost', 'DNS:second.test']))
    gateway.child.process.kill('SIGHUP')
    await gateway.child.sees(/TLS files changed/)
    for (const port of [gateway.tlsPort, gateway.httpsPort]) {
      const fresh = await dial(port, ca)
      assert.match(namesOf(fresh), /second\.test/)
      fresh.destroy()
    }
    old.write('\r\n\r\n')
    assert.equal(String((await once(old, 'data'))[0]), '\r\n')
    old.destroy()
  })
})

const TENANTS = `
  - domain: example.test
    users:
      - { name: alice, password: alice-secret }
      - { name: bob, password: bob-secret }
`

async function dial(port: number, ca: TestCa): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca: await readFile(ca.file) })
  await once(socket, 'secureConnect')
  return socket
}

function namesOf(socket: TLSSocket): string {
  return socket.getPeerX509Certificate()?.subjectAltName ?? ''
}

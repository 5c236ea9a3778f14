import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { type AddressInfo, createServer, connect as plainConnect } from 'node:net'
import { after, describe, test } from 'node:test'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { createTestCa, type TestCertificate } from '../../../test/support/certificates.ts'
import { ca, certificateOf, dial, OPTIONS, readPem, sockets, start, storeOf } from '../../../test/support/tls-rig.ts'
import type { AddressTarget } from '../../sip/index.ts'
import type { TlsProfile } from './model.ts'

describe('connections of ours over TLS', () => {
  /** A server that tells what its clients showed and wrote. */
  async function server(certificate: TestCertificate) {
    const events = new EventEmitter()
    const seen: { socket: TLSSocket; names: string | undefined }[] = []
    const listening = createTlsServer({
      cert: readPem(certificate.cert),
      key: readPem(certificate.key),
      ca: readPem(ca.file),
      requestCert: true,
      rejectUnauthorized: false,
    })
    listening.on('tlsClientError', () => undefined)
    listening.on('secureConnection', (socket) => {
      sockets.push(socket)
      seen.push({ socket, names: socket.getPeerX509Certificate()?.subjectAltName })
      socket.on('error', () => undefined)
      socket.on('data', (data) => events.emit('data', String(data), socket))
    })
    listening.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    after(() => void listening.close())
    return { port: (listening.address() as AddressInfo).port, seen, events }
  }

  function target(port: number, secure: AddressTarget['secure']): AddressTarget {
    const to = { host: '127.0.0.1', port }
    return secure === undefined
      ? { kind: 'address', transport: 'tls', to }
      : { kind: 'address', transport: 'tls', to, secure }
  }

  async function outcome(profile: Partial<TlsProfile>, certificate: TestCertificate, domain?: string): Promise<string> {
    const tls = storeOf({ profiles: { 'a.test/carrier': { verify: 'peer', names: [], ...profile } } })
    const { handler, transports } = await start({ tls })
    const carrier = await server(certificate)
    const got = once(carrier.events, 'data').then(() => 'sent')
    const secure = domain === undefined ? undefined : { domain, profile: 'a.test/carrier' }
    transports.send(1, target(carrier.port, secure), OPTIONS)
    const result = await Promise.race([got, handler.next('failed').then(([, cause]) => String(cause))])
    if (result !== 'sent') assert.match(handler.drops.join(), domain ? /trunk a\.test\/carrier/ : /tls-unverified/)
    return result
  }

  test('the certificate has to be of the domain that was looked up (RFC 5922 §7.2)', async () => {
    const certificate = ca.issue(['DNS:sbc.test', 'DNS:*.pool.test', 'IP:127.0.0.1'])
    assert.equal(await outcome({}, certificate, 'sbc.test'), 'sent')
    assert.equal(await outcome({}, certificate), 'sent')
    assert.match(await outcome({}, certificate, 'other.test'), /sbc\.test.*not of other\.test/)
    assert.match(await outcome({}, certificate, 'a.pool.test'), /not of a\.pool\.test/)
    assert.equal(await outcome({ names: ['*.pool.test'] }, certificate, 'a.pool.test'), 'sent')
  })

  test('a sip: URI in the certificate goes before its DNS names (RFC 5922 §7.1)', async () => {
    const certificate = ca.issue(['DNS:host.test', 'URI:sip:domain.test'])
    assert.equal(await outcome({}, certificate, 'domain.test'), 'sent')
    assert.match(await outcome({}, certificate, 'host.test'), /refused/)
  })

  test('an unknown CA, or one of the trunk’s own only', async () => {
    const strange = createTestCa()
    const certificate = strange.issue(['DNS:sbc.test'])
    assert.match(await outcome({}, certificate, 'sbc.test'), /certificate of sbc\.test is refused/)
    assert.equal(await outcome({ ca: strange.file }, certificate, 'sbc.test'), 'sent')
    assert.match(await outcome({ ca: strange.file }, ca.issue(['DNS:sbc.test']), 'sbc.test'), /refused/)
    assert.equal(await outcome({ verify: 'none' }, certificate, 'sbc.test'), 'sent')
    strange.remove()
  })

  test('our certificate is shown: the trunk’s own, else the first of the listeners', async () => {
    const own = ca.issue(['DNS:client.test'])
    const profiles = { own: { verify: 'peer', names: [], certificate: own } as const }
    const { transports } = await start({ tls: storeOf({ profiles }) })
    const carrier = await server(ca.issue(['DNS:sbc.test']))
    for (const secure of [{ domain: 'sbc.test', profile: 'own' }, { domain: 'sbc.test' }]) {
      transports.send(1, target(carrier.port, secure), OPTIONS)
      await once(carrier.events, 'data')
    }
    assert.deepEqual(
      carrier.seen.map(({ names }) => names),
      ['DNS:client.test', 'DNS:gw.test, IP Address:127.0.0.1'],
    )
  })

  test('a second message goes over the same connection, one for another domain only if the certificate is its too', async () => {
    const { transports } = await start()
    const carrier = await server(ca.issue(['DNS:sbc.test', 'DNS:also.test']))
    for (const domain of ['sbc.test', 'sbc.test', 'also.test']) {
      transports.send(1, target(carrier.port, { domain }), OPTIONS)
      await once(carrier.events, 'data')
    }
    assert.equal(carrier.seen.length, 1)
    const { transports: other, handler } = await start()
    other.send(1, target(carrier.port, { domain: 'sbc.test' }), OPTIONS)
    await once(carrier.events, 'data')
    other.send(2, target(carrier.port, { domain: 'third.test' }), OPTIONS)
    assert.equal((await handler.next('failed'))[0], 2)
  })

  test('a server that does not answer the handshake is given up in time', async () => {
    const { handler, transports } = await start({ limits: { connectTimeoutMs: 100 } })
    const mute = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
    await once(mute, 'listening')
    after(() => void mute.close())
    transports.send(5, target((mute.address() as AddressInfo).port, { domain: 'sbc.test' }), OPTIONS)
    assert.deepEqual(await handler.next('failed'), [5, 'no connection within 100 ms'])
  })

  test('a message that a peer closes on without a word is told as failed', async () => {
    const { handler, transports } = await start()
    const carrier = await server(ca.issue(['DNS:sbc.test']))
    carrier.events.once('data', (_data, socket: TLSSocket) => socket.destroy())
    transports.send(6, target(carrier.port, { domain: 'sbc.test' }), OPTIONS)
    assert.equal((await handler.next('failed'))[0], 6)
  })
})

describe('connection reuse', () => {
  test('requests go over a client’s connection where its certificate proves the domain (RFC 5923 §8), and end with it', async () => {
    const tls = storeOf({ clientCa: ca.file })
    const { handler, transports, port } = await start({ tls, listen: { clientCertificates: 'request' } })
    const client = await dial(port, certificateOf(ca.issue(['DNS:sbc.test'])))
    client.write(OPTIONS)
    const flow = await handler.flow()
    const to = { host: '127.0.0.1', port: 9 }
    const send = (id: number, domain: string): void =>
      transports.send(id, { kind: 'address', transport: 'tls', to, secure: { domain } }, OPTIONS)
    send(1, 'sbc.test')
    assert.equal((await handler.next('failed'))[0], 1, 'before it is asked for')
    transports.alias(flow.id, 9)
    send(2, 'sbc.test')
    assert.equal(String((await once(client, 'data'))[0]), OPTIONS)
    send(3, 'bank.test')
    assert.equal((await handler.next('failed'))[0], 3, 'a domain that is not in the certificate')
    client.destroy()
    await handler.next('closed')
    send(4, 'sbc.test')
    await handler.next('failed')
  })

  test('a response whose connection is gone goes to the address of the Via (RFC 3261 §18.2.2)', async () => {
    const { handler, transports } = await start({ listen: { transport: 'tcp' } })
    const phone = createServer((socket) => {
      sockets.push(socket)
      socket.on('data', (data) => phone.emit('message', String(data)))
    }).listen(0, '127.0.0.1')
    await once(phone, 'listening')
    after(() => void phone.close())
    const caller = plainConnect(transports.addresses[0]?.port ?? 0, '127.0.0.1')
    caller.write(OPTIONS)
    const flow = await handler.flow()
    caller.destroy()
    await handler.next('closed')
    const to = { host: '127.0.0.1', port: (phone.address() as AddressInfo).port }
    transports.send(1, { kind: 'flow', flow, otherwise: { kind: 'address', transport: 'tcp', to } }, 'SIP/2.0 200 OK')
    assert.equal((await once(phone, 'message'))[0], 'SIP/2.0 200 OK')
    transports.send(2, { kind: 'flow', flow }, 'SIP/2.0 200 OK')
    assert.equal((await handler.next('failed'))[0], 2)
  })
})

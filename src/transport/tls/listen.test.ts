import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { createTestCa } from '../../../test/support/certificates.ts'
import {
  ca,
  certificateOf,
  dial,
  gatewayCert,
  isClosed,
  OPTIONS,
  plainPeer,
  shownBy,
  start,
  storeOf,
} from '../../../test/support/tls-rig.ts'

describe('a TLS listener', () => {
  test('takes messages over TLS 1.2 and 1.3, and answers on the same connection', async () => {
    const { handler, transports, port } = await start()
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await dial(port, { maxVersion })
      assert.equal(socket.getProtocol(), maxVersion)
      socket.write(OPTIONS)
      const flow = await handler.flow()
      assert.deepEqual([flow.transport, flow.remote.port], ['tls', socket.localPort])
      transports.send(1, { kind: 'flow', flow }, 'answer')
      assert.equal(String((await once(socket, 'data'))[0]), 'answer')
    }
  })

  test('refuses TLS 1.1, and TLS 1.2 where 1.3 is the least', async () => {
    const { port } = await start()
    await assert.rejects(dial(port, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }))
    const strict = await start({ tls: storeOf({ minVersion: 'TLSv1.3' }) })
    await assert.rejects(dial(strict.port, { maxVersion: 'TLSv1.2' }))
  })

  test('shows the certificate of the host that the client names, else the first', async () => {
    const tenant = ca.issue(['DNS:sip.tenant.test', 'DNS:*.wild.test'])
    const { port } = await start({ tls: storeOf({ certificates: [gatewayCert, tenant] }) })
    const names: readonly (readonly [asked: string, shown: RegExp])[] = [
      ['gw.test', /gw\.test/],
      ['sip.tenant.test', /tenant/],
      ['SIP.Tenant.TEST', /tenant/],
      ['a.wild.test', /tenant/],
      ['b.a.wild.test', /gw\.test/],
      ['unknown.test', /gw\.test/],
      ['', /gw\.test/],
    ]
    for (const [servername, shown] of names) assert.match(shownBy(await dial(port, { servername })), shown, servername)
  })

  test('after a reload new handshakes see the new certificate, and a connection that is open goes on', async () => {
    const [first, second] = [ca.issue(['DNS:gw.test', 'DNS:first.test']), ca.issue(['DNS:gw.test', 'DNS:second.test'])]
    const { handler, transports, tls, port } = await start({ tls: storeOf({ certificates: [first] }) })
    const old = await dial(port)
    assert.match(shownBy(old), /first/)
    assert.equal(tls.reload().kind, 'unchanged')
    ca.replace(first, second)
    assert.equal(tls.reload().kind, 'changed')
    for (const servername of ['gw.test', '']) assert.match(shownBy(await dial(port, { servername })), /second/)
    old.write(OPTIONS)
    transports.send(1, { kind: 'flow', flow: await handler.flow() }, 'still here')
    assert.equal(String((await once(old, 'data'))[0]), 'still here')
  })

  test('files that cannot be used change nothing and are named', async () => {
    const [good, other] = [ca.issue(['DNS:gw.test', 'DNS:good.test']), ca.issue(['DNS:gw.test'])]
    const { tls, port } = await start({ tls: storeOf({ certificates: [good] }) })
    ca.replace({ ...good, key: `${good.key}.aside` }, other) // The key stays the old one's.
    const result = tls.reload()
    assert.ok(result.kind === 'failed' && result.problem.includes(good.cert), JSON.stringify(result))
    assert.match(shownBy(await dial(port)), /good/)
  })
})

describe('bad peers of a TLS listener', () => {
  test('plain text is counted and closed', async () => {
    const { handler, transports, port } = await start()
    const socket = plainPeer(port)
    socket.write(OPTIONS)
    assert.equal((await handler.next('dropped'))[0], 'tls-handshake-failed')
    await isClosed(socket)
    assert.equal(transports.connections, 0)
  })

  test('a peer that never begins its handshake is closed in time and counted', async () => {
    const { handler, port } = await start({ limits: { tlsHandshakeMs: 50 } })
    const socket = plainPeer(port)
    assert.equal((await handler.next('dropped'))[0], 'tls-handshake-timeout')
    await isClosed(socket)
  })

  test('handshakes at once are bounded, those of one address too; room comes back', async () => {
    for (const limits of [{ tlsHandshakes: 2 }, { connectionsPerAddress: 2 }]) {
      const { handler, port } = await start({ limits })
      const idle = [plainPeer(port), plainPeer(port)]
      await Promise.all(idle.map((socket) => once(socket, 'connect')))
      const third = plainPeer(port)
      assert.match(String((await handler.next('dropped'))[0]), /exhausted/)
      await isClosed(third)
      for (const socket of idle) {
        socket.write('not TLS')
        await handler.next('dropped')
      }
      await dial(port)
    }
  })

  test('an open connection counts once', async () => {
    const { handler, port } = await start({ limits: { connectionsPerAddress: 2 } })
    for (const socket of [await dial(port), await dial(port)]) {
      socket.write(OPTIONS)
      await handler.flow()
    }
    await assert.rejects(dial(port))
  })
})

describe('certificates of clients', () => {
  test('one that our CA proves says who the peer is; without one, nobody is known', async () => {
    const tls = storeOf({ clientCa: ca.file })
    const { handler, port } = await start({ tls, listen: { clientCertificates: 'request' } })
    const known = await dial(port, certificateOf(ca.issue(['DNS:sbc.carrier.test', 'URI:sip:carrier.test'])))
    known.write(OPTIONS)
    assert.deepEqual((await handler.flow()).identities, ['carrier.test'])
    const unknown = await dial(port)
    unknown.write(OPTIONS)
    assert.equal((await handler.flow()).identities, undefined)
  })

  test('one of another CA counts as none', async () => {
    const stranger = createTestCa()
    const tls = storeOf({ clientCa: ca.file })
    const { handler, port } = await start({ tls, listen: { clientCertificates: 'request' } })
    const socket = await dial(port, certificateOf(stranger.issue(['DNS:sbc.carrier.test'])))
    socket.write(OPTIONS)
    assert.equal((await handler.flow()).identities, undefined)
    stranger.remove()
  })

  test('where one is required, nobody gets in without', async () => {
    const tls = storeOf({ clientCa: ca.file })
    const { handler, port } = await start({ tls, listen: { clientCertificates: 'require' } })
    const without = (await dial(port)).resume()
    assert.equal((await handler.next('dropped'))[0], 'tls-certificate-missing')
    await isClosed(without)
    const known = await dial(port, certificateOf(ca.issue(['DNS:sbc.carrier.test'])))
    known.write(OPTIONS)
    assert.deepEqual((await handler.flow()).identities, ['sbc.carrier.test'])
  })
})

import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { seededRandom } from '../../../../../test/support/random.ts'
import { createCertificate } from './certificate.ts'
import { DtlsEndpoint, type DtlsOutput } from './endpoint.ts'
import type { SrtpKeys } from './key-schedule.ts'

const alice = createCertificate(Date.UTC(2026, 0, 1))
const bob = createCertificate(Date.UTC(2026, 0, 1))

interface Pair {
  readonly client: DtlsEndpoint
  readonly server: DtlsEndpoint
}

function pair(overrides: { clientExpects?: typeof alice; serverExpects?: typeof alice } = {}): Pair {
  const clientExpects = overrides.clientExpects ?? bob
  const serverExpects = overrides.serverExpects ?? alice
  return {
    client: new DtlsEndpoint({ role: 'client', certificate: alice, peerFingerprints: [clientExpects.fingerprint] }),
    server: new DtlsEndpoint({ role: 'server', certificate: bob, peerFingerprints: [serverExpects.fingerprint] }),
  }
}

interface Run {
  readonly client: DtlsOutput[]
  readonly server: DtlsOutput[]
  readonly tookMs: number
}

type Deliver = (datagram: Buffer, index: number, to: DtlsEndpoint) => readonly Buffer[]

/** Runs both ends over a path of no delay; `deliver` decides what becomes of each datagram. Time jumps to deadlines. */
function run({ client, server }: Pair, deliver: Deliver = (datagram) => [datagram]): Run {
  const outputs = { client: [] as DtlsOutput[], server: [] as DtlsOutput[] }
  let now = 1_000
  let sent = 0
  const pump = (): void => {
    for (let busy = true; busy; ) {
      busy = false
      for (const [from, to, log] of [
        [client, server, outputs.client],
        [server, client, outputs.server],
      ] as const) {
        for (let out = from.poll(); out !== undefined; out = from.poll()) {
          busy = true
          log.push(out)
          if (out.kind !== 'send') continue
          for (const datagram of deliver(out.datagram, sent++, to)) to.handle(datagram, now)
        }
      }
    }
  }
  server.start(now)
  client.start(now)
  pump()
  for (let rounds = 0; rounds < 200; rounds++) {
    const next = Math.min(client.deadline() ?? Number.POSITIVE_INFINITY, server.deadline() ?? Number.POSITIVE_INFINITY)
    if (next === Number.POSITIVE_INFINITY) break
    now = next
    client.wake(now)
    server.wake(now)
    pump()
  }
  return { ...outputs, tookMs: now - 1_000 }
}

function keysOf(outputs: readonly DtlsOutput[]): SrtpKeys {
  const connected = outputs.find((out) => out.kind === 'connected')
  assert.ok(connected?.kind === 'connected', JSON.stringify(outputs.filter((out) => out.kind !== 'send')))
  return connected.keys
}

function assertAgreed(result: Run): void {
  const client = keysOf(result.client)
  const server = keysOf(result.server)
  assert.deepEqual(client.local, server.remote)
  assert.deepEqual(client.remote, server.local)
  assert.notDeepEqual(client.local, client.remote)
  assert.equal(client.suite, server.suite)
}

describe('DTLS 1.2', () => {
  test('our certificate is a readable self-signed one, and its fingerprint is that of its bytes', () => {
    const parsed = new X509Certificate(alice.der)
    assert.ok(parsed.verify(parsed.publicKey))
    assert.equal(parsed.fingerprint256, alice.fingerprint.value)
  })

  test('both ends agree on SRTP keys, GCM preferred', () => {
    const result = run(pair())
    assertAgreed(result)
    assert.equal(keysOf(result.client).suite, 'AEAD_AES_128_GCM')
    assert.equal(result.tookMs, 0)
  })

  for (const lost of [0, 1, 2, 3, 4]) {
    test(`loss of datagram ${lost} delays the handshake by less than half a second`, () => {
      const result = run(pair(), (datagram, index) => (index === lost ? [] : [datagram]))
      assertAgreed(result)
      assert.ok(result.tookMs < 500, `${result.tookMs} ms`)
    })
  }

  test('each datagram twice, each time: the same keys', () => {
    assertAgreed(run(pair(), (datagram) => [datagram, datagram]))
  })

  test('RFC 6347 §4.2.3: a hello cut into pieces of 40 bytes and sent backwards is put together', () => {
    assertAgreed(run(pair(), (datagram, index) => (index === 0 ? recut(datagram, 40).reverse() : [datagram])))
  })

  test('a Finished that overtakes the key exchange waits for it', () => {
    const result = run(pair(), (datagram) => splitRecords(datagram).reverse())
    assertAgreed(result)
  })

  test('the client refuses a server with another certificate', () => {
    const { client, server } = pair({ clientExpects: alice })
    const result = run({ client, server })
    assert.equal(client.state, 'failed')
    assert.match(failure(result.client), /fingerprint/)
    assert.notEqual(server.state, 'connected')
  })

  test('the server refuses a client with another certificate', () => {
    const { client, server } = pair({ serverExpects: bob })
    const result = run({ client, server })
    assert.equal(server.state, 'failed')
    assert.match(failure(result.server), /fingerprint/)
    assert.notEqual(client.state, 'connected')
  })

  test('a server that shows the right certificate without its key is refused', () => {
    const thief = { ...bob, privateKey: alice.privateKey }
    const server = new DtlsEndpoint({ role: 'server', certificate: thief, peerFingerprints: [alice.fingerprint] })
    const client = new DtlsEndpoint({ role: 'client', certificate: alice, peerFingerprints: [bob.fingerprint] })
    assert.match(failure(run({ client, server }).client), /hold the key/)
  })

  test('a client that shows the right certificate without its key is refused', () => {
    const thief = { ...alice, privateKey: bob.privateKey }
    const server = new DtlsEndpoint({ role: 'server', certificate: bob, peerFingerprints: [alice.fingerprint] })
    const client = new DtlsEndpoint({ role: 'client', certificate: thief, peerFingerprints: [bob.fingerprint] })
    assert.match(failure(run({ client, server }).server), /hold the key/)
  })

  test('RFC 8122 §5.1: sha-384 and sha-512 fingerprints count, and the strongest known one decides', () => {
    const value = (hash: string) => {
      const hex = createHash(hash).update(alice.der).digest('hex').toUpperCase()
      return hex.match(/../g)?.join(':') ?? ''
    }
    const serverWith = (fingerprints: readonly { algorithm: string; value: string }[]) =>
      run({
        client: pair().client,
        server: new DtlsEndpoint({ role: 'server', certificate: bob, peerFingerprints: fingerprints }),
      })
    assertAgreed(serverWith([{ algorithm: 'sha-512', value: value('sha512') }]))
    assertAgreed(serverWith([{ algorithm: 'SHA-384', value: value('sha384').toLowerCase() }]))
    assert.match(failure(serverWith([{ algorithm: 'sha-1', value: value('sha1') }]).server), /fingerprint/)
    const mixed = [alice.fingerprint, { algorithm: 'sha-512', value: value('sha256') }]
    assert.match(failure(serverWith(mixed).server), /fingerprint/)
  })

  test('every flipped bit of every datagram is survived: the repetition wins', () => {
    for (let seed = 0; seed < 40; seed++) {
      const result = run(pair(), (datagram, index) => {
        if (index !== seed % 4) return [datagram]
        const broken = Buffer.from(datagram)
        const at = (seed * 7_919) % (broken.length * 8)
        broken[at >> 3] = (broken[at >> 3] ?? 0) ^ (1 << (at & 7))
        return [broken]
      })
      const ends = [...result.client, ...result.server].filter((out) => out.kind !== 'send')
      assert.ok(ends.length > 0, `seed ${seed}: neither connected nor failed`)
    }
  })

  test('garbage before, between and after changes nothing', () => {
    const { client, server } = pair()
    const garbage = [Buffer.alloc(0), Buffer.alloc(13, 22), Buffer.from('16fefd000000000000000100ff', 'hex')]
    const epochOne = Buffer.from('17fefd00010000000000010004deadbeef', 'hex')
    assertAgreed(run({ client, server }, (datagram) => [...garbage, epochOne, datagram, epochOne]))
    server.handle(epochOne, 5_000)
    assert.equal(server.poll(), undefined)
    assert.equal(server.state, 'connected')
    assert.ok(server.discarded > 0)
  })

  test('once connected, a client answers no repetition: nobody can have it send certificates again and again', () => {
    const { client, server } = pair()
    const { server: sent } = run({ client, server })
    for (const out of sent) {
      if (out.kind === 'send') client.handle(out.datagram, 5_000)
    }
    assert.equal(client.poll(), undefined)
  })

  test('a plain-text alert cannot end an established association, an encrypted close_notify does', () => {
    const { client, server } = pair()
    run({ client, server })
    server.handle(Buffer.from('15fefd000000000000000900020228', 'hex'), 5_000)
    assert.equal(server.state, 'connected')
    client.close()
    const goodbye = client.poll()
    assert.ok(goodbye?.kind === 'send')
    server.handle(goodbye.datagram, 5_000)
    assert.deepEqual(server.poll(), { kind: 'closed' })
  })

  test('with 20 % loss, 10 % duplicates and 10 % late datagrams every handshake ends well, most within half a second', () => {
    const times: number[] = []
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed)
      const lateTo = new Map<DtlsEndpoint, Buffer[]>()
      const result = run(pair(), (datagram, _index, to) => {
        const late = lateTo.get(to) ?? []
        lateTo.set(to, late)
        const fate = random.fraction()
        if (fate < 0.2) return []
        if (fate < 0.3) {
          late.push(datagram)
          return []
        }
        return [...(fate < 0.4 ? [datagram, datagram] : [datagram]), ...late.splice(0)]
      })
      assertAgreed(result)
      times.push(result.tookMs)
    }
    times.sort((a, b) => a - b)
    assert.ok((times[100] ?? 0) <= 500, `median ${times[100]} ms`)
    assert.ok((times[190] ?? 0) < 3_000, `p95 ${times[190]} ms`)
    assert.ok((times[199] ?? 0) < 15_000, `worst ${times[199]} ms`)
  })

  test('a peer that never answers is given up after 30 s', () => {
    const { client } = pair()
    const server = new DtlsEndpoint({ role: 'server', certificate: bob, peerFingerprints: [alice.fingerprint] })
    const result = run({ client, server }, () => [])
    assert.equal(result.tookMs, 30_000)
    assert.match(failure(result.client), /too long/)
    const datagrams = result.client.filter((out) => out.kind === 'send').length
    assert.ok(datagrams < 50, `${datagrams} datagrams`)
  })
})

function failure(outputs: readonly DtlsOutput[]): string {
  const failed = outputs.find((out) => out.kind === 'failed')
  return failed?.kind === 'failed' ? failed.reason : 'did not fail'
}

/** One datagram per record. */
function splitRecords(datagram: Buffer): Buffer[] {
  const out: Buffer[] = []
  for (let at = 0; at < datagram.length; ) {
    const end = at + 13 + datagram.readUInt16BE(at + 11)
    out.push(datagram.subarray(at, end))
    at = end
  }
  return out
}

/** The single handshake message of a datagram in fragments of `size` bytes, a datagram each. */
function recut(datagram: Buffer, size: number): Buffer[] {
  const handshake = datagram.subarray(13)
  const body = handshake.subarray(12)
  const out: Buffer[] = []
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size)
    const header = Buffer.from(handshake.subarray(0, 12))
    header.writeUIntBE(at, 6, 3)
    header.writeUIntBE(piece.length, 9, 3)
    const record = Buffer.from(datagram.subarray(0, 13))
    record.writeUIntBE(out.length, 5, 6)
    record.writeUInt16BE(12 + piece.length, 11)
    out.push(Buffer.concat([record, header, piece]))
  }
  return out
}

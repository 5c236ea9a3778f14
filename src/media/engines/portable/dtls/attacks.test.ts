import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createCertificate } from './certificate.ts'
import { ClientHandshake } from './client-handshake.ts'
import { type FlightItem, HandshakeFailure, type HandshakeStep } from './handshake.ts'
import { HANDSHAKE, type HandshakeMessage } from './handshake-message.ts'
import { CURVES, createKeyShare } from './key-agreement.ts'
import { ServerHandshake } from './server-handshake.ts'
import { DecodeError } from './wire.ts'

const alice = createCertificate(Date.UTC(2026, 0, 1))
const bob = createCertificate(Date.UTC(2026, 0, 1))
const client = () => new ClientHandshake({ certificate: alice, peerFingerprints: [bob.fingerprint] })
const server = () => new ServerHandshake({ certificate: bob, peerFingerprints: [alice.fingerprint] })

const isMessage = (item: FlightItem): item is FlightItem & { kind: 'message' } => item.kind === 'message'
const messages = ({ flight = [] }: HandshakeStep): HandshakeMessage[] =>
  flight.filter(isMessage).map(({ message }) => message)

/** An extension of a hello replaced; `undefined` takes it out. The extensions are the last block of both hellos. */
function withExtension(hello: HandshakeMessage, type: number, data: Buffer | undefined): HandshakeMessage {
  const { body } = hello
  const at = extensionsAt(hello)
  const kept: Buffer[] = []
  for (let from = at + 2; from < body.length; ) {
    const end = from + 4 + body.readUInt16BE(from + 2)
    if (body.readUInt16BE(from) !== type) kept.push(body.subarray(from, end))
    from = end
  }
  if (data !== undefined) kept.push(Buffer.concat([u16(type), u16(data.length), data]))
  const block = Buffer.concat(kept)
  return { ...hello, body: Buffer.concat([body.subarray(0, at), u16(block.length), block]) }
}

function extensionsAt({ type, body }: HandshakeMessage): number {
  let at = 34 + 1 + body.readUInt8(34)
  if (type === HANDSHAKE.serverHello) return at + 3
  at += 1 + body.readUInt8(at)
  at += 2 + body.readUInt16BE(at)
  return at + 1 + body.readUInt8(at)
}

function u16(value: number): Buffer {
  const out = Buffer.alloc(2)
  out.writeUInt16BE(value)
  return out
}

const SRTP = 14
const GROUPS = 10
const SIGNATURES = 13
const RENEGOTIATION = 0xff01

/** Messages of a client up to its hello, and of the server's answer to it. */
function hellos() {
  const [clientHello] = messages(client().start())
  assert.ok(clientHello)
  return { clientHello }
}

/** The server's first flight, to a client that waits for it. */
function serverFlight() {
  const waiting = client()
  const [hello] = messages(waiting.start())
  assert.ok(hello)
  const [serverHello, certificate, keyExchange, request, done] = messages(server().onMessage(hello))
  assert.ok(serverHello && certificate && keyExchange && request && done)
  return { waiting, serverHello, certificate, keyExchange, request, done }
}

/** The client's second flight, to a server that waits for it. */
function clientFlight() {
  const [asks, waits] = [client(), server()]
  let flight: HandshakeMessage[] = []
  for (const hello of messages(asks.start())) {
    for (const message of messages(waits.onMessage(hello))) {
      const answer = messages(asks.onMessage(message))
      if (answer.length > 0) flight = answer
    }
  }
  const [certificate, keyExchange, verify, finished] = flight
  assert.ok(certificate && keyExchange && verify && finished)
  return { waits, certificate, keyExchange, verify, finished }
}

describe('a server refuses a hello', () => {
  const { clientHello } = hellos()
  const cases: readonly (readonly [string, HandshakeMessage])[] = [
    ['without use_srtp: RFC 5764 §4.1, no keys without it', withExtension(clientHello, SRTP, undefined)],
    [
      'with profiles we do not have, NULL among them',
      withExtension(clientHello, SRTP, Buffer.from('00040005000600', 'hex')),
    ],
    ['with curves we do not have', withExtension(clientHello, GROUPS, Buffer.from('000400190018', 'hex'))],
    ['without curves', withExtension(clientHello, GROUPS, undefined)],
    ['with SHA-1 signatures only', withExtension(clientHello, SIGNATURES, Buffer.from('00020203', 'hex'))],
    [
      'that renegotiates: RFC 5746 §3.6',
      withExtension(clientHello, RENEGOTIATION, Buffer.from('0c000000000000000000000000', 'hex')),
    ],
  ]
  for (const [what, hello] of cases) {
    test(what, () => assert.throws(() => server().onMessage(hello), HandshakeFailure))
  }

  test('with NULL ciphers only', () => {
    const { body } = clientHello
    const at = 34 + 1 + body.readUInt8(34)
    const ciphers = at + 1 + body.readUInt8(at)
    const end = ciphers + 2 + body.readUInt16BE(ciphers)
    const weak = Buffer.concat([body.subarray(0, ciphers), Buffer.from('000400010002', 'hex'), body.subarray(end)])
    assert.throws(() => server().onMessage({ ...clientHello, body: weak }), HandshakeFailure)
  })

  test('with an extension twice, or bytes behind the last: nothing is taken', () => {
    const { body } = clientHello
    const at = extensionsAt(clientHello)
    const once = withExtension(clientHello, SRTP, undefined).body.subarray(at + 2)
    const one = Buffer.concat([u16(SRTP), u16(5), Buffer.from('0002000700', 'hex')])
    const block = Buffer.concat([once, one, one])
    const twice = Buffer.concat([body.subarray(0, at), u16(block.length), block])
    assert.throws(() => server().onMessage({ ...clientHello, body: twice }), DecodeError)
    assert.throws(
      () => server().onMessage({ ...clientHello, body: Buffer.concat([body, Buffer.alloc(3)]) }),
      DecodeError,
    )
  })
})

describe('a client refuses a server', () => {
  for (const [what, data] of [
    ['that does not agree on use_srtp', undefined],
    ['that chose a profile nobody offered', '00020005' + '00'],
    ['that chose two profiles', '000400070001' + '00'],
    ['that wants a key identifier in every packet: RFC 5764 §4.1.3', '00020007' + '0401020304'],
  ] as const) {
    test(what, () => {
      const { waiting, serverHello } = serverFlight()
      const changed = withExtension(serverHello, SRTP, data === undefined ? undefined : Buffer.from(data, 'hex'))
      assert.throws(() => waiting.onMessage(changed), HandshakeFailure)
    })
  }

  test('that renegotiates', () => {
    const { waiting, serverHello } = serverFlight()
    const data = Buffer.from('0100', 'hex')
    assert.throws(() => waiting.onMessage(withExtension(serverHello, RENEGOTIATION, data)), HandshakeFailure)
  })

  test('that chose a cipher for another kind of key than it has', () => {
    const { waiting, serverHello, certificate } = serverFlight()
    const body = Buffer.from(serverHello.body)
    body.writeUInt16BE(0xc02f, extensionsAt(serverHello) - 3)
    waiting.onMessage({ ...serverHello, body })
    assert.throws(() => waiting.onMessage(certificate), HandshakeFailure)
  })

  test('whose key exchange was changed: curve, point or signature', () => {
    for (const at of [0, 2, 10, -1]) {
      const { waiting, serverHello, certificate, keyExchange } = serverFlight()
      waiting.onMessage(serverHello)
      waiting.onMessage(certificate)
      const body = Buffer.from(keyExchange.body)
      const index = at < 0 ? body.length + at : at
      body[index] = (body[index] ?? 0) ^ 1
      assert.throws(() => waiting.onMessage({ ...keyExchange, body }), /./, `byte ${at}`)
      assert.throws(() => waiting.onMessage({ ...keyExchange, type: HANDSHAKE.serverHelloDone, body: Buffer.alloc(0) }))
    }
  })

  test('that leaves messages out', () => {
    const { waiting, serverHello, certificate, keyExchange, done } = serverFlight()
    for (const early of [certificate, keyExchange, done]) assert.throws(() => waiting.onMessage(early), DecodeError)
    waiting.onMessage(serverHello)
    for (const early of [serverHello, keyExchange, done]) assert.throws(() => waiting.onMessage(early), DecodeError)
    waiting.onMessage(certificate)
    for (const early of [certificate, done]) assert.throws(() => waiting.onMessage(early), DecodeError)
  })
})

describe('a server refuses a client', () => {
  test('that leaves out its certificate, its proof of the key or its Finished', () => {
    const { waits, certificate, keyExchange, verify, finished } = clientFlight()
    for (const early of [keyExchange, verify, finished]) assert.throws(() => waits.onMessage(early), DecodeError)
    waits.onMessage(certificate)
    for (const early of [certificate, verify, finished]) assert.throws(() => waits.onMessage(early), DecodeError)
    waits.onMessage(keyExchange)
    for (const early of [keyExchange, finished]) assert.throws(() => waits.onMessage(early), DecodeError)
    waits.onMessage(verify)
    for (const early of [verify, certificate]) assert.throws(() => waits.onMessage(early), DecodeError)
    assert.ok(waits.onMessage(finished).connected)
    for (const late of [finished, hellos().clientHello]) assert.throws(() => waits.onMessage(late), DecodeError)
  })

  test('that has no certificate at all', () => {
    const { waits, certificate } = clientFlight()
    assert.throws(() => waits.onMessage({ ...certificate, body: Buffer.alloc(3) }), HandshakeFailure)
  })

  test('whose proof or Finished is another’s', () => {
    const one = clientFlight()
    const other = clientFlight()
    one.waits.onMessage(one.certificate)
    one.waits.onMessage(one.keyExchange)
    assert.throws(() => one.waits.onMessage(other.verify), HandshakeFailure)
    const { waits, certificate, keyExchange, verify, finished } = clientFlight()
    for (const message of [certificate, keyExchange, verify]) waits.onMessage(message)
    assert.throws(() => waits.onMessage({ ...finished, body: Buffer.alloc(12) }), HandshakeFailure)
    assert.throws(() => waits.onMessage({ ...finished, body: Buffer.alloc(0) }), HandshakeFailure)
  })
})

describe('key shares', () => {
  /** Points of small order: whoever sends one knows the shared secret (RFC 7748 §6.1). */
  const weak = [
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    `ec${'ff'.repeat(30)}7f`,
  ]
  for (const point of weak) {
    test(`X25519 ${point.slice(0, 8)}… is refused`, () => {
      assert.throws(() => createKeyShare(CURVES.x25519).agree(Buffer.from(point, 'hex')), DecodeError)
    })
  }

  test('P-256 takes whole points of the curve only: not infinity, no other curve, not compressed', () => {
    const share = createKeyShare(CURVES.secp256r1)
    const good = createKeyShare(CURVES.secp256r1).publicKey
    assert.equal(share.agree(good).length, 32)
    const off = Buffer.from(good)
    off[64] = (off[64] ?? 0) ^ 1
    const compressed = Buffer.concat([Buffer.from([2 + ((good[64] ?? 0) & 1)]), good.subarray(1, 33)])
    for (const bad of [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(65, 4), off, compressed, good.subarray(0, 64)]) {
      assert.throws(() => share.agree(bad), DecodeError, bad.toString('hex'))
    }
  })
})

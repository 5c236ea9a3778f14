import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRequest, type Flow, type HeaderField, type SipRequest } from '../sip/index.ts'
import { Registrar } from './index.ts'

const WHO = { tenant: 'one.test', user: 'alice' }

const flow = (transport: Flow['transport'], port = 4_000): Flow => ({
  id: `${transport}:${port}`,
  transport,
  local: { host: '192.0.2.1', port: 5_060 },
  remote: { host: '192.0.2.9', port },
})

interface Parts {
  readonly contact: string
  readonly via?: string
  readonly more?: readonly HeaderField[]
}

function register({ contact, via = '192.0.2.9:4000', more = [] }: Parts, sequence = 1): SipRequest {
  const headers: HeaderField[] = [
    { name: 'Via', value: `SIP/2.0/UDP ${via};branch=z9hG4bK1` },
    { name: 'From', value: '<sip:alice@one.test>;tag=1' },
    { name: 'To', value: '<sip:alice@one.test>' },
    { name: 'Call-ID', value: 'c' },
    { name: 'CSeq', value: `${sequence} REGISTER` },
    { name: 'Contact', value: `<${contact}>` },
    ...more,
  ]
  return createRequest({ method: 'REGISTER', uri: 'sip:one.test', headers })
}

/** `flow`, or the address as `udp:host:port`; nothing if nobody can be rung. */
function told(registrar: Registrar): string | undefined {
  const [contact] = registrar.contacts('one.test', 'alice', 1)
  if (contact === undefined) return undefined
  const { target } = contact
  return target.kind === 'flow' ? 'flow' : `${target.transport}:${target.to.host}:${target.to.port}`
}

const cases: readonly (readonly [why: string, transport: Flow['transport'], parts: Parts, rung: string])[] = [
  ['a phone that registers from the port it listens on', 'udp', { contact: 'sip:a@192.0.2.9:4000' }, 'flow'],
  ['a phone that listens on another port', 'udp', { contact: 'sip:a@192.0.2.9:5080' }, 'udp:192.0.2.9:5080'],
  ['a phone that wants TCP', 'udp', { contact: 'sip:a@192.0.2.9;transport=tcp' }, 'tcp:192.0.2.9:5060'],
  ['a NAT changed the port', 'udp', { contact: 'sip:a@192.0.2.9:5080', via: '192.0.2.9:5080' }, 'flow'],
  ['a NAT changed the address', 'udp', { contact: 'sip:a@10.0.0.5:5080', via: '10.0.0.5:5080' }, 'flow'],
  ['another host: our requests are not aimed by users', 'udp', { contact: 'sip:a@192.0.2.77:4000' }, 'flow'],
  ['another host, hidden in maddr', 'udp', { contact: 'sip:a@192.0.2.9:5080;maddr=192.0.2.77' }, 'flow'],
  ['a transport we have not', 'udp', { contact: 'sip:a@192.0.2.9:5080;transport=sctp' }, 'flow'],
  ['an open TCP connection', 'tcp', { contact: 'sip:a@192.0.2.9:5080;transport=tcp' }, 'flow'],
  ['a browser', 'ws', { contact: 'sip:a@x1.invalid;transport=ws', via: 'x1.invalid' }, 'flow'],
]

for (const [why, transport, parts, rung] of cases) {
  test(`${why}: rung at ${rung}`, () => {
    const registrar = new Registrar()
    registrar.register(register(parts), flow(transport), WHO, 0)
    assert.equal(told(registrar), rung)
  })
}

test('a phone that closes its TCP connection is called back where its Contact says (RFC 3261 §18.1.1)', () => {
  const registrar = new Registrar({ graceMs: 10 })
  registrar.register(register({ contact: 'sip:a@192.0.2.9:5080;transport=tcp' }), flow('tcp'), WHO, 0)
  registrar.flowClosed('tcp:4000', 1)
  registrar.expire(1_000)
  assert.equal(told(registrar), 'tcp:192.0.2.9:5080')
})

test('behind a NAT a closed TCP connection is the end of it', () => {
  const registrar = new Registrar({ graceMs: 10 })
  registrar.register(register({ contact: 'sip:a@10.0.0.5;transport=tcp', via: '10.0.0.5' }), flow('tcp'), WHO, 0)
  registrar.flowClosed('tcp:4000', 0)
  assert.equal(told(registrar), undefined)
  assert.equal(registrar.list(10).length, 0)
})

test('a Path becomes the Route of calls, by the way the REGISTER came, and is told back (RFC 3327)', () => {
  const registrar = new Registrar()
  const more = [
    { name: 'Path', value: '<sip:edge.test;lr>' },
    { name: 'Supported', value: 'path' },
  ]
  const { headers } = registrar.register(register({ contact: 'sip:a@192.0.2.9:5080', more }), flow('udp'), WHO, 0)
  assert.deepEqual(headers.at(-1), { name: 'Path', value: '<sip:edge.test;lr>' })
  assert.deepEqual(registrar.contacts('one.test', 'alice', 1)[0]?.path, ['<sip:edge.test;lr>'])
  assert.equal(told(registrar), 'flow')
})

const malformed: readonly (readonly [what: string, parts: Parts])[] = [
  ['a Contact that is no SIP address', { contact: 'tel:+15550100' }],
  ['a Path that is none', { contact: 'sip:a@x', more: [{ name: 'Path', value: '<mailto:x@y>' }] }],
  ['a Path without URI', { contact: 'sip:a@x', more: [{ name: 'Path', value: 'garbage' }] }],
]

for (const [what, parts] of malformed) {
  test(`${what} is refused, and nothing is kept`, () => {
    const registrar = new Registrar()
    const run = () => registrar.register(register(parts), flow('udp'), WHO, 0)
    assert.throws(run, { code: 'SIP_MALFORMED_MESSAGE' })
    assert.equal(registrar.count, 0)
  })
}

test('a page that was reloaded many times does not lock its user out', () => {
  const registrar = new Registrar({ contactsPerUser: 3 })
  for (let n = 1; n <= 8; n++) {
    const socket = { ...flow('ws'), id: `ws:${n}` }
    const { status } = registrar.register(register({ contact: `sip:a@x${n}.invalid` }, n), socket, WHO, n)
    assert.equal(status, 200)
    registrar.flowClosed(socket.id, n)
  }
  assert.equal(registrar.count, 3)
})

test('hundreds of contacts at once are refused before they are compared', () => {
  const more = Array.from({ length: 400 }, (_, n) => ({ name: 'Contact', value: `<sip:${n}@x>` }))
  const { status } = new Registrar().register(register({ contact: 'sip:a@x', more }), flow('udp'), WHO, 0)
  assert.equal(status, 403)
})

test('closing connections costs by what closed, not by what is there', () => {
  const registrar = new Registrar({ graceMs: 1_000 })
  const many = 20_000
  for (let n = 0; n < many; n++) {
    const who = { tenant: 'one.test', user: `u${n}` }
    registrar.register(register({ contact: `sip:a@x${n}.invalid` }), { ...flow('ws'), id: `ws:${n}` }, who, 0)
  }
  const before = process.cpuUsage()
  for (let n = 0; n < 2_000; n++) {
    registrar.flowClosed(`ws:${n}`, n)
    registrar.expire(n)
  }
  registrar.expire(4_000)
  // A sweep of everything for each of them took minutes.
  assert.ok(process.cpuUsage(before).user < 2_000_000)
  assert.equal(registrar.count, many - 2_000)
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CoreRig, counting, digestAnswer, exampleTenant, header, type RigPeer } from '../../test/support/core-rig.ts'

const ALICE = { user: 'alice', password: 'wonderland' }
const TEXT = { 'Content-Type': 'text/plain' }
const BOB = 'sip:bob@example.test'
const DAY_MS = 86_400_000

interface Scene {
  readonly rig: CoreRig
  readonly alice: RigPeer
  readonly bob: RigPeer
}

function scene(options: ConstructorParameters<typeof CoreRig>[0] = {}): Scene {
  const rig = new CoreRig(options)
  return { rig, alice: rig.peer('198.51.100.6'), bob: rig.peer('198.51.100.7') }
}

const write = (alice: RigPeer, text: string, headers: Readonly<Record<string, string>> = {}, to = BOB): Promise<void> =>
  alice.authenticated('MESSAGE', to, ALICE, { ...TEXT, ...headers }, text)

const bodyOf = (message: string): string => message.slice(message.indexOf('\r\n\r\n') + 4)

/** Takes messages and says yes to each until no more comes. */
async function readAll(peer: RigPeer): Promise<readonly string[]> {
  const read: string[] = []
  while (peer.inbox.some((message) => message.startsWith('MESSAGE'))) {
    const message = peer.take('MESSAGE')
    read.push(bodyOf(message))
    await peer.send(peer.response(message, '200 OK'))
  }
  return read
}

describe('MESSAGE to a user who is there (RFC 3428)', () => {
  test('comes in the sender’s name with what belongs to it, and 200 goes back when it was taken', async () => {
    const { rig, alice, bob } = scene()
    await bob.register('bob', 'builder')
    await write(alice, 'hello', { Subject: 'greeting', 'X-Own': 'no', From: '"Al" <sip:alice@example.test>;tag=a1' })
    assert.deepEqual(alice.inbox, [], 'nobody has taken it yet')
    const message = bob.take('MESSAGE sip:peer@198.51.100.7:5060 SIP/2.0')
    assert.equal(bodyOf(message), 'hello')
    assert.match(header(message, 'From'), /^"Al" <sip:alice@example\.test>;tag=/)
    assert.equal(header(message, 'To'), '<sip:bob@example.test>')
    assert.deepEqual(
      ['Content-Type', 'Subject', 'Max-Forwards', 'X-Own', 'Contact'].map((name) => header(message, name)),
      ['text/plain', 'greeting', '69', '', ''],
    )
    await bob.send(bob.response(message, '200 OK'))
    assert.notEqual(header(alice.take('SIP/2.0 200'), 'To'), '<sip:bob@example.test>', 'has a tag')
    await rig.advance(40_000)
    assert.deepEqual([rig.core.counts().transactions, rig.core.kept().messages, rig.core.deadline()], [0, 0, 600_000])
  })

  test('goes to all of his phones; one that takes it is enough', async () => {
    const { rig, alice, bob } = scene()
    const desk = rig.peer('198.51.100.8')
    const page = rig.peer('198.51.100.9', 'ws', 40_000)
    for (const each of [bob, desk, page]) await each.register('bob', 'builder')
    await write(alice, 'hello')
    await desk.send(desk.response(desk.take('MESSAGE'), '405 Method Not Allowed'))
    assert.deepEqual(alice.inbox, [])
    await page.send(page.response(page.take('MESSAGE'), '200 OK'))
    alice.take('SIP/2.0 200')
    await bob.send(bob.response(bob.take('MESSAGE'), '200 OK'))
    await rig.advance(40_000)
    assert.deepEqual(alice.inbox, [], 'one answer')
    assert.equal(rig.core.counts().transactions, 0)
  })

  test('that none of his phones wants is refused as they say', async () => {
    const { rig, alice, bob } = scene()
    const desk = rig.peer('198.51.100.8')
    for (const each of [bob, desk]) await each.register('bob', 'builder')
    await write(alice, 'hello')
    await desk.send(desk.response(desk.take('MESSAGE'), '486 Busy Here'))
    await bob.send(bob.response(bob.take('MESSAGE'), '415 Unsupported Media Type'))
    alice.take('SIP/2.0 415')
    assert.equal(rig.core.kept().messages, 0)
  })

  test('whose phone says nothing is kept after 10 s: 202, and again at his next REGISTER', async () => {
    const { rig, alice, bob } = scene()
    await bob.register('bob', 'builder')
    await write(alice, 'hello')
    await rig.advance(9_999)
    assert.deepEqual(alice.inbox, [])
    await rig.advance(1)
    alice.take('SIP/2.0 202')
    await rig.advance(60_000)
    bob.inbox.length = 0
    await bob.register('bob', 'builder')
    assert.deepEqual(await readAll(bob), ['hello'])
    assert.equal(rig.core.kept().messages, 0)
  })

  test('that a slow phone takes after all is not kept any longer', async () => {
    const { rig, alice, bob } = scene()
    await bob.register('bob', 'builder')
    await write(alice, 'hello')
    await rig.advance(12_000)
    alice.take('SIP/2.0 202')
    await bob.send(bob.response(bob.take('MESSAGE'), '200 OK'))
    assert.equal(rig.core.kept().messages, 0)
  })
})

describe('MESSAGE to a user who is not there (RFC 3428 §7)', () => {
  test('202; all come in their order with the dates they were written when he registers', async () => {
    const { rig, alice, bob } = scene()
    for (const text of ['one', 'two', 'three']) {
      await write(alice, text)
      alice.take('SIP/2.0 202')
      await rig.advance(60_000)
    }
    await write(alice, 'four', { Date: 'Sat, 01 Jan 2000 00:00:00 GMT' })
    alice.take('SIP/2.0 202')
    assert.equal(rig.core.kept().messages, 4)
    await bob.register('bob', 'builder')
    const dates: string[] = []
    const texts: string[] = []
    for (let n = 0; n < 4; n++) {
      assert.equal(bob.inbox.length, 1, 'one after the other')
      const message = bob.take('MESSAGE')
      dates.push(header(message, 'Date'))
      texts.push(bodyOf(message))
      await bob.send(bob.response(message, '200 OK'))
    }
    assert.deepEqual(texts, ['one', 'two', 'three', 'four'])
    assert.deepEqual(dates, [
      'Thu, 01 Jan 1970 00:00:00 GMT',
      'Thu, 01 Jan 1970 00:01:00 GMT',
      'Thu, 01 Jan 1970 00:02:00 GMT',
      'Sat, 01 Jan 2000 00:00:00 GMT',
    ])
    assert.equal(rig.core.kept().messages, 0)
  })

  test('the answer to his REGISTER is before the first message', async () => {
    const { alice, bob } = scene()
    await write(alice, 'hello')
    const who = { user: 'bob', password: 'builder' }
    await bob.authenticated('REGISTER', 'sip:example.test', who, { Expires: '600' })
    assert.deepEqual(
      bob.inbox.map((message) => message.slice(0, 7)),
      ['SIP/2.0', 'MESSAGE'],
    )
  })

  test('a new one while old ones wait comes behind them', async () => {
    const { alice, bob } = scene()
    await write(alice, 'one')
    await write(alice, 'two')
    await bob.register('bob', 'builder')
    await write(alice, 'three')
    alice.take('SIP/2.0 202')
    assert.deepEqual(await readAll(bob), ['one', 'two', 'three'])
  })

  test('one that he refuses does not stand in the way of the next', async () => {
    const { rig, alice, bob } = scene()
    await write(alice, 'one')
    await write(alice, 'two')
    await bob.register('bob', 'builder')
    await bob.send(bob.response(bob.take('MESSAGE'), '415 Unsupported Media Type'))
    assert.deepEqual(await readAll(bob), ['two'])
    assert.equal(rig.core.kept().messages, 0)
  })

  test('when the phone goes away in the middle, the rest waits for its return', async () => {
    const { rig, alice, bob } = scene()
    for (const text of ['one', 'two']) await write(alice, text)
    await bob.register('bob', 'builder')
    await bob.send(bob.response(bob.take('MESSAGE'), '200 OK'))
    await rig.advance(40_000)
    assert.equal(rig.core.kept().messages, 1)
    bob.inbox.length = 0
    await bob.register('bob', 'builder')
    assert.deepEqual(await readAll(bob), ['two'])
  })

  test('a phone that comes back at another port while the old one is asked gets them without a further REGISTER', async () => {
    const { rig, alice, bob } = scene()
    await write(alice, 'hello')
    await bob.register('bob', 'builder')
    await rig.advance(3_000)
    const again = rig.peer('198.51.100.7', 'udp', 6_060)
    await again.register('bob', 'builder')
    assert.deepEqual(again.inbox, [])
    await rig.advance(7_000)
    assert.deepEqual(await readAll(again), ['hello'])
    assert.equal(rig.core.kept().messages, 0)
  })

  test('they are kept for as long as the tenant says, and no longer than their sender says', async () => {
    const { rig, alice, bob } = scene({ tenants: [exampleTenant({ messages: { keptMs: DAY_MS, trunks: false } })] })
    await write(alice, 'short', { Expires: '60' })
    await write(alice, 'long')
    await rig.advance(61_000)
    assert.equal(rig.core.kept().messages, 1)
    await rig.advance(DAY_MS)
    assert.equal(rig.core.kept().messages, 0)
    assert.equal(rig.core.deadline(), undefined)
    await bob.register('bob', 'builder')
    assert.deepEqual(bob.inbox, [])
  })

  test('a tenant may want none kept, and a composing notice or an empty text is never: 480', async () => {
    const none = scene({ tenants: [exampleTenant({ messages: { keptMs: 0, trunks: false } })] })
    await write(none.alice, 'hello')
    none.alice.take('SIP/2.0 480')
    const { rig, alice } = scene()
    await write(alice, '<isComposing/>', { 'Content-Type': 'application/im-iscomposing+xml' })
    alice.take('SIP/2.0 480')
    await write(alice, '')
    alice.take('SIP/2.0 480')
    assert.equal(rig.core.kept().messages, 0)
  })

  test('one user’s box is bounded: 503, and it is counted', async () => {
    const count = counting()
    const { rig, alice } = scene({ count })
    for (let n = 0; n < 100; n++) await write(alice, `${n}`)
    assert.equal(alice.inbox.filter((each) => each.startsWith('SIP/2.0 202')).length, 100)
    await write(alice, 'one too many')
    assert.equal(header(alice.take('SIP/2.0 503'), 'Retry-After'), '60')
    assert.equal(rig.core.kept().messages, 100)
    assert.equal(count.counts.get('MESSAGES_EXHAUSTED'), 1)
  })
})

describe('what a MESSAGE may be', () => {
  const contents: readonly (readonly [type: string, body: string, status: number])[] = [
    ['text/html', '<b>hi</b>', 202],
    ['text/plain;charset=UTF-8', 'hi', 202],
    ['message/cpim', 'From: x', 202],
    ['message/imdn+xml', '<imdn/>', 202],
    ['application/octet-stream', 'x', 415],
    ['application/sdp', 'v=0', 415],
    ['text/plain', 'x'.repeat(8_192), 202],
    ['text/plain', 'x'.repeat(8_193), 413],
  ]
  for (const [type, body, status] of contents) {
    test(`${body.length} bytes of ${type} are answered ${status}`, async () => {
      const { alice } = scene()
      await write(alice, body, { 'Content-Type': type })
      const answer = alice.take(`SIP/2.0 ${status}`)
      if (status === 415) assert.match(header(answer, 'Accept'), /text\/\*/)
    })
  }

  const refused: readonly (readonly [what: string, to: string, headers: Record<string, string>, status: number])[] = [
    ['to nobody', 'sip:nobody@example.test', {}, 404],
    ['to a built-in destination', 'sip:*43@example.test', {}, 404],
    ['to a trunk, without leave', 'sip:+15551234@example.test', {}, 403],
    ['that went round in circles', BOB, { 'Max-Forwards': '0' }, 483],
    ['in another’s name', BOB, { From: '<sip:bob@example.test>;tag=x' }, 403],
    ['with an extension that nobody knows', BOB, { Require: 'magic' }, 420],
  ]
  for (const [what, to, headers, status] of refused) {
    test(`a message ${what} gets ${status}`, async () => {
      const { rig, alice } = scene()
      if (status === 420) await alice.send(alice.request('MESSAGE', to, { ...TEXT, ...headers }, 'hi'))
      else await write(alice, 'hi', headers, to)
      alice.take(`SIP/2.0 ${status}`)
      assert.equal(rig.core.kept().messages, 0)
    })
  }
})

describe('MESSAGE and trunks', () => {
  const open = () => scene({ tenants: [exampleTenant({ messages: { keptMs: DAY_MS, trunks: true } })] })
  const carrierOf = (rig: CoreRig): RigPeer => rig.peer('203.0.113.5')

  test('with leave it goes to the carrier by the routes, with our credentials when it asks', async () => {
    const { rig, alice } = open()
    const carrier = carrierOf(rig)
    await write(alice, 'hi', {}, 'sip:+15551234@example.test')
    const first = carrier.take('MESSAGE sip:+15551234@203.0.113.5')
    const challenge = 'Digest realm="carrier.test", nonce="n1", qop="auth", algorithm=MD5'
    await carrier.send(
      carrier.response(first, '407 Proxy Authentication Required', { 'Proxy-Authenticate': challenge }),
    )
    const second = carrier.take('MESSAGE')
    assert.match(header(second, 'Proxy-Authorization'), /username="acct"/)
    assert.equal(header(second, 'CSeq'), '2 MESSAGE')
    await carrier.send(carrier.response(second, '202 Accepted'))
    alice.take('SIP/2.0 200')
  })

  test('a carrier that refuses: the sender is told; one that is silent: 480, nothing is kept', async () => {
    const { rig, alice } = open()
    const carrier = carrierOf(rig)
    await write(alice, 'hi', {}, 'sip:+15551234@example.test')
    await carrier.send(carrier.response(carrier.take('MESSAGE'), '405 Method Not Allowed'))
    alice.take('SIP/2.0 405')
    await write(alice, 'hi', {}, 'sip:+15551234@example.test')
    await rig.advance(10_000)
    alice.take('SIP/2.0 480')
    await rig.advance(40_000)
    assert.deepEqual([rig.core.kept().messages, rig.core.counts().transactions], [0, 0])
  })

  test('from the carrier it reaches whom the numbers name, with leave only', async () => {
    for (const { rig, alice, status } of [
      { ...open(), status: 202 },
      { ...scene(), status: 403 },
    ]) {
      const carrier = carrierOf(rig)
      const from = { From: '<sip:+15559999@carrier.test>;tag=c1', ...TEXT }
      await carrier.send(carrier.request('MESSAGE', 'sip:+15550100@192.0.2.1', from, 'hi'))
      carrier.take(`SIP/2.0 ${status}`)
      if (status !== 202) continue
      await alice.register('alice', 'wonderland')
      assert.match(header(alice.take('MESSAGE'), 'From'), /^<sip:\+15559999@carrier\.test>;tag=/)
    }
  })
})

test('a stranger’s MESSAGE is challenged, and with a wrong password again', async () => {
  const { rig, alice } = scene()
  await alice.send(alice.request('MESSAGE', BOB, TEXT, 'hi'))
  const wrong = digestAnswer(alice.take('SIP/2.0 407'), { ...ALICE, password: 'guess', method: 'MESSAGE', uri: BOB })
  await alice.send(alice.request('MESSAGE', BOB, { ...TEXT, ...wrong }, 'hi'))
  alice.take('SIP/2.0 407')
  assert.equal(rig.core.kept().messages, 0)
})

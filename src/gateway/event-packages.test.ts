import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { header, type RigPeer } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'
import {
  ALICE,
  again,
  BOB,
  bodyOf,
  CAROL,
  notified,
  statesOf,
  subscribe,
  versionOf,
  watchedScene,
} from '../../test/support/watcher.ts'

const SDP = { 'Content-Type': 'application/sdp' }

describe('the lamp of a colleague (RFC 4235)', () => {
  test('trying, early, confirmed, terminated, as the call goes, in partial documents', async () => {
    const { alice, bob, carol } = watchedScene()
    await bob.register('bob', 'builder')
    await subscribe(carol)
    await alice.call('alice', 'wonderland', 'bob')
    const trying = await notified(carol)
    assert.deepEqual([versionOf(trying), ...statesOf(trying)], ['1 partial', 'recipient trying'])
    const invite = bob.take('INVITE')
    await bob.send(bob.response(invite, '180 Ringing'))
    const early = await notified(carol)
    assert.deepEqual([versionOf(early), ...statesOf(early)], ['2 partial', 'recipient early'])
    assert.match(early, /<remote><identity>sip:alice@example\.test<\/identity>/)
    assert.match(early, new RegExp(`call-id="${header(invite, 'Call-ID')}" local-tag="peer-198\\.51\\.100\\.7"`))
    await bob.send(bob.response(invite, '200 OK', SDP, phoneSdp({ address: '198.51.100.7' })))
    assert.deepEqual(statesOf(await notified(carol)), ['recipient confirmed'])
    const answered = alice.take('SIP/2.0 200')
    await alice.send(alice.inDialog('ACK', answered))
    assert.deepEqual(carol.inbox, [], 'nothing changed')
    await alice.send(alice.inDialog('BYE', answered))
    assert.deepEqual(statesOf(await notified(carol)), ['recipient terminated'])
  })

  test('of the one who calls: initiator', async () => {
    const { alice, bob, carol } = watchedScene()
    await bob.register('bob', 'builder')
    await subscribe(carol, { to: 'alice' })
    await alice.call('alice', 'wonderland', 'bob')
    const trying = await notified(carol)
    assert.deepEqual(statesOf(trying), ['initiator trying'])
    assert.match(trying, /<remote><identity>sip:bob@example\.test<\/identity>/)
    await bob.send(bob.response(bob.take('INVITE'), '486 Busy Here'))
    alice.take('SIP/2.0 486')
    assert.deepEqual(statesOf(await notified(carol)), ['initiator terminated'])
  })

  test('goes out at once when the caller gives up, though the other phone does not say so', async () => {
    const { alice, bob, carol } = watchedScene()
    await bob.register('bob', 'builder')
    await subscribe(carol, { to: 'alice' })
    await alice.call('alice', 'wonderland', 'bob')
    await notified(carol)
    await bob.send(bob.response(bob.take('INVITE'), '180 Ringing'))
    assert.deepEqual(statesOf(await notified(carol)), ['initiator early'])
    const ringing = alice.take('SIP/2.0 180')
    const same = ['Via', 'From', 'Call-ID'].map((name) => [name, header(ringing, name)] as const)
    const CSeq = header(ringing, 'CSeq').replace('INVITE', 'CANCEL')
    await alice.send(alice.request('CANCEL', 'sip:bob@example.test', { ...Object.fromEntries(same), CSeq }))
    assert.deepEqual(statesOf(await notified(carol)), ['initiator terminated'])
  })

  test('a partial document tells only what changed', async () => {
    const { alice, bob, carol } = watchedScene()
    await bob.register('bob', 'builder')
    await subscribe(carol)
    for (let n = 0; n < 2; n++) {
      await alice.call('alice', 'wonderland', 'bob')
      assert.deepEqual(statesOf(await notified(carol)), ['recipient trying'])
      await bob.send(bob.response(bob.take('INVITE'), '486 Busy Here'))
      assert.deepEqual(statesOf(await notified(carol)), ['recipient terminated'])
    }
  })

  test('lit already when the watcher comes, and told whole again at a refresh', async () => {
    const { rig, alice, bob, carol } = watchedScene()
    await bob.register('bob', 'builder')
    await alice.call('alice', 'wonderland', 'bob')
    await bob.send(bob.response(bob.take('INVITE'), '180 Ringing'))
    const { answer, first } = await subscribe(carol)
    assert.deepEqual([versionOf(first), ...statesOf(first)], ['0 full', 'recipient early'])
    await rig.advance(1_000)
    await again(carol, answer, { Expires: '600' })
    const second = await notified(carol)
    assert.deepEqual([versionOf(second), ...statesOf(second)], ['1 full', 'recipient early'])
  })

  test('a slow watcher gets one NOTIFY at a time, and then all that happened', async () => {
    const { rig, alice, bob, carol } = watchedScene()
    await bob.register('bob', 'builder')
    await subscribe(carol)
    await alice.call('alice', 'wonderland', 'bob')
    const invite = bob.take('INVITE')
    await bob.send(bob.response(invite, '180 Ringing'))
    await bob.send(bob.response(invite, '486 Busy Here'))
    const first = carol.take('NOTIFY')
    assert.deepEqual(statesOf(first), ['recipient trying'])
    assert.deepEqual(carol.inbox, [])
    await carol.send(carol.response(first, '200 OK'))
    assert.deepEqual(statesOf(await notified(carol)), ['recipient terminated'])
    assert.equal(rig.core.kept().subscriptions, 1)
  })

  test('nobody’s call costs a NOTIFY that is not watched', async () => {
    const { rig, alice, bob, carol } = watchedScene()
    await bob.register('bob', 'builder')
    await subscribe(carol, { to: 'carol' })
    await alice.call('alice', 'wonderland', 'bob')
    await bob.send(bob.response(bob.take('INVITE'), '486 Busy Here'))
    assert.deepEqual(carol.inbox, [])
    assert.equal(rig.core.kept().subscriptions, 1)
  })

  test('a hostile display name cannot break the document', async () => {
    const { alice, bob, carol } = watchedScene()
    await bob.register('bob', 'builder')
    await subscribe(carol)
    const from = { ...SDP, From: '"</identity><x a=\'1\'>&\\"" <sip:alice@example.test>;tag=evil' }
    await alice.authenticated('INVITE', 'sip:bob@example.test', ALICE, from, phoneSdp({ address: '198.51.100.6' }))
    const document = bodyOf(await notified(carol))
    assert.match(document, /display="&lt;\/identity&gt;&lt;x a=&apos;1&apos;&gt;&amp;&quot;"/)
  })
})

describe('message-summary (RFC 3842)', () => {
  test('no messages wait, until whoever keeps the mailbox says so', async () => {
    const { rig, bob } = watchedScene()
    const { first } = await subscribe(bob, { event: 'message-summary', who: BOB })
    assert.equal(bodyOf(first), 'Messages-Waiting: no\r\nMessage-Account: sip:bob@example.test\r\n')
    const summary = { newMessages: 2, oldMessages: 8 }
    rig.input({ kind: 'mailbox', tenant: 'example.test', user: 'bob', summary })
    const next = await notified(bob)
    assert.equal(header(next, 'Content-Type'), 'application/simple-message-summary')
    assert.match(bodyOf(next), /^Messages-Waiting: yes\r\n.*\r\nVoice-Message: 2\/8\r\n$/)
  })
})

describe('reg (RFC 3680)', () => {
  test('a user sees its devices come and go', async () => {
    const { rig, bob } = watchedScene()
    const { first } = await subscribe(bob, { event: 'reg', who: BOB })
    assert.match(
      bodyOf(first),
      /version="0" state="full">\s*<registration aor="sip:bob@example\.test" id="1" state="init">/,
    )
    const desk = rig.peer('198.51.100.20')
    await desk.register('bob', 'builder')
    const came = bodyOf(await notified(bob))
    assert.match(came, /state="active">\s*<contact id="\w+" state="active" event="registered" expires="600"/)
    assert.match(came, /<uri>sip:peer@198\.51\.100\.20:5060<\/uri>/)
    await desk.register('bob', 'builder')
    assert.deepEqual(bob.inbox, [], 'a refresh is no news')
    await desk.authenticated('REGISTER', 'sip:example.test', BOB, { Expires: '0' })
    const left = bodyOf(await notified(bob))
    assert.match(left, /state="terminated">\s*<contact id="\w+" state="terminated" event="unregistered"/)
  })

  test('and expire', async () => {
    const { rig, bob } = watchedScene()
    await rig.peer('198.51.100.20').register('bob', 'builder')
    await subscribe(bob, { event: 'reg', who: BOB, headers: { Expires: '3600' } })
    await rig.advance(600_000)
    assert.match(bodyOf(await notified(bob)), /<contact id="\w+" state="terminated" event="expired"/)
  })
})

describe('presence (RFC 3856) and PUBLISH (RFC 3903)', () => {
  const PIDF = { 'Content-Type': 'application/pidf+xml', Event: 'presence', Expires: '600' }
  const note = (text: string, id = 't1'): string =>
    `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:x@y">` +
    `<tuple id="${id}"><status><basic>open</basic></status><note>${text}</note></tuple></presence>`
  const publish = async (peer: RigPeer, body: string, headers: Readonly<Record<string, string>> = {}) => {
    await peer.authenticated('PUBLISH', 'sip:bob@example.test', BOB, { ...PIDF, ...headers }, body)
    return header(peer.take('SIP/2.0 200'), 'SIP-ETag')
  }

  test('whoever has not published is open while registered', async () => {
    const { bob, carol } = watchedScene()
    const { first } = await subscribe(carol, { event: 'presence' })
    assert.match(bodyOf(first), /entity="sip:bob@example\.test">\s*<tuple id="registration"><status><basic>closed</)
    await bob.register('bob', 'builder')
    assert.match(bodyOf(await notified(carol)), /<basic>open</)
    await bob.register('bob', 'builder')
    assert.deepEqual(carol.inbox, [])
    await bob.authenticated('REGISTER', 'sip:example.test', BOB, { Expires: '0' })
    assert.match(bodyOf(await notified(carol)), /<basic>closed</)
  })

  test('what is published is told, changed, kept alive and taken back', async () => {
    const { rig, bob, carol } = watchedScene()
    await subscribe(carol, { event: 'presence', headers: { Expires: '3600' } })
    const one = await publish(bob, note('at lunch'))
    assert.match(bodyOf(await notified(carol)), /<basic>open<\/basic><\/status><note>at lunch</)
    const two = await publish(bob, note('back'), { 'SIP-If-Match': one })
    assert.notEqual(two, one)
    const changed = bodyOf(await notified(carol))
    assert.match(changed, /<note>back</)
    assert.doesNotMatch(changed, /lunch/)
    await rig.advance(500_000)
    const three = await publish(bob, '', { 'SIP-If-Match': two })
    assert.deepEqual(carol.inbox, [], 'a refresh is no news')
    await rig.advance(500_000)
    await publish(bob, '', { 'SIP-If-Match': three, Expires: '0' })
    assert.match(bodyOf(await notified(carol)), /<basic>closed</)
    assert.equal(rig.core.kept().publications, 0)
  })

  test('what is not kept alive ends by itself, and watchers hear of it', async () => {
    const { rig, bob, carol } = watchedScene()
    await subscribe(carol, { event: 'presence', headers: { Expires: '3600' } })
    await publish(bob, note('hello'))
    await notified(carol)
    await rig.advance(600_000)
    assert.match(bodyOf(await notified(carol)), /<basic>closed</)
    assert.equal(rig.core.kept().publications, 0)
  })

  test('two devices: both tuples are told', async () => {
    const { rig, bob, carol } = watchedScene()
    await publish(bob, note('desk', 'd'))
    await publish(rig.peer('198.51.100.21'), note('mobile', 'm'))
    const { first } = await subscribe(carol, { event: 'presence' })
    assert.match(bodyOf(first), /<note>mobile<.*\s*.*<note>desk</)
  })

  const refused: readonly (readonly [what: string, headers: Record<string, string>, body: string, status: number])[] = [
    ['to a state that is gone', { 'SIP-If-Match': 'old' }, note('x'), 412],
    ['without content', {}, '', 400],
    ['of something else', { 'Content-Type': 'text/plain' }, 'x', 415],
    ['for a moment', { Expires: '3' }, note('x'), 423],
    ['of another event', { Event: 'dialog' }, note('x'), 489],
    ['that is too large', {}, note('x'.repeat(17_000)), 413],
    ['that is no XML', {}, '<presence', 400],
    ['with a bomb in it', {}, '<!DOCTYPE x [<!ENTITY a "aaaa">]><presence>&a;</presence>', 400],
  ]
  for (const [what, headers, body, status] of refused) {
    test(`a PUBLISH ${what} gets ${status}`, async () => {
      const { rig, bob } = watchedScene()
      await bob.authenticated('PUBLISH', 'sip:bob@example.test', BOB, { ...PIDF, ...headers }, body)
      bob.take(`SIP/2.0 ${status}`)
      assert.equal(rig.core.kept().publications, 0)
    })
  }

  test('nobody publishes for another: 403', async () => {
    const { rig, carol } = watchedScene()
    await carol.authenticated('PUBLISH', 'sip:bob@example.test', CAROL, PIDF, note('x'))
    carol.take('SIP/2.0 403')
    assert.equal(rig.core.kept().publications, 0)
  })
})

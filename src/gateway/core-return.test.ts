import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CoreRig, digestAnswer, header, type RigPeer } from '../../test/support/core-rig.ts'
import { browserSdp } from '../../test/support/sdp-texts.ts'

const SDP = { 'Content-Type': 'application/sdp' }
const PAGE = { Contact: '<sip:page@abc.invalid;transport=ws>' }
const WHO = { user: 'bob', password: 'builder' }

/** A browser's page on a connection of its own; the same page comes back with another port. */
async function page(rig: CoreRig, port: number, contact = PAGE): Promise<RigPeer> {
  const peer = rig.peer('198.51.100.9', 'ws', port)
  await peer.authenticated('REGISTER', 'sip:example.test', WHO, contact)
  peer.take('SIP/2.0 200')
  return peer
}

async function closes(rig: CoreRig, peer: RigPeer): Promise<void> {
  rig.input({ kind: 'flow-closed', flowId: peer.flow.id })
  await rig.settle()
}

const noErrors = (rig: CoreRig): void =>
  assert.deepEqual(
    rig.logged().filter(({ level }) => level === 'error'),
    [],
  )

/** Alice's phone talks with Bob's browser. */
async function talking(rig: CoreRig) {
  const [alice, bob] = [rig.peer('198.51.100.6'), await page(rig, 40_000)]
  await alice.call('alice', 'wonderland', 'bob')
  const invite = bob.take('INVITE')
  await bob.send(bob.response(invite, '200 OK', { ...SDP, ...PAGE }, browserSdp()))
  const answer = alice.take('SIP/2.0 200')
  await alice.send(alice.inDialog('ACK', answer))
  bob.take('ACK')
  return { alice, bob, invite, answer }
}

describe('a call to a browser whose WebSocket just closed', () => {
  test('waits for its return and rings it then', async () => {
    const rig = new CoreRig()
    const alice = rig.peer('198.51.100.6')
    await closes(rig, await page(rig, 40_000))
    await alice.call('alice', 'wonderland', 'bob')
    await rig.advance(5_000)
    assert.deepEqual(
      alice.inbox.filter((message) => !message.startsWith('SIP/2.0 100')),
      [],
    )
    const back = await page(rig, 40_001)
    const invite = back.take('INVITE sip:page@abc.invalid')
    await back.send(back.response(invite, '180 Ringing'))
    alice.take('SIP/2.0 180')
    noErrors(rig)
  })

  test('fails with 480 if the browser does not return in time', async () => {
    const rig = new CoreRig({ registrar: { graceMs: 3_000 } })
    const alice = rig.peer('198.51.100.6')
    await closes(rig, await page(rig, 40_000))
    await alice.call('alice', 'wonderland', 'bob')
    await rig.advance(2_999)
    assert.equal(
      alice.inbox.some((message) => message.startsWith('SIP/2.0 4')),
      false,
    )
    await rig.advance(1)
    alice.take('SIP/2.0 480')
    await rig.settle()
    assert.equal(rig.core.counts().calls, 0)
  })

  test('is cancelled while it waits: nobody is rung later', async () => {
    const rig = new CoreRig()
    const alice = rig.peer('198.51.100.6')
    await closes(rig, await page(rig, 40_000))
    await alice.call('alice', 'wonderland', 'bob')
    const from = rig.core.calls()
    assert.equal(from.length, 1)
    const call = rig.core.call(from[0]?.id ?? '')
    const invite = call?.timeline.find((entry) => entry.kind === 'sip' && entry.summary.startsWith('INVITE'))
    const text = invite?.kind === 'sip' ? invite.text : ''
    await alice.send(
      alice.request('CANCEL', 'sip:bob@example.test', {
        Via: header(text, 'Via').replace(/;(received|rport)=[^;]*/g, ''),
        From: header(text, 'From'),
        'Call-ID': header(text, 'Call-ID'),
        CSeq: header(text, 'CSeq').replace('INVITE', 'CANCEL'),
      }),
    )
    alice.take('SIP/2.0 487')
    await rig.advance(1)
    assert.equal(rig.core.counts().calls, 0)
    const back = await page(rig, 40_001)
    assert.deepEqual(back.inbox, [])
    noErrors(rig)
  })

  test('rings the page that was loaded anew in its place, once', async () => {
    const rig = new CoreRig()
    const alice = rig.peer('198.51.100.6')
    await closes(rig, await page(rig, 40_000))
    await alice.call('alice', 'wonderland', 'bob')
    const fresh = await page(rig, 40_001, { Contact: '<sip:other@def.invalid;transport=ws>' })
    fresh.take('INVITE sip:other@def.invalid')
    assert.deepEqual(fresh.inbox, [])
  })

  test('does not wait for a page that was loaded anew already', async () => {
    const rig = new CoreRig()
    const alice = rig.peer('198.51.100.6')
    await closes(rig, await page(rig, 40_000))
    const fresh = await page(rig, 40_001, { Contact: '<sip:other@def.invalid;transport=ws>' })
    await alice.call('alice', 'wonderland', 'bob')
    await fresh.send(fresh.response(fresh.take('INVITE sip:other@def.invalid'), '486 Busy Here'))
    alice.take('SIP/2.0 486')
  })

  test('that rang already goes on ringing it: the same request once more, so that it is no second call', async () => {
    const rig = new CoreRig()
    const [alice, bob] = [rig.peer('198.51.100.6'), await page(rig, 40_000)]
    await alice.call('alice', 'wonderland', 'bob')
    const first = bob.take('INVITE')
    await bob.send(bob.response(first, '180 Ringing'))
    alice.take('SIP/2.0 180')
    await closes(rig, bob)
    const back = await page(rig, 40_001)
    const again = back.take('INVITE')
    for (const name of ['Via', 'Call-ID', 'CSeq', 'From']) assert.equal(header(again, name), header(first, name), name)
    await back.send(back.response(again, '200 OK', { ...SDP, ...PAGE }, browserSdp()))
    alice.take('SIP/2.0 200')
  })
})

describe('a call whose browser loses its WebSocket', () => {
  for (const [before, after] of [
    [0, 1],
    [0, 5],
    [0, 30],
    [20, 10], // Its contact is given up already: only the failed sending tells that it is away.
  ] as const) {
    test(`for ${before + after} s: BYE of the other side after ${before} s reaches it when it is back`, async () => {
      const rig = new CoreRig()
      const { alice, bob, answer } = await talking(rig)
      await closes(rig, bob)
      await rig.advance(before * 1_000)
      await alice.send(alice.inDialog('BYE', answer))
      alice.take('SIP/2.0 200')
      // Nobody has that connection any more: the shell says so.
      const lost = rig.outputs.findLast((output) => output.kind === 'send' && output.data.startsWith('BYE'))
      if (lost?.kind === 'send') rig.input({ kind: 'send-failed', sendId: lost.sendId, cause: 'gone' })
      await rig.advance(after * 1_000)
      const back = await page(rig, 40_001)
      await back.send(back.response(back.take('BYE sip:page@abc.invalid'), '200 OK'))
      await rig.settle()
      assert.equal(rig.core.counts().calls, 0)
      assert.equal(rig.engine.sessions().length, 0)
      noErrors(rig)
    })
  }

  test('a request in flight goes on over the new connection, before anybody knows that the old one is dead', async () => {
    const rig = new CoreRig()
    const { alice, bob, answer } = await talking(rig)
    await alice.send(alice.inDialog('BYE', answer))
    const into = bob.take('BYE')
    const back = await page(rig, 40_001)
    const again = back.take('BYE')
    assert.equal(header(again, 'Via'), header(into, 'Via'))
    await back.send(back.response(again, '200 OK'))
    assert.equal(rig.core.counts().calls, 0)
  })

  test('who never comes back does not keep the call', async () => {
    const rig = new CoreRig()
    const { alice, bob, answer } = await talking(rig)
    await closes(rig, bob)
    await alice.send(alice.inDialog('BYE', answer))
    await rig.advance(33_000)
    assert.equal(rig.core.counts().calls, 0)
    assert.equal(rig.core.deadline() ?? Infinity, Infinity)
  })

  test('its own request over a connection without registration is taken with the password only', async () => {
    const rig = new CoreRig()
    const { alice, bob, invite } = await talking(rig)
    await closes(rig, bob)
    for (const [port, user, password, status] of [
      [40_002, 'bob', 'guess', 407],
      [40_003, 'alice', 'wonderland', 403],
      [40_004, 'bob', 'builder', 200],
    ] as const) {
      const stranger = rig.peer('198.51.100.9', 'ws', port)
      await stranger.send(stranger.inDialog('BYE', invite))
      const challenge = stranger.take('SIP/2.0 407')
      const uri = 'sip:192.0.2.1;transport=ws'
      const credentials = digestAnswer(challenge, { user, password, method: 'BYE', uri })
      await stranger.send(stranger.inDialog('BYE', invite, credentials))
      stranger.take(`SIP/2.0 ${status}`)
      const told = alice.inbox.some((message) => message.startsWith('BYE'))
      assert.equal(told, status === 200)
    }
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { header, type RigPeer } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'
import { call, refuse, rigWith, SDP, services, T1, T2 } from '../../test/support/trunk-rig.ts'

describe('RFC 3261 §18.1.1: requests that are too large for a datagram', () => {
  /** An SDP of more than 1,300 bytes that leads to a large INVITE. */
  const LARGE = phoneSdp({ address: '198.51.100.7' })
  const displayName = 'x'.repeat(900)

  /** Alice, with a long display name. */
  const callLarge = (alice: RigPeer): Promise<void> =>
    alice.authenticated(
      'INVITE',
      'sip:+15559@example.test',
      { user: 'alice', password: 'wonderland' },
      { ...SDP, From: `"${displayName}" <sip:alice@example.test>;tag=alice1` },
      LARGE,
    )

  test('go over TCP where the URI names no transport', async () => {
    const rig = rigWith([`sip:${T1}`])
    const [alice, udp, tcp] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T1, 'tcp')]
    await callLarge(alice)
    const invite = tcp.take('INVITE')
    assert.ok(invite.length > 1_300)
    assert.match(header(invite, 'Via'), /^SIP\/2\.0\/TCP /)
    assert.deepEqual(udp.inbox, [])
  })

  test('go over UDP after all if TCP is refused; that is remembered for ten minutes', async () => {
    const rig = rigWith([`sip:${T1}`])
    const [alice, udp] = [rig.peer('198.51.100.7'), rig.peer(T1)]
    const tried = (): number =>
      rig.outputs.filter((o) => o.kind === 'send' && o.target.kind === 'address' && o.target.transport === 'tcp').length
    for (const [afterMs, attempts] of [
      [0, 1],
      [599_000, 1],
      [1_001, 2],
    ] as const) {
      await rig.advance(afterMs)
      await callLarge(alice)
      await refuse(udp, '486 Busy Here')
      assert.equal(tried(), attempts)
    }
  })

  test('are not sent again over UDP where the connection closed behind a provisional response: it rang', async () => {
    const rig = rigWith([`sip:${T1}`])
    const [alice, udp, tcp] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T1, 'tcp')]
    await callLarge(alice)
    await tcp.send(tcp.response(tcp.take('INVITE'), '180 Ringing'))
    rig.input({ kind: 'flow-closed', flowId: tcp.flow.id })
    await rig.settle()
    assert.deepEqual(udp.inbox, [])
    alice.take('SIP/2.0 503')
  })

  test('stay on UDP where the URI says so, and small ones always do', async () => {
    for (const [targets, place] of [
      [[`sip:${T1};transport=udp`], callLarge],
      [[`sip:${T1}`], call],
    ] as const) {
      const rig = rigWith(targets)
      const [alice, udp, tcp] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T1, 'tcp')]
      await place(alice)
      udp.take('INVITE')
      assert.deepEqual(tcp.inbox, [])
    }
  })

  test('go to the server that speaks TCP where SRV records name one', async () => {
    const rig = rigWith(['sip:both.test'])
    rig.zone.set('SRV _sip._udp.both.test', services('1 one.test'))
    rig.zone.set('SRV _sip._tcp.both.test', services('1 two.test'))
    const [alice, one, two] = [rig.peer('198.51.100.7'), rig.peer(T1), rig.peer(T2, 'tcp')]
    await callLarge(alice)
    two.take('INVITE')
    assert.deepEqual(one.inbox, [])
  })

  test('to a phone that registered over UDP go over UDP', async () => {
    const rig = rigWith([`sip:${T1}`])
    const [alice, bob, bobsTcp] = [rig.peer('198.51.100.7'), rig.peer('198.51.100.8'), rig.peer('198.51.100.8', 'tcp')]
    await bob.register('bob', 'builder')
    await alice.authenticated(
      'INVITE',
      'sip:bob@example.test',
      { user: 'alice', password: 'wonderland' },
      { ...SDP, From: `"${displayName}" <sip:alice@example.test>;tag=alice1` },
      LARGE,
    )
    assert.ok(bob.take('INVITE').length > 1_300)
    assert.deepEqual(bobsTcp.inbox, [])
  })
})

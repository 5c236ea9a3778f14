import assert from 'node:assert/strict'
import { Secret } from '../../src/base/index.ts'
import type { CoreOptions } from '../../src/gateway/index.ts'
import type { Tenant } from '../../src/tenancy/index.ts'
import { CoreRig, exampleTenant, header, type RigPeer } from './core-rig.ts'
import { phoneSdp } from './sdp-texts.ts'

const SDP = { 'Content-Type': 'application/sdp' }

/** One leg of a call at its peer: the message of the gateway that everything inside the dialog is derived from. */
export interface Talk {
  readonly peer: RigPeer
  /** The INVITE or the 200 the gateway sent it. */
  readonly from: string
}

/** Three users and a carrier, with short ways to call and to transfer. */
export class TransferScene {
  readonly rig: CoreRig
  readonly alice: RigPeer
  readonly bob: RigPeer
  readonly carol: RigPeer
  readonly carrier: RigPeer

  constructor(change: Partial<Tenant> = {}, options: Partial<CoreOptions> = {}) {
    const tenant = exampleTenant()
    const users = [...tenant.users, { name: 'carol', password: new Secret('password') }]
    this.rig = new CoreRig({ tenants: [{ ...tenant, users, ...change }], ...options })
    this.alice = this.rig.peer('198.51.100.7')
    this.bob = this.rig.peer('198.51.100.8')
    this.carol = this.rig.peer('198.51.100.9')
    this.carrier = this.rig.peer('203.0.113.5')
  }

  async register(): Promise<this> {
    await this.alice.register('alice', 'wonderland')
    await this.bob.register('bob', 'builder')
    await this.carol.register('carol', 'password')
    return this
  }

  /** A user calls, and the callee answers. */
  async call(
    [caller, user, password]: readonly [RigPeer, string, string],
    [callee, to]: readonly [RigPeer, string],
  ): Promise<{ readonly caller: Talk; readonly callee: Talk }> {
    await caller.call(user, password, to)
    const invite = callee.take('INVITE')
    await this.answer(callee, invite)
    const answer = caller.take('SIP/2.0 200')
    await caller.send(caller.inDialog('ACK', answer))
    return { caller: { peer: caller, from: answer }, callee: { peer: callee, from: invite } }
  }

  async aliceAndBob(): Promise<{ readonly caller: Talk; readonly callee: Talk }> {
    return this.call([this.alice, 'alice', 'wonderland'], [this.bob, 'bob'])
  }

  async answer(peer: RigPeer, invite: string, sdp = phoneSdp({ address: peer.flow.remote.host })): Promise<void> {
    await peer.send(peer.response(invite, '200 OK', SDP, sdp))
    peer.take('ACK')
  }

  /** A REFER of one who talks; answers the NOTIFYs so far and returns what they said. */
  async refer({ peer, from }: Talk, referTo: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    await peer.send(peer.inDialog('REFER', from, { 'Refer-To': referTo, ...headers }))
  }

  /** Takes the NOTIFY that came, checks it and answers it. */
  async notified(peer: RigPeer, status: string, state: RegExp): Promise<string> {
    const notify = peer.take('NOTIFY')
    assert.match(notify, new RegExp(`\r\n\r\nSIP/2\\.0 ${status}`))
    assert.match(header(notify, 'Content-Type'), /^message\/sipfrag/)
    assert.match(header(notify, 'Subscription-State'), state)
    await peer.send(peer.response(notify, '200 OK'))
    return notify
  }

  /** A peer answers a request with 200. */
  async agree(peer: RigPeer, method: string): Promise<string> {
    const request = peer.take(method)
    await peer.send(peer.response(request, '200 OK'))
    return request
  }

  /** Everything is given back. */
  async over(): Promise<void> {
    await this.rig.advance(200_000)
    assert.deepEqual(this.rig.core.counts(), { calls: 0, registrations: 3, transactions: 0 })
    assert.deepEqual(this.rig.engine.sessions(), [])
    assert.deepEqual(
      this.rig.logged().filter(({ level }) => level === 'error'),
      [],
    )
  }
}

/** `Replaces` as the owner of a dialog writes it, seen from its other end: our tag is the `to-tag` (RFC 3891 §3). */
export function replaces({ peer, from }: Talk): string {
  const tag = (name: string): string => /;tag=([^;>\s]+)/.exec(header(from, name))?.[1] ?? ''
  const peerBegan = from.startsWith('SIP/2.0')
  const [ours, theirs] = peerBegan ? [tag('To'), tag('From')] : [tag('From'), `peer-${peer.flow.remote.host}`]
  return `${header(from, 'Call-ID')};to-tag=${ours};from-tag=${theirs}`
}

import assert from 'node:assert/strict'
import type { CoreOptions } from '../../src/gateway/index.ts'
import type { DnsAnswer } from '../../src/sip/index.ts'
import { CoreRig, exampleTenant, type RigPeer } from './core-rig.ts'
import { phoneSdp } from './sdp-texts.ts'

export const SDP = { 'Content-Type': 'application/sdp' }
export const [T1, T2, T3] = ['203.0.113.1', '203.0.113.2', '203.0.113.3'] as const

export const addresses = (...hosts: string[]): DnsAnswer => {
  return { kind: 'found', records: { type: 'A', addresses: hosts }, ttlSeconds: 600 }
}

/** `priority host`, all with port 5060. */
export const services = (...lines: string[]): DnsAnswer => {
  const records = lines.map((line) => {
    const [priority, target = ''] = line.split(' ')
    return { priority: Number(priority), weight: 0, port: 5060, target }
  })
  return { kind: 'found', records: { type: 'SRV', services: records }, ttlSeconds: 600 }
}

/** A gateway whose carrier has these targets. `carrier.test` has three servers, to be tried in their order. */
export function rigWith(targets: readonly string[], options: Partial<CoreOptions> = {}): CoreRig {
  const [carrier] = exampleTenant().trunks
  assert.ok(carrier)
  const trunks = [{ ...carrier, targets, accept: [T1, T2, T3] }]
  const rig = new CoreRig({ tenants: [exampleTenant({ trunks })], ...options })
  rig.zone.set('SRV _sip._udp.carrier.test', services('1 one.test', '2 two.test', '3 three.test'))
  for (const [name, host] of [
    ['one', T1],
    ['two', T2],
    ['three', T3],
  ] as const) {
    rig.zone.set(`A ${name}.test`, addresses(host))
  }
  return rig
}

export const call = (alice: RigPeer, body?: string): Promise<void> => alice.call('alice', 'wonderland', '+15559', body)

export async function answer(peer: RigPeer, invite: string): Promise<void> {
  await peer.send(peer.response(invite, '200 OK', SDP, phoneSdp({ address: peer.flow.remote.host })))
}

/** Refuses the INVITE that is in the inbox. */
export async function refuse(
  peer: RigPeer,
  status: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const invite = peer.take('INVITE')
  await peer.send(peer.response(invite, status, headers))
  peer.take('ACK')
  return invite
}

/** Texts of the call's timeline on this topic. */
export function told(rig: CoreRig): readonly string[] {
  const [only] = rig.core.calls()
  assert.ok(only)
  return (rig.core.call(only.id)?.timeline ?? []).flatMap((entry) => (entry.kind === 'note' ? entry.summary : []))
}

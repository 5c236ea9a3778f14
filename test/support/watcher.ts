import { Secret } from '../../src/base/index.ts'
import { CoreRig, exampleTenant, header, type RigPeer } from './core-rig.ts'

export const ALICE = { user: 'alice', password: 'wonderland' }
export const BOB = { user: 'bob', password: 'builder' }
export const CAROL = { user: 'carol', password: 'christmas' }

/** The example with a third user, who watches. */
export const watchedTenant = () => {
  const example = exampleTenant()
  return { ...example, users: [...example.users, { name: 'carol', password: new Secret('christmas') }] }
}

export function watchedScene() {
  const rig = new CoreRig({ tenants: [watchedTenant()] })
  const [alice, bob, carol] = [rig.peer('198.51.100.6'), rig.peer('198.51.100.7'), rig.peer('198.51.100.8')]
  return { rig, alice, bob, carol }
}

export interface Subscribing {
  readonly event?: string
  readonly to?: string
  readonly who?: typeof ALICE
  readonly headers?: Readonly<Record<string, string>>
}

/** Up to the answer. */
export function ask(
  peer: RigPeer,
  { event = 'dialog', to = 'bob', who = CAROL, headers = {} }: Subscribing,
): Promise<void> {
  return peer.authenticated('SUBSCRIBE', `sip:${to}@example.test`, who, { Event: event, Expires: '600', ...headers })
}

/** Up to the first NOTIFY, which is answered. */
export async function subscribe(peer: RigPeer, how: Subscribing = {}) {
  await ask(peer, how)
  const answer = peer.take('SIP/2.0 200')
  return { answer, first: await notified(peer) }
}

/** Takes a NOTIFY and accepts it. */
export async function notified(peer: RigPeer, status = '200 OK', headers: Readonly<Record<string, string>> = {}) {
  const notify = peer.take('NOTIFY')
  await peer.send(peer.response(notify, status, headers))
  return notify
}

/** A SUBSCRIBE inside the dialog that `answer` made, with credentials. */
export async function again(peer: RigPeer, answer: string, headers: Readonly<Record<string, string>>, who = CAROL) {
  const dialog = { From: header(answer, 'From'), To: header(answer, 'To'), 'Call-ID': header(answer, 'Call-ID') }
  const sequence = `${2_000 + Number(header(answer, 'CSeq').split(' ')[0])} SUBSCRIBE`
  const all = { Event: 'dialog', ...dialog, CSeq: sequence, ...headers }
  await peer.authenticated('SUBSCRIBE', 'sip:192.0.2.1:5060', who, all)
}

export const bodyOf = (message: string): string => message.slice(message.indexOf('\r\n\r\n') + 4)
/** Version and state of a document. */
export const versionOf = (notify: string): string | undefined =>
  /version="(\d+)" state="(\w+)"/.exec(notify)?.slice(1).join(' ')
/** Direction and state of each dialog in a dialog-info document. */
export const statesOf = (notify: string): readonly string[] =>
  [...notify.matchAll(/direction="(\w+)"><state>(\w+)</g)].map(([, direction, state]) => `${direction} ${state}`)

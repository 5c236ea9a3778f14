import type { EndEvent, RTCSession } from 'jssip/lib/RTCSession'
import type { Outcome } from './model.ts'
import { type EndFacts, endOutcome, failureOutcome } from './outcome.ts'

/** What JsSIP says of one call, reduced to what the page needs. */
export type SessionNews =
  | { readonly kind: 'ringing'; readonly earlyMedia: boolean }
  | { readonly kind: 'answered' }
  | { readonly kind: 'talking' }
  | { readonly kind: 'hold'; readonly by: 'us' | 'peer'; readonly on: boolean }
  | { readonly kind: 'muted'; readonly on: boolean }
  | { readonly kind: 'far-end'; readonly stream: MediaStream }
  | { readonly kind: 'over'; readonly outcome: Outcome }

/** Tells `listener` of everything that happens to a session, from its very start. */
export function followSession(session: RTCSession, listener: (news: SessionNews) => void): void {
  session.on('peerconnection', ({ peerconnection }) => followFarEnd(peerconnection, listener))
  // An outgoing session has its connection before anybody can listen for it.
  if (session.connection !== null && session.connection !== undefined) followFarEnd(session.connection, listener)
  // One candidate is enough toward an ICE-lite gateway: waiting for all would delay the call.
  session.on('icecandidate', ({ ready }) => ready())
  session.on('progress', (event: object) => {
    const response = 'response' in event ? (event.response as { readonly body?: string | null } | null) : null
    listener({ kind: 'ringing', earlyMedia: (response?.body ?? '') !== '' })
  })
  session.on('accepted', () => listener({ kind: 'answered' }))
  session.on('confirmed', () => listener({ kind: 'talking' }))
  session.on('hold', ({ originator }) => listener({ kind: 'hold', by: side(originator), on: true }))
  session.on('unhold', ({ originator }) => listener({ kind: 'hold', by: side(originator), on: false }))
  session.on('muted', () => listener({ kind: 'muted', on: true }))
  session.on('unmuted', () => listener({ kind: 'muted', on: false }))
  session.on('failed', (event) => listener({ kind: 'over', outcome: failureOutcome(endFacts(event)) }))
  session.on('ended', (event) => listener({ kind: 'over', outcome: endOutcome(endFacts(event)) }))
}

function followFarEnd(connection: RTCPeerConnection, listener: (news: SessionNews) => void): void {
  connection.addEventListener('track', (event) => {
    if (event.track.kind !== 'audio') return
    // Not the peer's own stream: the browser takes the track out of that one while the call is held.
    listener({ kind: 'far-end', stream: new MediaStream([event.track]) })
  })
}

const side = (originator: string): 'us' | 'peer' => (originator === 'local' ? 'us' : 'peer')

function endFacts({ originator, cause, message }: EndEvent): EndFacts {
  // `message` is null when we ended the call ourselves, whatever the type says.
  const response = message as { readonly status_code?: number; readonly reason_phrase?: string } | null
  const status = response?.status_code
  return {
    originator,
    cause,
    ...(status === undefined ? {} : { status, reasonPhrase: response?.reason_phrase ?? '' }),
  }
}

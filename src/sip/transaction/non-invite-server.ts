import type { Millis, Step } from '../../base/index.ts'
import { absorption, lifetime, type Timers } from './timers.ts'

/** Non-INVITE server transaction, RFC 3261 §17.2.2. Timers are deadlines in ms. */
export type NonInviteServer =
  /** `giveUp`: the client has stopped waiting, so that an answer serves nobody (RFC 4320 §3). */
  | { readonly state: 'trying' | 'proceeding'; readonly giveUp: Millis }
  | { readonly state: 'completed'; readonly timerJ: Millis }
  | { readonly state: 'terminated' }

export type NonInviteServerEvent =
  /** The request came again. */
  { readonly kind: 'request' } | { readonly kind: 'respond'; readonly status: number } | { readonly kind: 'wake' }

export type NonInviteServerEffect =
  /** The response the user just gave. */
  | { readonly kind: 'send' }
  /** The last response again. */
  | { readonly kind: 'retransmit' }

type Next = Step<NonInviteServer, NonInviteServerEffect>

/** The request just came. */
export function startNonInviteServer(now: Millis, t: Timers): NonInviteServer {
  return { state: 'trying', giveUp: now + lifetime(t) }
}

export function stepNonInviteServer(tx: NonInviteServer, event: NonInviteServerEvent, now: Millis, t: Timers): Next {
  switch (tx.state) {
    case 'trying':
    case 'proceeding':
      if (event.kind === 'respond') return onRespond(event.status, tx.giveUp, now, t)
      if (event.kind === 'request') return { state: tx, effects: tx.state === 'trying' ? [] : RETRANSMIT }
      return now >= tx.giveUp ? TERMINATED : stay(tx)
    case 'completed':
      if (event.kind === 'request') return { state: tx, effects: RETRANSMIT }
      return event.kind === 'wake' && now >= tx.timerJ ? TERMINATED : stay(tx)
    case 'terminated':
      return stay(tx)
  }
}

export function nonInviteServerDeadline(tx: NonInviteServer): Millis | undefined {
  switch (tx.state) {
    case 'trying':
    case 'proceeding':
      return tx.giveUp
    case 'completed':
      return tx.timerJ
    case 'terminated':
      return undefined
  }
}

function onRespond(status: number, giveUp: Millis, now: Millis, t: Timers): Next {
  if (status < 200) return { state: { state: 'proceeding', giveUp }, effects: SEND }
  if (t.reliable) return { state: { state: 'terminated' }, effects: SEND }
  return { state: { state: 'completed', timerJ: now + absorption(t) }, effects: SEND }
}

function stay(tx: NonInviteServer): Next {
  return { state: tx, effects: [] }
}

const TERMINATED: Next = { state: { state: 'terminated' }, effects: [] }
const SEND: readonly NonInviteServerEffect[] = [{ kind: 'send' }]
const RETRANSMIT: readonly NonInviteServerEffect[] = [{ kind: 'retransmit' }]

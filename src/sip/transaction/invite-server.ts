import { earliest, type Millis, type Step } from '../../base/index.ts'
import { lifetime, type Timers } from './timers.ts'

/** A user that has not answered by then is spoken for with 100 (RFC 3261 §17.2.1). */
const TRYING_AFTER_MS = 200

/** INVITE server transaction, RFC 3261 §17.2.1 with RFC 6026 §7.1. Timers are deadlines in ms. */
export type InviteServer =
  /** `trying`: when a 100 goes out by itself; gone once any provisional response was sent. */
  | { readonly state: 'proceeding'; readonly trying?: Millis }
  | { readonly state: 'completed'; readonly interval: Millis; readonly timerG?: Millis; readonly timerH: Millis }
  | { readonly state: 'confirmed'; readonly timerI: Millis }
  /** A 2xx went out; it is repeated until its ACK comes (RFC 3261 §13.3.1.4), which `repeat` is gone after. */
  | { readonly state: 'accepted'; readonly interval: Millis; readonly repeat?: Millis; readonly timerL: Millis }
  | { readonly state: 'terminated' }

export type InviteServerEvent =
  /** The INVITE came again. */
  | { readonly kind: 'request' }
  | { readonly kind: 'ack' }
  | { readonly kind: 'respond'; readonly status: number }
  | { readonly kind: 'wake' }

export type InviteServerEffect =
  | { readonly kind: 'send-trying' }
  /** The response the user just gave. */
  | { readonly kind: 'send' }
  /** The last response again, if there is one. */
  | { readonly kind: 'retransmit' }
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'ack-missing' }

type Next = Step<InviteServer, InviteServerEffect>

/** The INVITE just came. */
export function startInviteServer(now: Millis): InviteServer {
  return { state: 'proceeding', trying: now + TRYING_AFTER_MS }
}

export function stepInviteServer(tx: InviteServer, event: InviteServerEvent, now: Millis, t: Timers): Next {
  switch (tx.state) {
    case 'proceeding':
      return stepProceeding(tx, event, now, t)
    case 'completed':
      return stepCompleted(tx, event, now, t)
    case 'confirmed':
      return event.kind === 'wake' && now >= tx.timerI ? TERMINATED : stay(tx)
    case 'accepted':
      return stepAccepted(tx, event, now, t)
    case 'terminated':
      return stay(tx)
  }
}

export function inviteServerDeadline(tx: InviteServer): Millis | undefined {
  switch (tx.state) {
    case 'proceeding':
      return tx.trying
    case 'completed':
      return earliest(tx.timerG, tx.timerH)
    case 'confirmed':
      return tx.timerI
    case 'accepted':
      return earliest(tx.repeat, tx.timerL)
    case 'terminated':
      return undefined
  }
}

type Proceeding = Extract<InviteServer, { state: 'proceeding' }>
type Completed = Extract<InviteServer, { state: 'completed' }>
type Accepted = Extract<InviteServer, { state: 'accepted' }>

function stepProceeding(tx: Proceeding, event: InviteServerEvent, now: Millis, t: Timers): Next {
  switch (event.kind) {
    case 'request':
      return { state: tx, effects: RETRANSMIT }
    case 'ack':
      return stay(tx)
    case 'respond':
      return onRespond(event.status, now, t)
    case 'wake':
      if (tx.trying === undefined || now < tx.trying) return stay(tx)
      return { state: { state: 'proceeding' }, effects: SEND_TRYING }
  }
}

function onRespond(status: number, now: Millis, t: Timers): Next {
  if (status < 200) return { state: { state: 'proceeding' }, effects: SEND }
  if (status < 300) {
    const repeat = now + t.t1 // Over TCP too: the way to the peer may have lossy parts (RFC 3261 §13.3.1.4).
    return { state: { state: 'accepted', interval: t.t1, repeat, timerL: now + lifetime(t) }, effects: SEND }
  }
  const completed = { state: 'completed', interval: t.t1, timerH: now + lifetime(t) } as const
  // A challenge answers somebody unknown at an address that may be forged: it is not repeated by itself (§26.3.2.4).
  const isOnce = t.reliable || status === 401 || status === 407
  return { state: isOnce ? completed : { ...completed, timerG: now + t.t1 }, effects: SEND }
}

function stepCompleted(tx: Completed, event: InviteServerEvent, now: Millis, t: Timers): Next {
  switch (event.kind) {
    case 'request':
      return { state: tx, effects: RETRANSMIT }
    case 'ack':
      return t.reliable ? TERMINATED : { state: { state: 'confirmed', timerI: now + t.t4 }, effects: [] }
    case 'respond':
      return stay(tx)
    case 'wake': {
      if (now >= tx.timerH) return { state: { state: 'terminated' }, effects: ACK_MISSING }
      if (tx.timerG === undefined || now < tx.timerG) return stay(tx)
      const interval = Math.min(2 * tx.interval, t.t2)
      return { state: { ...tx, interval, timerG: now + interval }, effects: RETRANSMIT }
    }
  }
}

function stepAccepted(tx: Accepted, event: InviteServerEvent, now: Millis, t: Timers): Next {
  switch (event.kind) {
    case 'request': // Absorbed: the 2xx is repeated by its own timer (RFC 6026 §7.1).
    case 'respond':
      return stay(tx)
    case 'ack':
      if (tx.repeat === undefined) return stay(tx)
      return { state: { state: 'accepted', interval: tx.interval, timerL: tx.timerL }, effects: ACKNOWLEDGED }
    case 'wake': {
      if (now >= tx.timerL) return tx.repeat === undefined ? TERMINATED : { ...TERMINATED, effects: ACK_MISSING }
      if (tx.repeat === undefined || now < tx.repeat) return stay(tx)
      const interval = Math.min(2 * tx.interval, t.t2)
      return { state: { ...tx, interval, repeat: now + interval }, effects: RETRANSMIT }
    }
  }
}

function stay(tx: InviteServer): Next {
  return { state: tx, effects: [] }
}

const TERMINATED: Next = { state: { state: 'terminated' }, effects: [] }
const SEND_TRYING: readonly InviteServerEffect[] = [{ kind: 'send-trying' }]
const SEND: readonly InviteServerEffect[] = [{ kind: 'send' }]
const RETRANSMIT: readonly InviteServerEffect[] = [{ kind: 'retransmit' }]
const ACKNOWLEDGED: readonly InviteServerEffect[] = [{ kind: 'acknowledged' }]
const ACK_MISSING: readonly InviteServerEffect[] = [{ kind: 'ack-missing' }]

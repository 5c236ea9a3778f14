import { earliest, type Millis, type Step } from '../../base/index.ts'
import { absorption, lifetime, type Timers } from './timers.ts'

/** INVITE client transaction, RFC 3261 §17.1.1 with RFC 6026 §7.2. Timers are deadlines in ms. */
export type InviteClient =
  | {
      readonly state: 'calling'
      /** CANCEL is wanted, and goes out after a provisional response (RFC 3261 §9.1). */
      readonly cancelling: boolean
      readonly interval: Millis
      readonly timerA?: Millis
      readonly timerB: Millis
    }
  /** `giveUp`: a cancelled INVITE need not be waited for longer (RFC 3261 §9.1). */
  | { readonly state: 'proceeding'; readonly giveUp?: Millis }
  | { readonly state: 'completed'; readonly timerD: Millis }
  | { readonly state: 'accepted'; readonly timerM: Millis }
  | { readonly state: 'terminated' }

export type InviteClientEvent =
  | { readonly kind: 'response'; readonly status: number }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'transport-failed'; readonly cause: string }
  | { readonly kind: 'wake' }

export type InviteClientEffect =
  | { readonly kind: 'retransmit' }
  | { readonly kind: 'send-cancel' }
  /** The ACK of a failure response; it is the transaction's own (RFC 3261 §17.1.1.3). */
  | { readonly kind: 'send-ack' }
  | { readonly kind: 'deliver' }
  /** A further 2xx: a repetition, or one of another branch. */
  | { readonly kind: 'deliver-success-again' }
  | { readonly kind: 'failed'; readonly cause: 'timeout' | 'transport'; readonly detail: string }

type Next = Step<InviteClient, InviteClientEffect>

/** The INVITE was just sent. */
export function startInviteClient(now: Millis, t: Timers): InviteClient {
  const calling = { state: 'calling', cancelling: false, interval: t.t1, timerB: now + lifetime(t) } as const
  return t.reliable ? calling : { ...calling, timerA: now + t.t1 }
}

export function stepInviteClient(tx: InviteClient, event: InviteClientEvent, now: Millis, t: Timers): Next {
  switch (tx.state) {
    case 'calling':
      return stepCalling(tx, event, now, t)
    case 'proceeding':
      return stepProceeding(tx, event, now, t)
    case 'completed':
      if (event.kind === 'response' && event.status >= 300) return { state: tx, effects: SEND_ACK }
      return event.kind === 'wake' && now >= tx.timerD ? TERMINATED : stay(tx)
    case 'accepted':
      if (event.kind === 'response' && isSuccess(event.status)) return { state: tx, effects: DELIVER_SUCCESS_AGAIN }
      return event.kind === 'wake' && now >= tx.timerM ? TERMINATED : stay(tx)
    case 'terminated':
      return stay(tx)
  }
}

export function inviteClientDeadline(tx: InviteClient): Millis | undefined {
  switch (tx.state) {
    case 'calling':
      return earliest(tx.timerA, tx.timerB)
    case 'proceeding':
      return tx.giveUp
    case 'completed':
      return tx.timerD
    case 'accepted':
      return tx.timerM
    case 'terminated':
      return undefined
  }
}

type Calling = Extract<InviteClient, { state: 'calling' }>
type Proceeding = Extract<InviteClient, { state: 'proceeding' }>

function stepCalling(tx: Calling, event: InviteClientEvent, now: Millis, t: Timers): Next {
  switch (event.kind) {
    case 'response':
      if (event.status >= 200) return onFinal(event.status, now, t)
      if (!tx.cancelling) return { state: { state: 'proceeding' }, effects: DELIVER }
      return { state: { state: 'proceeding', giveUp: now + lifetime(t) }, effects: [...DELIVER, ...SEND_CANCEL] }
    case 'cancel':
      return { state: { ...tx, cancelling: true }, effects: [] }
    case 'transport-failed':
      return failed('transport', event.cause)
    case 'wake':
      if (now >= tx.timerB) return failed('timeout', 'No response to INVITE')
      if (tx.timerA === undefined || now < tx.timerA) return stay(tx)
      return { state: { ...tx, interval: 2 * tx.interval, timerA: now + 2 * tx.interval }, effects: RETRANSMIT }
  }
}

function stepProceeding(tx: Proceeding, event: InviteClientEvent, now: Millis, t: Timers): Next {
  switch (event.kind) {
    case 'response':
      return event.status >= 200 ? onFinal(event.status, now, t) : { state: tx, effects: DELIVER }
    case 'cancel':
      if (tx.giveUp !== undefined) return stay(tx)
      return { state: { state: 'proceeding', giveUp: now + lifetime(t) }, effects: SEND_CANCEL }
    case 'transport-failed':
      return failed('transport', event.cause)
    case 'wake':
      if (tx.giveUp === undefined || now < tx.giveUp) return stay(tx)
      return failed('timeout', 'No final response after CANCEL')
  }
}

function onFinal(status: number, now: Millis, t: Timers): Next {
  if (isSuccess(status)) return { state: { state: 'accepted', timerM: now + lifetime(t) }, effects: DELIVER }
  const state: InviteClient = t.reliable ? { state: 'terminated' } : { state: 'completed', timerD: now + absorption(t) }
  return { state, effects: ACK_AND_DELIVER }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

function stay(tx: InviteClient): Next {
  return { state: tx, effects: [] }
}

function failed(cause: 'timeout' | 'transport', detail: string): Next {
  return { state: { state: 'terminated' }, effects: [{ kind: 'failed', cause, detail }] }
}

const TERMINATED: Next = { state: { state: 'terminated' }, effects: [] }
const RETRANSMIT: readonly InviteClientEffect[] = [{ kind: 'retransmit' }]
const SEND_CANCEL: readonly InviteClientEffect[] = [{ kind: 'send-cancel' }]
const SEND_ACK: readonly InviteClientEffect[] = [{ kind: 'send-ack' }]
const DELIVER: readonly InviteClientEffect[] = [{ kind: 'deliver' }]
const ACK_AND_DELIVER: readonly InviteClientEffect[] = [...SEND_ACK, ...DELIVER]
const DELIVER_SUCCESS_AGAIN: readonly InviteClientEffect[] = [{ kind: 'deliver-success-again' }]

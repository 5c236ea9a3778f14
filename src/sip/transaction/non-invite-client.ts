import { earliest, type Millis, type Step } from '../../base/index.ts'
import { lifetime, type Timers } from './timers.ts'

/** Non-INVITE client transaction, RFC 3261 §17.1.2. Timers are deadlines in ms. */
export type NonInviteClient =
  | Pending
  | { readonly state: 'completed'; readonly timerK: Millis }
  | { readonly state: 'terminated' }

interface Pending {
  readonly state: 'trying' | 'proceeding'
  readonly interval: Millis
  readonly timerE?: Millis
  readonly timerF: Millis
}

export type NonInviteClientEvent =
  | { readonly kind: 'response'; readonly status: number }
  | { readonly kind: 'transport-failed'; readonly cause: string }
  | { readonly kind: 'wake' }

export type NonInviteClientEffect =
  | { readonly kind: 'retransmit' }
  | { readonly kind: 'deliver' }
  | { readonly kind: 'failed'; readonly cause: 'timeout' | 'transport'; readonly detail: string }

type Next = Step<NonInviteClient, NonInviteClientEffect>

/** The request was just sent. */
export function startNonInviteClient(now: Millis, t: Timers): NonInviteClient {
  const trying = { state: 'trying', interval: t.t1, timerF: now + lifetime(t) } as const
  return t.reliable ? trying : { ...trying, timerE: now + t.t1 }
}

export function stepNonInviteClient(tx: NonInviteClient, event: NonInviteClientEvent, now: Millis, t: Timers): Next {
  switch (tx.state) {
    case 'completed':
      return event.kind === 'wake' && now >= tx.timerK ? TERMINATED : stay(tx)
    case 'terminated':
      return stay(tx)
    default:
      return stepPending(tx, event, now, t)
  }
}

export function nonInviteClientDeadline(tx: NonInviteClient): Millis | undefined {
  switch (tx.state) {
    case 'completed':
      return tx.timerK
    case 'terminated':
      return undefined
    default:
      return earliest(tx.timerE, tx.timerF)
  }
}

function stepPending(tx: Pending, event: NonInviteClientEvent, now: Millis, t: Timers): Next {
  switch (event.kind) {
    case 'response':
      return onResponse(tx, event.status, now, t)
    case 'transport-failed':
      return failed('transport', event.cause)
    case 'wake': {
      if (now >= tx.timerF) return failed('timeout', 'No final response')
      if (tx.timerE === undefined || now < tx.timerE) return stay(tx)
      const interval = tx.state === 'trying' ? Math.min(2 * tx.interval, t.t2) : t.t2
      return { state: { ...tx, interval, timerE: now + interval }, effects: [{ kind: 'retransmit' }] }
    }
  }
}

function onResponse(tx: Pending, status: number, now: Millis, t: Timers): Next {
  if (status < 200) return { state: { ...tx, state: 'proceeding' }, effects: DELIVER }
  if (t.reliable) return { state: { state: 'terminated' }, effects: DELIVER }
  return { state: { state: 'completed', timerK: now + t.t4 }, effects: DELIVER }
}

function stay(tx: NonInviteClient): Next {
  return { state: tx, effects: [] }
}

function failed(cause: 'timeout' | 'transport', detail: string): Next {
  return { state: { state: 'terminated' }, effects: [{ kind: 'failed', cause, detail }] }
}

const TERMINATED: Next = { state: { state: 'terminated' }, effects: [] }
const DELIVER: readonly NonInviteClientEffect[] = [{ kind: 'deliver' }]

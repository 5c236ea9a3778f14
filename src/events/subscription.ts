import type { ByteString, Millis, Step } from '../base/index.ts'
import type { ClientKey, Dialog } from '../sip/index.ts'
import type { EndReason, EventName, EventUser, Subscription, SubscriptionEffect, SubscriptionEvent } from './model.ts'

export interface SubscriptionParts {
  readonly event: EventName
  readonly watcher: EventUser
  readonly resource: EventUser
  readonly dialog: Dialog
  /** 0: the watcher wants the state once (RFC 6665 §4.4.3). */
  readonly expiresMs: Millis
}

type Stepped = Step<Subscription, SubscriptionEffect>

/** A subscription that was just accepted. Its first NOTIFY, which tells everything (RFC 6665 §4.2.1.2), goes out at once. */
export function createSubscription(parts: SubscriptionParts, now: Millis): Stepped {
  const { expiresMs, ...rest } = parts
  const isFetch = expiresMs === 0
  return pump(
    {
      ...rest,
      expiresAt: now + expiresMs,
      phase: isFetch ? 'closing' : 'active',
      reason: isFetch ? 'timeout' : undefined,
      inFlight: undefined,
      owed: 'everything',
      notified: 0,
    },
    now,
  )
}

/** The notifier's side of a subscription, RFC 6665 §4.2. */
export function step(subscription: Subscription, event: SubscriptionEvent, now: Millis): Stepped {
  if (subscription.phase === 'ended') return { state: subscription, effects: [] }
  switch (event.kind) {
    case 'refreshed':
      return onRefreshed(subscription, event.expiresMs, event.dialog, now)
    case 'news':
      return subscription.owed === 'nothing' ? pump({ ...subscription, owed: 'news' }, now) : stay(subscription)
    case 'answered':
      if (event.key !== subscription.inFlight) return stay(subscription)
      // RFC 6665 §4.2.2: a failure ends it, unless the watcher only asks for another try.
      return event.status < 300 || event.mayRetry ? onSettled(subscription, now) : ended(subscription)
    case 'unanswered':
      return event.key === subscription.inFlight ? ended(subscription) : stay(subscription)
    case 'farewell':
      return close(subscription, 'probation', now)
    case 'wake':
      return now < subscription.expiresAt ? stay(subscription) : close(subscription, 'timeout', now)
  }
}

/** When it expires. While it closes the NOTIFY's own transaction is what ends it. */
export function deadline({ phase, expiresAt }: Subscription): Millis | undefined {
  return phase === 'active' ? expiresAt : undefined
}

/** Each SUBSCRIBE is followed by a NOTIFY with the whole state (RFC 6665 §4.2.1.2). */
function onRefreshed(subscription: Subscription, expiresMs: Millis, dialog: Dialog, now: Millis): Stepped {
  if (expiresMs === 0) return close({ ...subscription, dialog }, 'timeout', now)
  return pump({ ...subscription, dialog, expiresAt: now + expiresMs, owed: 'everything' }, now)
}

function onSettled(subscription: Subscription, now: Millis): Stepped {
  const settled = { ...subscription, inFlight: undefined }
  return settled.phase === 'closing' && settled.owed === 'nothing' ? ended(settled) : pump(settled, now)
}

function close(subscription: Subscription, reason: EndReason, now: Millis): Stepped {
  if (subscription.phase === 'closing') return stay(subscription)
  return pump({ ...subscription, phase: 'closing', reason, owed: 'everything' }, now)
}

/** Sends what is owed, if nothing is under way. */
function pump(subscription: Subscription, now: Millis): Stepped {
  const { owed, inFlight, notified } = subscription
  if (owed === 'nothing' || inFlight !== undefined) return stay(subscription)
  const key = notifyKey(subscription)
  return {
    state: { ...subscription, owed: 'nothing', inFlight: key, notified: notified + 1 },
    effects: [{ kind: 'notify', key, tells: owed, state: stateValue(subscription, now), version: notified }],
  }
}

/** RFC 6665 §4.1.3, with seconds. */
const PROBATION = 'probation;retry-after=10'

/** RFC 6665 §8.2.3. */
function stateValue({ phase, reason, expiresAt }: Subscription, now: Millis): ByteString {
  if (phase !== 'active') return `terminated;reason=${reason === 'probation' ? PROBATION : 'timeout'}`
  return `active;expires=${Math.max(0, Math.round((expiresAt - now) / 1_000))}`
}

function notifyKey({ dialog, notified }: Subscription): ClientKey {
  return `notify ${dialog.localTag} ${notified}`
}

function ended(subscription: Subscription): Stepped {
  return {
    state: { ...subscription, phase: 'ended', inFlight: undefined, owed: 'nothing' },
    effects: [{ kind: 'ended' }],
  }
}

function stay(state: Subscription): Stepped {
  return { state, effects: [] }
}

import type { ByteString, Millis } from '../base/index.ts'
import type { ClientKey, Dialog } from '../sip/index.ts'

/** Event packages of ours (RFC 6665 §7): RFC 4235, RFC 3842, RFC 3856, RFC 3680. */
export type PackageName = 'dialog' | 'message-summary' | 'presence' | 'reg'

/** A user, as one who watches or is watched. */
export interface EventUser {
  readonly tenant: string
  readonly user: string
}

/** Value of an Event header (RFC 6665 §8.2.1). */
export interface EventName {
  readonly name: PackageName
  /** Tells several subscriptions of one watcher apart; must be in every NOTIFY. */
  readonly id?: ByteString | undefined
}

/**
 * One subscription on the notifier's side (RFC 6665 §4.2), plain data.
 *
 * At most one NOTIFY is under way: what happens meanwhile is told by the next one, so a slow watcher gets fewer and newer
 * notifications, and costs no queue.
 */
export interface Subscription {
  readonly event: EventName
  readonly watcher: EventUser
  readonly resource: EventUser
  readonly dialog: Dialog
  readonly expiresAt: Millis
  /** `closing`: the last NOTIFY is to be sent or is under way. */
  readonly phase: 'active' | 'closing' | 'ended'
  /** Why it closes; the `reason` of its last NOTIFY (RFC 6665 §4.1.3). */
  readonly reason?: EndReason | undefined
  /** The NOTIFY under way. */
  readonly inFlight?: ClientKey | undefined
  /** What the next NOTIFY has to tell. */
  readonly owed: 'nothing' | 'news' | 'everything'
  /** NOTIFYs made so far; packages whose documents have versions number them so. */
  readonly notified: number
}

/** `probation`: we go away; the watcher may ask again in a while. */
export type EndReason = 'timeout' | 'probation'

export type SubscriptionEvent =
  /** SUBSCRIBE inside its dialog; `dialog` has counted it. 0 ends the subscription. */
  | { readonly kind: 'refreshed'; readonly expiresMs: Millis; readonly dialog: Dialog }
  /** The watched state changed. */
  | { readonly kind: 'news' }
  /** Final response to the NOTIFY with that key. */
  | { readonly kind: 'answered'; readonly key: ClientKey; readonly status: number; readonly mayRetry: boolean }
  /** There will be none. */
  | { readonly kind: 'unanswered'; readonly key: ClientKey }
  /** The gateway ends. */
  | { readonly kind: 'farewell' }
  | { readonly kind: 'wake' }

export type SubscriptionEffect =
  /** Send a NOTIFY: everything, or what changed since the last one. */
  | {
      readonly kind: 'notify'
      readonly key: ClientKey
      readonly tells: 'everything' | 'news'
      /** Value of Subscription-State. */
      readonly state: ByteString
      /** Of the document, from 0. */
      readonly version: number
    }
  | { readonly kind: 'ended' }

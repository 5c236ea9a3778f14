import type { HeaderField } from '../sip/index.ts'
import type { CallerIdentity } from './identity.ts'
import type { Destination, LegId } from './model.ts'
import type { Outcome } from './status.ts'

/** A transfer that we carry out (RFC 5589 §6): the transferor's place goes to the target. */
export interface Transfer {
  /** The transferor. */
  readonly by: LegId
  /** The transferee. */
  readonly stays: LegId
  /** Who calls the target. */
  readonly from: CallerIdentity
  /** What the INVITE to the target says besides. */
  readonly headers: readonly HeaderField[]
  /** Groups of destinations that were not tried yet. */
  readonly groups: readonly (readonly Destination[])[]
  /** Legs that ring or are about to. */
  readonly targets: readonly LegId[]
  readonly outcomes: readonly Outcome[]
  /** Absent: the transferor wants no NOTIFY (RFC 4488), or no longer. */
  readonly subscription?: ReferSubscription | undefined
  readonly outcome?: 'connected' | 'failed' | undefined
}

/** The implicit subscription of a REFER (RFC 3515 §2.4.4). */
export interface ReferSubscription {
  /** Value of `Event`. */
  readonly event: string
  /** When the transfer is over at the latest. */
  readonly expiresAt: number
  /** A NOTIFY is on its way; the next one waits, so that they come in order. */
  readonly notifying: boolean
  /** Status to be told next. */
  readonly next?: number | undefined
}

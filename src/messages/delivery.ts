import type { Millis, Step } from '../base/index.ts'
import type { ClientKey } from '../sip/index.ts'

/** One message on its way to every contact of a user at once, plain data. */
export interface Delivery {
  /** MESSAGEs without final response. */
  readonly pending: readonly ClientKey[]
  /** Failures so far; 0: no answer at all. */
  readonly failures: readonly number[]
  /** The outcome was told. */
  readonly isDecided: boolean
  /** When whoever waits is told that nobody has taken it yet. */
  readonly until: Millis
}

export type DeliveryEvent =
  | { readonly kind: 'answered'; readonly key: ClientKey; readonly status: number }
  /** No final response came, or will. */
  | { readonly kind: 'unanswered'; readonly key: ClientKey }
  | { readonly kind: 'wake' }

export type DeliveryEffect =
  /** Somebody took it. May come after `unreached`. */
  | { readonly kind: 'taken' }
  /** Every contact answered, and all that did do not want it. */
  | { readonly kind: 'refused'; readonly status: number }
  /** It did not get through to somebody who might have taken it. */
  | { readonly kind: 'unreached' }
  /** Nothing more will happen. */
  | { readonly kind: 'done' }

type Stepped = Step<Delivery, DeliveryEffect>

/** @param keys One for each contact; at least one. */
export function createDelivery(keys: readonly ClientKey[], until: Millis): Delivery {
  return { pending: keys, failures: [], isDecided: false, until }
}

/** A final response to MESSAGE is all there is (RFC 3428 §7); the first 2xx counts, as for a forking proxy (RFC 3261 §16.7). */
export function step(delivery: Delivery, event: DeliveryEvent, now: Millis): Stepped {
  if (event.kind === 'wake') {
    const isLate = !delivery.isDecided && now >= delivery.until
    return isLate ? decided(delivery, { kind: 'unreached' }) : { state: delivery, effects: [] }
  }
  if (!delivery.pending.includes(event.key)) return { state: delivery, effects: [] }
  const pending = delivery.pending.filter((key) => key !== event.key)
  const status = event.kind === 'answered' ? event.status : 0
  if (status >= 200 && status < 300) {
    return finish({ ...delivery, pending: [], isDecided: true }, [{ kind: 'taken' }]) // Others may get it too; it is one message.
  }
  const after = { ...delivery, pending, failures: [...delivery.failures, status] }
  if (pending.length > 0) return { state: after, effects: [] }
  return finish({ ...after, isDecided: true }, after.isDecided ? [] : [verdict(after.failures)])
}

function decided(delivery: Delivery, outcome: DeliveryEffect): Stepped {
  return finish({ ...delivery, isDecided: true }, [outcome])
}

function finish(state: Delivery, effects: readonly DeliveryEffect[]): Stepped {
  return { state, effects: state.pending.length === 0 ? [...effects, { kind: 'done' }] : effects }
}

/** Statuses of somebody who is not there now. */
const ABSENT = new Set([0, 408, 430, 480, 503, 504])

function verdict(failures: readonly number[]): DeliveryEffect {
  if (failures.some((status) => ABSENT.has(status))) return { kind: 'unreached' }
  const [worst = 480] = failures.toSorted((a, b) => rank(a) - rank(b))
  return { kind: 'refused', status: worst }
}

/** RFC 3261 §16.7 step 6: a global failure first, then the lowest. */
function rank(status: number): number {
  return status >= 600 ? status - 600 : status
}

import type { Millis } from '../../base/index.ts'

/** The base times of RFC 3261 §17.1.1.1, in ms, for one kind of transport. */
export interface Timers {
  readonly t1: Millis
  readonly t2: Millis
  readonly t4: Millis
  /** Nothing is repeated and nothing repeated is awaited: timers D, I, J and K are zero. */
  readonly reliable: boolean
}

/** 64·T1: timers B, F, H, L, M; D and J where the transport loses messages. */
export function lifetime(t: Timers): Millis {
  return 64 * t.t1
}

/** How long a final response's repetitions are absorbed where messages can be repeated. */
export function absorption(t: Timers): Millis {
  return t.reliable ? 0 : lifetime(t)
}

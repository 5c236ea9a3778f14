/** One final answer of a branch, as far as the choice among them needs it. */
export interface Outcome {
  readonly status: number
  /** Header lines that tell the caller more: `Retry-After`, `Reason`. */
  readonly told: readonly { readonly name: string; readonly value: string }[]
}

/**
 * What the caller is told when a branch answered with `status`, where that is not the status itself.
 *
 * A B2BUA's requests are its own: a fault in them, or a challenge only we could answer, is not the caller's to repair.
 */
const TOLD: Readonly<Record<number, number>> = {
  400: 500,
  401: 503, // The trunk wants credentials that we do not have or that are wrong: our side is out of service for it.
  402: 503,
  405: 500,
  406: 500,
  407: 503,
  413: 500,
  414: 500,
  415: 488, // About the body we made: to the caller it means that the media cannot be agreed.
  416: 500,
  420: 500,
  421: 500,
  422: 500,
  423: 500,
  481: 500,
  485: 404,
  489: 500,
  493: 488,
  494: 500,
  501: 500,
  505: 500,
  513: 500,
  580: 488,
  606: 488,
}

/** The status toward the caller for a final failure of a branch. 404, 480, 486, 487, 488, 503, 603 stay themselves. */
export function statusForCaller(status: number): number {
  if (status >= 300 && status < 400) return 480 // One that we do not follow; the caller is not shown where it leads.
  return TOLD[status] ?? status
}

/** 4xx that tell the sender how to ask again (RFC 3261 §16.7 step 6). */
const INSTRUCTIVE = new Set([401, 407, 415, 420, 484])

/**
 * The answer that counts when all branches failed (RFC 3261 §16.7 step 6): any 6xx; else the lowest class, within 4xx
 * one that says how to ask again; among equals the first that came.
 */
export function bestOutcome(outcomes: readonly Outcome[]): Outcome | undefined {
  let best: Outcome | undefined
  for (const outcome of outcomes) if (best === undefined || rank(outcome) < rank(best)) best = outcome
  return best
}

function rank({ status }: Outcome): number {
  if (status >= 600) return 0
  return Math.floor(status / 100) * 2 + (INSTRUCTIVE.has(status) ? 0 : 1)
}

/** Whether another target of the same trunk may succeed where this one answered with `status`. */
export function mayTryNext(status: number): boolean {
  return status === 408 || (status >= 500 && status < 600)
}

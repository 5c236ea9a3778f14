import type { Millis } from '../base/index.ts'
import type { LegId, RouteDecision } from '../call/index.ts'
import {
  type AddressTarget,
  type ClientKey,
  type HeaderField,
  isIpAddress,
  type LocatedTargets,
  Locator,
  type LocatorOutput,
  type SendTarget,
  type SipEndpoint,
  type SipRequest,
  type SipResponse,
} from '../sip/index.ts'
import type { LiveCall } from './call-table.ts'
import type { CoreCounting, CoreOptions, CoreOutput } from './core-model.ts'
import { isLarge, overTcp } from './large-requests.ts'

/** How long a target is tried last that did not serve, in ms. */
const AVOID_MS = 60_000
/** The most that a target's own Retry-After makes of it, in ms. */
const LONGEST_AVOID_MS = 3_600_000
/** For how long large requests go over UDP to a target that takes no connections, in ms. */
const NO_TCP_MS = 600_000

/** A request of a call, toward a trunk. */
export interface Leaving {
  readonly call: LiveCall
  readonly leg: LegId
  readonly key: ClientKey
  readonly request: SipRequest
  readonly target: SendTarget
}

/** A request under way: where it went, and where else it could go. */
interface Attempt {
  readonly leaving: Leaving
  target: AddressTarget
  rest: readonly AddressTarget[]
  /** The target answered something. */
  isHeard: boolean
}

/** An ACK that waits for the DNS. */
interface WaitingAck {
  readonly key: ClientKey
  readonly ack: SipRequest
}

export interface NextHopsDeps {
  readonly options: CoreOptions
  readonly endpoint: SipEndpoint
  readonly emit: (output: CoreOutput) => void
  readonly note: (leaving: Leaving, text: string, facts: Readonly<Record<string, string>>, now: Millis) => void
}

/** A request that cannot be sent at all. */
export interface Unsent {
  readonly key: ClientKey
  readonly detail: string
}

/** Why a target did not serve; also the label of its counter. */
type Failing = 'silent' | 'timeout' | 'transport' | '503'

/**
 * Sends requests toward trunks where the DNS says (RFC 3263 §4.2), to the next target when one does not serve (§4.3, each
 * time as a new transaction), and over TCP if they are too large for a datagram (RFC 3261 §18.1.1).
 */
export class NextHops {
  readonly #deps: NextHopsDeps
  readonly #locator: Locator
  readonly #count: CoreCounting | undefined
  readonly #avoidMs: Millis
  readonly #attempts = new Map<ClientKey, Attempt>()
  /** What waits for the DNS, by the name of its search. */
  readonly #waiting = new Map<string, Leaving | WaitingAck>()
  #unsent: Unsent[] = []
  #acks = 0

  constructor(deps: NextHopsDeps) {
    const { ids, locating, count } = deps.options
    this.#deps = deps
    this.#count = count
    this.#avoidMs = locating?.avoidMs ?? AVOID_MS
    this.#locator = new Locator({
      random: () => fraction(ids.token()),
      transports: locating?.transports ?? ['udp', 'tcp'],
    })
  }

  /** Finds the servers of a domain for a call; the result comes by `pollLocator` under this id. */
  locate(id: string, target: AddressTarget, now: Millis): void {
    this.#locator.start(id, target, now)
  }

  answered(input: Parameters<Locator['answered']>[0], answer: Parameters<Locator['answered']>[1], now: Millis): void {
    this.#locator.answered(input, answer, now)
  }

  pollLocator(): LocatorOutput | undefined {
    return this.#locator.poll()
  }

  /** Requests that nobody will answer. */
  pollUnsent(): Unsent | undefined {
    return this.#unsent.shift()
  }

  /** The same targets; those that did not serve lately behind the others. */
  preferServing(decision: RouteDecision, now: Millis): RouteDecision {
    const { avoided } = this.#locator
    if (avoided.size === 0 || decision.kind !== 'ring' || decision.groups.length < 2) return decision
    const isAvoided = (group: (typeof decision.groups)[number]): boolean =>
      group.every(({ target }) => target.kind === 'address' && avoided.has(target, now))
    const { groups } = decision
    return { ...decision, groups: [...groups.filter((each) => !isAvoided(each)), ...groups.filter(isAvoided)] }
  }

  request(leaving: Leaving, now: Millis): void {
    const { target, key, request } = leaving
    if (target.kind === 'flow') this.#deps.endpoint.handle({ kind: 'request', key, request, target }, now)
    else if (isIpAddress(target.to.host)) this.#begin(leaving, [target], now)
    else {
      this.#waiting.set(key, leaving)
      this.#locator.start(key, target, now)
    }
  }

  ack(key: ClientKey, ack: SipRequest, target: SendTarget, now: Millis): void {
    if (target.kind === 'flow' || isIpAddress(target.to.host)) {
      this.#deps.endpoint.handle({ kind: 'ack', key, ack, target }, now)
      return
    }
    const id = `ack ${++this.#acks}`
    this.#waiting.set(id, { key, ack })
    this.#locator.start(id, target, now)
  }

  /** A cancelled request goes nowhere else. */
  cancel(key: ClientKey, headers: readonly HeaderField[] | undefined, now: Millis): void {
    if (this.#waiting.delete(key)) {
      this.#locator.forget(key)
      this.#unsent.push({ key, detail: 'cancelled before its target was found' })
      return
    }
    const attempt = this.#attempts.get(key)
    if (attempt !== undefined) attempt.rest = []
    this.#deps.endpoint.handle({ kind: 'cancel', key, ...(headers && { headers }) }, now)
  }

  /** A search of ours has its result. */
  located(id: string, found: LocatedTargets, now: Millis): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (waiting === undefined) return
    const targets = found.targets.map(({ target }) => target)
    if ('ack' in waiting) {
      const [target] = targets // None: the peer repeats its 2xx, and gives up in the end (RFC 3261 §13.3.1.4).
      if (target !== undefined) this.#deps.endpoint.handle({ kind: 'ack', ...waiting, target }, now)
    } else if (targets.length > 0) this.#begin(waiting, targets, now)
    else this.#unsent.push({ key: waiting.key, detail: found.problem ?? 'no target' })
  }

  /** An INVITE to this target got no sign of life in time. */
  silent(key: ClientKey, now: Millis): void {
    const attempt = this.#attempts.get(key)
    if (attempt === undefined) return
    attempt.isHeard = true // What its transaction comes to says nothing new.
    this.#avoid(attempt.target, 'silent', now)
  }

  /** @returns whether the request goes on to another target: then this answer is not the call's. */
  responded(key: ClientKey, { status, headers }: SipResponse, now: Millis): boolean {
    const attempt = this.#attempts.get(key)
    if (attempt === undefined) return false
    attempt.isHeard = true
    if (status < 200) {
      attempt.rest = []
      return false
    }
    this.#attempts.delete(key)
    if (status !== 503) {
      this.#locator.avoided.forgive(attempt.target)
      return false
    }
    this.#avoid(attempt.target, '503', now, retryAfterMs(headers.get('Retry-After')))
    const { host } = attempt.target.to
    attempt.rest = attempt.rest.filter(({ to }) => to.host !== host) // It would say the same over another transport.
    return this.#next(attempt, '503 Service Unavailable', now)
  }

  /** @returns whether the request goes on to another target. */
  failed(key: ClientKey, failure: { readonly cause: 'timeout' | 'transport'; readonly detail: string }, now: Millis) {
    const attempt = this.#attempts.get(key)
    if (attempt === undefined) return false
    this.#attempts.delete(key)
    const { target, leaving } = attempt
    // Of a peer that takes no connections, that is known for longer.
    const isOnlyTcp =
      leaving.target.kind === 'address' && leaving.target.transport === 'udp' && target.transport === 'tcp'
    if (!attempt.isHeard) this.#avoid(target, failure.cause, now, isOnlyTcp ? NO_TCP_MS : undefined)
    return this.#next(attempt, failure.detail, now)
  }

  /** The call is over. */
  forget(call: LiveCall): void {
    this.#locator.forget(call.id)
    for (const key of call.outstanding.keys()) this.#attempts.delete(key)
  }

  #begin(leaving: Leaving, targets: readonly AddressTarget[], now: Millis): void {
    const { avoided } = this.#locator
    const isTooLarge = targets.some(({ transport }) => transport === 'udp') && isLarge(leaving.request)
    const ways = isTooLarge ? targets.flatMap((target) => overTcp(target, avoided, now)) : targets
    const [target, ...rest] = ways
    if (target !== undefined) this.#send({ leaving, target, rest, isHeard: false }, now)
  }

  #next(attempt: Attempt, why: string, now: Millis): boolean {
    const [target, ...rest] = attempt.rest
    if (target === undefined) return false
    const { leaving } = attempt
    const facts = { failed: described(attempt.target), next: described(target) }
    this.#deps.note(leaving, `Sending ${leaving.request.method} elsewhere: ${why}`, facts, now)
    this.#send({ leaving, target, rest, isHeard: false }, now)
    return true
  }

  #send(attempt: Attempt, now: Millis): void {
    const { key, request } = attempt.leaving
    this.#attempts.set(key, attempt)
    this.#deps.endpoint.handle({ kind: 'request', key, request, target: attempt.target }, now)
  }

  #avoid(target: AddressTarget, cause: Failing, now: Millis, forMs?: Millis): void {
    const ms = forMs ?? this.#avoidMs
    this.#count?.targetFailed(cause)
    if (!this.#locator.avoided.avoid(target, ms, now)) return
    this.#deps.emit({
      kind: 'log',
      level: 'warn',
      fields: { target: described(target), cause, seconds: Math.round(ms / 1_000) },
      message: 'a target did not serve a request and is tried last for a while',
    })
  }
}

/** RFC 3261 §20.33: seconds, with a comment or parameters behind them. */
function retryAfterMs(value: string | undefined): Millis | undefined {
  const [digits] = /^\d{1,9}/.exec(value ?? '') ?? []
  return digits === undefined ? undefined : Math.min(1_000 * Number(digits), LONGEST_AVOID_MS)
}

function described({ transport, to }: AddressTarget): string {
  return `${transport} ${to.host}:${to.port}`
}

/** A number from 0 to 1, without 1, out of what nobody can guess (FNV-1a). */
function fraction(token: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < token.length; at++) hash = Math.imul(hash ^ token.charCodeAt(at), 0x01000193)
  return (hash >>> 0) / 2 ** 32
}

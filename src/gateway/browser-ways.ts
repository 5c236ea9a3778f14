import type { Millis } from '../base/index.ts'
import type { CallEffect, LegId } from '../call/index.ts'
import type { ClientKey, Flow, SendTarget, SipEndpoint, SipOutput, SipRequest } from '../sip/index.ts'
import { AwaitedReturns, type AwaitingRequest } from './awaited-returns.ts'
import { type CallTable, isWebSocket, type LiveCall } from './call-table.ts'
import type { Decisions, UserName, Way } from './decisions.ts'

/** A request in a dialog waits for a browser's return for as long as one over UDP for an answer (RFC 3261, 64·T1). */
const RETURN_IN_DIALOG_MS = 32_000

interface Sending extends Omit<AwaitingRequest, 'who' | 'flow'> {
  readonly target: SendTarget
}

export interface BrowserWaysDeps {
  readonly endpoint: SipEndpoint
  readonly table: CallTable
  readonly decisions: Pick<Decisions, 'wayTo' | 'pageOn'>
  /** A line of the timeline. */
  readonly note: (call: LiveCall, leg: LegId, text: string, now: Millis) => void
}

/**
 * Sends the requests of calls. Those to a browser go over its newest connection; where it has none, they wait for it to
 * come back.
 */
export class BrowserWays {
  readonly #deps: BrowserWaysDeps
  readonly #returns = new AwaitedReturns()

  constructor(deps: BrowserWaysDeps) {
    this.#deps = deps
  }

  /** The user registered on `flow`: what waits for one of its browsers goes out. */
  registered(who: UserName, flow: Flow, now: Millis): void {
    for (const waiting of this.#returns.of(who)) {
      const { request } = waiting
      const way = this.#deps.decisions.wayTo(request.uri, { kind: 'flow', flow: waiting.flow }, who, now)
      if (leadsElsewhere(way, waiting.flow.id)) this.#goesOn(waiting, way.target, request, now)
      else if (request.headers.toTag === undefined) {
        const uri = this.#freshPage(waiting, flow, now)
        if (uri !== undefined) this.#goesOn(waiting, { kind: 'flow', flow }, { ...request, uri }, now)
      }
    }
  }

  /** A browser goes on with this leg over another connection. */
  moved(call: LiveCall, leg: LegId, flow: Flow, now: Millis): void {
    for (const [key, outstanding] of call.outstanding) {
      const waiting = outstanding.leg === leg ? this.#returns.take(key) : undefined
      if (waiting !== undefined) this.#send({ ...waiting, target: { kind: 'flow', flow } }, now)
    }
  }

  giveUp(key: ClientKey, now: Millis): void {
    this.#returns.giveUp(key, now)
  }

  forget(call: LiveCall): void {
    for (const key of call.outstanding.keys()) this.#returns.take(key)
  }

  deadline(): Millis | undefined {
    return this.#returns.deadline()
  }

  /** Takes out a request that has waited long enough. */
  due(now: Millis): AwaitingRequest | undefined {
    return this.#returns.due(now)
  }

  /** Sends a request of the call, or keeps it until its browser is back. */
  request(call: LiveCall, effect: CallEffect & { readonly kind: 'request' }, now: Millis): void {
    const { leg, key, request, target } = effect
    const way = this.to(call, leg, { uri: request.uri, target }, now)
    if (way.kind === 'away' && this.#awaits({ call, leg, key, request }, way.until, now)) return
    this.#send({ call, leg, key, request, target: way.kind === 'open' ? way.target : target }, now)
  }

  #send(sending: Sending, now: Millis): void {
    const { endpoint, table } = this.#deps
    const { key, request, target, branch } = sending
    if (target.kind === 'flow' && isWebSocket(target.flow)) {
      const dialog = table.byDialog(request.headers.callId, request.headers.fromTag)?.dialog
      if (dialog !== undefined) bindToFlow(dialog, target.flow)
    }
    endpoint.handle({ kind: 'request', key, request, target, branch }, now)
  }

  /** Whether the failed request goes on elsewhere, or waits until it can. */
  follow(call: LiveCall, { key, branch }: SipOutput & { readonly kind: 'failed' }, now: Millis): boolean {
    const outstanding = call.outstanding.get(key)
    if (outstanding === undefined) return false
    const { leg, request } = outstanding
    const dialog = this.#deps.table.byDialog(request.headers.callId, request.headers.fromTag)?.dialog
    const { flow, status } = call.state.legs[leg] ?? {}
    if (dialog?.flowId === undefined || flow === undefined || status === 'cancelling') return false
    const way = this.to(call, leg, { uri: request.uri, target: { kind: 'flow', flow } }, now)
    if (leadsElsewhere(way, dialog.flowId)) this.#send({ call, leg, key, request, target: way.target, branch }, now)
    else return this.#awaits({ call, leg, key, request, branch }, way.kind === 'away' ? way.until : undefined, now)
    return true
  }

  /** `until`: when the contact is given up; unknown if none is left, as after a longer cut. */
  #awaits(parts: Omit<AwaitingRequest, 'who' | 'flow'>, until: Millis | undefined, now: Millis): boolean {
    const { call, leg, request } = parts
    const { party, flow } = call.state.legs[leg] ?? {}
    const end = request.headers.toTag === undefined ? until : now + RETURN_IN_DIALOG_MS
    if (party?.kind !== 'user' || flow === undefined || end === undefined) return false
    if (!this.#returns.add({ ...parts, who: party, flow }, end)) return false
    this.#deps.note(call, leg, `${request.method} waits for the browser to connect again`, now)
    return true
  }

  #goesOn({ call, leg, key, branch }: AwaitingRequest, target: SendTarget, request: SipRequest, now: Millis): void {
    this.#returns.take(key)
    const outstanding = call.outstanding.get(key)
    if (outstanding === undefined) return
    call.outstanding.set(key, { ...outstanding, request })
    this.#send({ call, leg, key, request, target, branch }, now)
  }

  /** A page that was loaded anew has another Contact; it is rung in the place of the old one, once in each call. */
  #freshPage({ call, who }: AwaitingRequest, flow: Flow, now: Millis): string | undefined {
    const uri = this.#deps.decisions.pageOn(flow.id, who, now)
    return [...call.outstanding.values()].some(({ request }) => request.uri === uri) ? undefined : uri
  }

  /** Where a request of that leg goes now. */
  to(call: LiveCall, leg: LegId, { uri, target }: { uri: string; target: SendTarget }, now: Millis): Way {
    const party = call.state.legs[leg]?.party
    return party?.kind === 'user' ? this.#deps.decisions.wayTo(uri, target, party, now) : { kind: 'open', target }
  }
}

function leadsElsewhere(way: Way, flowId: string): way is Way & { readonly kind: 'open' } {
  return way.kind === 'open' && way.target.kind === 'flow' && way.target.flow.id !== flowId
}

/** Only connections bind: a UDP peer may change its port between two requests (NAT). */
export function bindToFlow(dialog: { flowId?: string }, flow: Flow): void {
  if (isWebSocket(flow)) dialog.flowId = flow.id
}

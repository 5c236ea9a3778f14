import {
  asGatewayError,
  createDeadlineQueue,
  earliest,
  FAULTS,
  type FaultCode,
  LIMITS,
  type Millis,
} from '../base/index.ts'
import {
  type CallEffect,
  type CallEvent,
  type CallNote,
  type CallRecord,
  callMachine,
  createCall,
  nextLegId,
} from '../call/index.ts'
import type { MediaEvent } from '../media/index.ts'
import type { Flow, LocatorOutput, SipEndpoint, SipMessage, SipOutput } from '../sip/index.ts'
import { replyTo } from '../sip/index.ts'
import { BrowserWays, bindToFlow } from './browser-ways.ts'
import { type CallTable, type KnownDialog, type LiveCall, learnRemoteTag } from './call-table.ts'
import type { CoreCounting, CoreOptions, CoreOutput } from './core-model.ts'
import type { Decisions } from './decisions.ts'
import { createEndedCalls } from './ended-calls.ts'
import { NextHops } from './next-hops.ts'
import { createTimeline, type EntryReader, type MessageSeen, remoteOf } from './timeline.ts'
import { recordOnWall, viewOf, type WallClock } from './views.ts'

export interface CallsDeps {
  readonly options: CoreOptions
  readonly endpoint: SipEndpoint
  readonly table: CallTable
  readonly decisions: Pick<Decisions, 'wayTo' | 'pageOn' | 'redirect'>
  readonly wall: WallClock
  readonly emit: (output: CoreOutput) => void
}

type Offer = Omit<CallEvent & { readonly kind: 'offered' }, 'kind'>

/** An ended call stays readable for this long unless the options say otherwise, in ms. */
const ENDED_KEPT_MS = 3_600_000

/**
 * Runs the call machines: each event in, each effect to whoever carries it out.
 *
 * A fault in one call's code ends that call and no other.
 */
export class Calls {
  readonly #deps: CallsDeps
  readonly #machine: ReturnType<typeof callMachine>
  readonly #deadlines = createDeadlineQueue()
  readonly #redirects: (CallEffect & { readonly kind: 'redirect' })[] = []
  readonly ways: BrowserWays
  readonly #count: CoreCounting | undefined
  readonly hops: NextHops
  readonly ended: ReturnType<typeof createEndedCalls>

  constructor(deps: CallsDeps) {
    const { options } = deps
    this.#deps = deps
    this.#machine = callMachine({ config: options.call, ids: options.ids })
    this.#count = options.count
    this.hops = new NextHops({
      ...deps,
      note: ({ call, leg }, text, facts, now) => this.#note(call, { topic: 'routing', text, leg, facts }, now),
    })
    this.ways = new BrowserWays({
      ...deps,
      note: (call, leg, text, now) => this.#note(call, { leg, topic: 'routing', text }, now),
    })
    this.ended = createEndedCalls({
      kept: options.limits?.endedCallsKept ?? LIMITS.endedCallsKept,
      keptMs: options.limits?.endedCallsKeptMs ?? ENDED_KEPT_MS,
    })
  }

  /** A new call. */
  offer(offer: Offer, seen: MessageSeen, now: Millis): void {
    const { options, table } = this.#deps
    const { request, flow } = offer
    const id = options.ids.token()
    const call: LiveCall = {
      id,
      tenant: offer.caller.tenant,
      startedAt: now,
      state: createCall(id),
      timeline: createTimeline(options.limits?.timelineEntries ?? LIMITS.timelineEntries),
      unanswered: new Map(),
      outstanding: new Map(),
      dialogs: new Map(),
      sipCallIds: new Map(),
      sessions: new Set(),
      unclosed: new Set(),
      media: new Map(),
      callerTag: request.headers.fromTag,
      callerSequence: request.headers.cseq.sequence,
      callerFlow: flow,
    }
    table.add(call)
    table.awaitsAnswer(call, offer.key, { leg: 'a', request, answered: false })
    this.#count?.callStarted()
    this.#tell(call, call.timeline.message(this.#deps.wall(now), 'a', seen))
    const decision = this.hops.preferServing(offer.decision, now)
    this.step(call, { kind: 'offered', ...offer, decision }, now)
  }

  /** An INVITE that takes the place of `dialog`. */
  replace(
    { call, dialog }: { readonly call: LiveCall; readonly dialog: KnownDialog },
    replacing: Pick<CallEvent & { readonly kind: 'replacing' }, 'key' | 'request' | 'flow' | 'party'>,
    seen: MessageSeen,
    now: Millis,
  ): void {
    const leg = nextLegId(call.state)
    this.#deps.table.awaitsAnswer(call, replacing.key, { leg, request: replacing.request, answered: false })
    this.seen(call, leg, seen, now)
    this.step(call, { kind: 'replacing', leg: dialog.leg, ...replacing }, now)
  }

  step(call: LiveCall, event: CallEvent, now: Millis): void {
    try {
      this.#advance(call, event, now)
    } catch (thrown) {
      this.#fault(call, thrown, now)
    }
  }

  /** What the engine says of the call's media. Counters are for those who watch; the machine needs none. */
  media(call: LiveCall, event: MediaEvent, now: Millis): void {
    if (event.kind === 'quality') {
      for (const side of event.sides) call.media.set(side.side, side)
      this.#deps.emit({ kind: 'quality', call: call.id })
      return
    }
    this.#tell(call, call.timeline.media(this.#deps.wall(now), event))
    this.step(call, { kind: 'media', event }, now)
  }

  /** A request of the call got no answer. One to a browser whose connection closed waits for its return. */
  failed(call: LiveCall, failure: SipOutput & { readonly kind: 'failed' }, now: Millis): void {
    const { key, cause, detail } = failure
    if (this.hops.failed(key, { cause, detail }, now)) return
    if (cause === 'transport' && this.ways.follow(call, failure, now)) return
    this.#deps.table.finished(call, key)
    this.step(call, { kind: 'failed', key, cause, detail }, now)
  }

  /** Runs what is due. */
  wake(now: Millis): void {
    for (let lost = this.ways.due(now); lost !== undefined; lost = this.ways.due(now)) {
      const { call, key } = lost
      this.#deps.table.finished(call, key)
      this.step(call, { kind: 'failed', key, cause: 'transport', detail: 'The browser did not come back' }, now)
    }
    for (let id = this.#deadlines.due(now); id !== undefined; id = this.#deadlines.due(now)) {
      const call = this.#deps.table.byId(id)
      if (call !== undefined) this.step(call, { kind: 'wake' }, now)
    }
  }

  deadline(): Millis | undefined {
    return earliest(this.#deadlines.next(), this.ways.deadline())
  }

  /** Carries on with what the DNS is or was asked for. @returns whether there was anything. */
  locate(now: Millis): boolean {
    const { emit, table } = this.#deps
    const unsent = this.hops.pollUnsent()
    if (unsent !== undefined) {
      const call = table.byClientKey(unsent.key)
      if (call === undefined) return true
      table.finished(call, unsent.key)
      this.step(call, { kind: 'failed', cause: 'transport', ...unsent }, now)
      return true
    }
    const output = this.hops.pollLocator()
    if (output?.kind === 'asks') emit({ kind: 'dns-query', question: output.question })
    if (output?.kind === 'located') this.#located(output, now)
    return output !== undefined
  }

  #located({ id, found }: LocatorOutput & { readonly kind: 'located' }, now: Millis): void {
    const call = this.#deps.table.byId(id)
    if (call === undefined) this.hops.located(id, found, now)
    else this.step(call, { kind: 'located', ...found }, now)
  }

  /** Writes a message that came into the call's timeline. */
  seen(call: LiveCall, leg: string, seen: MessageSeen, now: Millis): void {
    this.#tell(call, call.timeline.message(this.#deps.wall(now), leg, seen))
  }

  #advance(call: LiveCall, event: CallEvent, now: Millis): void {
    const { state, effects } = this.#machine.step(call.state, event, now)
    call.state = state
    for (const effect of effects) this.#apply(call, effect, now)
    if (this.#redirects.length > 0) this.#follow(call, now)
    if (this.#deps.table.byId(call.id) === call) this.#deadlines.set(call.id, this.#machine.deadline(state))
  }

  /** A step answers a step: only when its effects are all done. */
  #follow(call: LiveCall, now: Millis): void {
    for (const { leg, party, contacts, status } of this.#redirects.splice(0)) {
      const destinations = this.#deps.decisions.redirect(party, contacts, now)
      this.#advance(call, { kind: 'redirected', leg, status, destinations }, now)
    }
  }

  #apply(call: LiveCall, effect: CallEffect, now: Millis): void {
    const { table, emit } = this.#deps
    switch (effect.kind) {
      case 'request':
        this.#request(call, effect, now)
        break
      case 'locate':
        this.hops.locate(call.id, effect.target, now)
        break
      case 'silent':
        this.hops.silent(effect.key, now)
        break
      case 'cancel':
        this.ways.giveUp(effect.key, now)
        this.hops.cancel(effect.key, effect.headers, now)
        break
      case 'ack': {
        const { leg, key, ack } = effect
        const way = this.ways.to(call, leg, { uri: ack.uri, target: effect.target }, now)
        this.hops.ack(key, ack, way.kind === 'open' ? way.target : effect.target, now)
        break
      }
      case 'respond':
        this.#respond(call, effect, now)
        break
      case 'redirect':
        this.#redirects.push(effect)
        break
      case 'dialog':
        this.#dialog(call, effect)
        break
      case 'media-open':
        table.session(call, effect.spec.id)
        emit({ ...effect, call: call.id })
        break
      case 'media-change':
        emit({ ...effect, call: call.id })
        break
      case 'media-close':
        call.unclosed.delete(effect.session)
        emit({ ...effect, call: call.id })
        break
      case 'note':
        this.#note(call, effect.note, now)
        break
      case 'changed':
        emit({ kind: 'call-changed', call: call.id })
        break
      case 'ended':
        this.#end(call, effect.record, now)
        break
    }
  }

  #request(call: LiveCall, effect: CallEffect & { readonly kind: 'request' }, now: Millis): void {
    const { leg, key, request, target, credentialsOf } = effect
    this.#deps.table.sent(call, key, credentialsOf === undefined ? { leg, request } : { leg, request, credentialsOf })
    if (call.state.legs[leg]?.party.kind === 'trunk') this.hops.request({ call, leg, key, request, target }, now)
    else this.ways.request(call, effect, now)
  }

  #respond(call: LiveCall, effect: CallEffect & { readonly kind: 'respond' }, now: Millis): void {
    const { key, response } = effect
    const { endpoint, table } = this.#deps
    const waiting = call.unanswered.get(key)
    if (response.status >= 200 && waiting !== undefined) {
      const isAcknowledged = waiting.request.method === 'INVITE' && response.status < 300
      if (isAcknowledged) call.unanswered.set(key, { ...waiting, answered: true })
      else table.settled(call, key)
    }
    endpoint.handle({ kind: 'respond', key, response }, now)
  }

  #dialog(call: LiveCall, effect: CallEffect & { readonly kind: 'dialog' }): void {
    const dialog = this.#deps.table.dialog(call, effect)
    if (effect.leg !== 'a' && effect.peer === undefined) return
    const { tag, flow } = effect.peer ?? { tag: call.callerTag, flow: call.callerFlow }
    learnRemoteTag(dialog, tag)
    bindToFlow(dialog, flow)
  }

  #end(call: LiveCall, record: CallRecord, now: Millis): void {
    const { table, emit, wall } = this.#deps
    const final = recordOnWall(record, wall)
    for (const side of record.media?.sides ?? []) call.media.set(side.side, side)
    for (const session of call.unclosed) emit({ kind: 'media-close', call: call.id, session })
    this.hops.forget(call)
    this.ways.forget(call)
    table.remove(call)
    this.#deadlines.set(call.id, undefined)
    this.ended.add(viewOf(call, wall), call.timeline, now)
    this.#count?.callEnded(final)
    emit({ kind: 'call-changed', call: call.id })
    emit({ kind: 'call-ended', record: final })
  }

  #note(call: LiveCall, note: CallNote, now: Millis): void {
    this.#tell(call, call.timeline.note(this.#deps.wall(now), note))
    const code = note.facts?.code
    if (note.topic !== 'error' || !isFaultCode(code)) return
    this.#count?.fault(code)
    if (FAULTS[code].blame === 'bug') this.#log(call, note.text) // The machine caught it and ends the call.
  }

  #tell(call: LiveCall, entry: EntryReader | undefined): void {
    if (entry !== undefined) this.#deps.emit({ kind: 'timeline', call: call.id, entry })
  }

  /** Our own bug met this call: end it as politely as its machine still can. */
  #fault(call: LiveCall, thrown: unknown, now: Millis): void {
    const { code, message, stack } = asGatewayError(thrown)
    this.#count?.fault(code)
    this.#log(call, `${message}\n${stack ?? ''}`)
    this.#tell(call, call.timeline.note(this.#deps.wall(now), { topic: 'error', text: `${code}: ${message}` }))
    try {
      this.#advance(call, { kind: 'end', reason: 'internal error' }, now)
    } catch (again) {
      this.#log(call, asGatewayError(again).message)
      this.#abandon(call, now)
    }
  }

  /** The machine is of no use any more: answer whoever waits, give everything back. */
  #abandon(call: LiveCall, now: Millis): void {
    const { endpoint } = this.#deps
    for (const [key, { request, answered }] of call.unanswered) {
      if (!answered) endpoint.handle({ kind: 'respond', key, response: replyTo(request, 500) }, now)
    }
    for (const [key, { request }] of call.outstanding) {
      if (request.method === 'INVITE') endpoint.handle({ kind: 'cancel', key }, now)
    }
    this.#end(call, abandonedRecord(call, now), now)
  }

  #log(call: LiveCall, detail: string): void {
    this.#deps.emit({
      kind: 'log',
      level: 'error',
      fields: { call: call.id, code: 'INTERNAL', detail },
      message: 'a call failed by a fault of ours',
    })
  }
}

function isFaultCode(code: unknown): code is FaultCode {
  return typeof code === 'string' && Object.hasOwn(FAULTS, code)
}

function abandonedRecord(call: LiveCall, now: Millis): CallRecord {
  const { asked, answeredAt } = call.state
  return {
    id: call.id,
    tenant: call.tenant,
    caller: asked?.caller ?? { kind: 'user', tenant: call.tenant, user: '' },
    from: asked?.from ?? '',
    to: asked?.to ?? '',
    startedAt: call.startedAt,
    ...(answeredAt === undefined ? {} : { answeredAt }),
    endedAt: now,
    status: answeredAt === undefined ? 500 : 200,
    endedBy: 'error',
    reason: 'internal error',
  }
}

/** A message of the network as the timeline keeps it. */
export function seenFrom(message: SipMessage, flow: Flow, data: string): MessageSeen {
  return { direction: 'in', message, data, repeated: false, ...remoteOf(flow) }
}

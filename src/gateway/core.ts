import type { CallDetail, CallView, RegistrationView } from '../api/index.ts'
import { asGatewayError, earliest, type Millis } from '../base/index.ts'
import { type CallId, isLoop, LOOP } from '../call/index.ts'
import type { MediaEvent } from '../media/index.ts'
import { createSipEndpoint, type Flow, type SipEndpoint, type SipMessage, type SipOutput } from '../sip/index.ts'
import { BeyondCalls } from './beyond-calls.ts'
import { CallTable, type InDialog, type LiveCall, learnRemoteTag } from './call-table.ts'
import { Calls, seenFrom } from './calls.ts'
import type { Core, CoreCounts, CoreInput, CoreKept, CoreOptions, CoreOutput } from './core-model.ts'
import type { Decisions } from './decisions.ts'
import { createDecisions } from './directory-decisions.ts'
import { detailOf } from './ended-calls.ts'
import { NewRequests } from './new-requests.ts'
import { Referrals } from './referrals.ts'
import { hangUpStray } from './stray-answer.ts'
import { answerToChallenge } from './trunk-auth.ts'
import { viewOf, type WallClock } from './views.ts'

/** The gateway without sockets, clock and randomness. */
export function createCore(options: CoreOptions): Core {
  return new GatewayCore(options)
}

type MediaResult = Extract<CoreInput, { readonly kind: `media-${string}` }>
type Received = CoreInput & { readonly kind: 'received' }

class GatewayCore implements Core {
  readonly #options: CoreOptions
  readonly #wall: WallClock
  readonly #endpoint: SipEndpoint
  readonly #decisions: Decisions
  readonly #table = new CallTable()
  readonly #calls: Calls
  readonly #beyond: BeyondCalls
  readonly #requests: NewRequests
  readonly #referrals: Referrals
  /** Messages from one call to another one. */
  #looped: string[] = []
  #outputs: CoreOutput[] = []
  #taken = 0
  #now: Millis = 0
  /** The message being read: its bytes are what the timeline shows. */
  #data = ''

  constructor(options: CoreOptions) {
    const emit = (output: CoreOutput): void => {
      this.#outputs.push(output)
      if (output.kind === 'call-changed') this.#beyond.callChanged(output.call)
    }
    this.#options = options
    this.#wall = options.wallClock ?? ((now) => now)
    this.#endpoint = createSipEndpoint(options.endpoint, { ids: options.ids })
    this.#decisions = createDecisions(options, (who, change) => {
      this.#beyond.registrationChanged(who, change, this.#now)
    })
    const shared = { options, endpoint: this.#endpoint, table: this.#table }
    this.#calls = new Calls({ ...shared, decisions: this.#decisions, wall: this.#wall, emit })
    this.#beyond = new BeyondCalls({ ...shared, decisions: this.#decisions, wall: this.#wall })
    this.#requests = new NewRequests({
      ...shared,
      calls: this.#calls,
      decisions: this.#decisions,
      beyond: this.#beyond,
    })
    this.#referrals = new Referrals({ options, table: this.#table, decisions: this.#decisions })
  }

  handle(input: CoreInput, now: Millis): void {
    this.#now = now
    this.#guarded(() => this.#input(input, now))
    this.#drain(now)
    for (let data = this.#looped.shift(); data !== undefined; data = this.#looped.shift()) {
      const own: CoreInput = { kind: 'received', flow: LOOP, data }
      this.#guarded(() => this.#input(own, now))
      this.#drain(now)
    }
    if (this.#beyond.hasNews) {
      this.#guarded(() => this.#beyond.flush(now))
      this.#drain(now)
    }
    this.#data = ''
  }

  #drain(now: Millis): void {
    do {
      for (let output = this.#endpoint.poll(); output !== undefined; output = this.#endpoint.poll()) {
        const current = output
        this.#guarded(() => this.#dispatch(current, now))
      }
    } while (this.#calls.locate(now))
  }

  poll(): CoreOutput | undefined {
    const output = this.#outputs[this.#taken++]
    if (output === undefined) {
      this.#outputs = []
      this.#taken = 0
    }
    return output
  }

  deadline(): Millis | undefined {
    const calls = earliest(this.#calls.deadline(), this.#beyond.deadline())
    return earliest(earliest(this.#endpoint.deadline(), calls), this.#decisions.deadline())
  }

  calls(): readonly CallView[] {
    const live = [...this.#table.all()].map((call) => viewOf(call, this.#wall)).reverse()
    // A call may be long in ending, because a phone does not answer our CANCEL.
    return [...live, ...this.#calls.ended.views(this.#now)].sort((one, other) => other.startedAt - one.startedAt)
  }

  call(id: CallId): CallDetail | undefined {
    const call = this.#table.byId(id)
    if (call === undefined) return this.#calls.ended.detail(id, this.#now)
    return detailOf(viewOf(call, this.#wall), call.timeline)
  }

  view(id: CallId): CallView | undefined {
    const call = this.#table.byId(id)
    return call === undefined ? this.#calls.ended.view(id) : viewOf(call, this.#wall)
  }

  isLive(id: CallId): boolean {
    return this.#table.byId(id) !== undefined
  }

  registrations(now: Millis): readonly RegistrationView[] {
    return this.#decisions.registrations(now)
  }

  counts(): CoreCounts {
    const { clientTransactions, serverTransactions } = this.#endpoint.counters()
    return {
      calls: this.#table.size,
      registrations: this.#decisions.count(),
      transactions: clientTransactions + serverTransactions,
    }
  }

  kept(): CoreKept {
    return this.#beyond.kept()
  }

  /** A fault of ours loses one message or one timer, not the gateway. */
  #guarded(run: () => void): void {
    try {
      run()
    } catch (thrown) {
      const { code, message, stack } = asGatewayError(thrown)
      this.#options.count?.fault(code)
      this.#log('error', { code, detail: `${message}\n${stack ?? ''}` }, 'a message or timer met a fault of ours')
    }
  }

  #input(input: CoreInput, now: Millis): void {
    switch (input.kind) {
      case 'received':
        this.#received(input, now)
        break
      case 'send-failed':
        this.#endpoint.handle(input, now)
        break
      case 'flow-closed':
        this.#endpoint.handle(input, now)
        this.#decisions.flowClosed(input.flowId, now)
        for (const call of this.#table.begunOver(input.flowId)) this.#calls.step(call, { kind: 'caller-gone' }, now)
        break
      case 'media':
        this.#media(input.event, now)
        break
      case 'dns-answer':
        this.#calls.hops.answered(input.question, input.answer, now)
        break
      case 'end-call':
        this.#stepCall(input.call, (call) => this.#calls.step(call, { kind: 'end', reason: input.reason }, now))
        break
      case 'mailbox':
        this.#beyond.mailboxChanged(input, input.summary)
        break
      case 'farewell':
        this.#beyond.farewell(now)
        break
      case 'drain':
        this.#requests.draining = true
        break
      case 'wake':
        this.#endpoint.handle(input, now)
        this.#calls.wake(now)
        this.#decisions.wake(now)
        this.#beyond.wake(now)
        break
      default:
        this.#mediaResult(input, now)
    }
  }

  #received(input: Received, now: Millis): void {
    this.#data = input.data
    this.#endpoint.handle(input, now)
  }

  #stepCall(id: CallId, step: (call: LiveCall) => void): void {
    const call = this.#table.byId(id)
    if (call !== undefined) step(call)
  }

  #mediaResult(input: MediaResult, now: Millis): void {
    const call = this.#table.byId(input.call)
    if (call !== undefined) {
      const { call: _, ...event } = input
      this.#calls.step(call, event, now)
    } else if (input.kind === 'media-opened') {
      this.#outputs.push({ kind: 'media-close', call: input.call, session: input.opened.id }) // Its call did not wait.
    }
  }

  #media(event: MediaEvent, now: Millis): void {
    if (event.kind === 'engine-lost') {
      for (const call of [...this.#table.all()]) this.#calls.media(call, event, now)
      return
    }
    if (event.kind === 'recovered') return this.#recovered(event)
    if (event.kind === 'closed') this.#options.count?.mediaClosedByEngine()
    const call = this.#table.bySession(event.session)
    if (call !== undefined) this.#calls.media(call, event, now)
  }

  /** No call has to know: their sessions went on. */
  #recovered({ sessions, gapMs }: MediaEvent & { readonly kind: 'recovered' }): void {
    this.#options.count?.mediaRecovered(gapMs)
    this.#log('warn', { sessions, gapMs }, 'the relay was replaced, its sessions go on')
  }

  #dispatch(output: SipOutput, now: Millis): void {
    switch (output.kind) {
      case 'send':
        this.#send(output, now)
        break
      case 'pong':
        this.#outputs.push({ kind: 'send', sendId: 0, target: { kind: 'flow', flow: output.flow }, data: output.data })
        break
      case 'alias':
        this.#outputs.push(output)
        break
      case 'request':
        this.#countIn(output.flow, output.request)
        this.#request(output, now)
        break
      case 'ack':
        this.#countIn(output.flow, output.request)
        this.#ack(output, now)
        break
      case 'cancelled':
        this.#cancelled(output, now)
        break
      case 'ack-missing':
        this.#ackMissing(output, now)
        break
      case 'response':
        this.#countIn(output.flow, output.response)
        this.#response(output, now)
        break
      case 'failed':
        this.#failed(output, now)
        break
      case 'rejected':
        this.#options.count?.sipRejected(output.code)
        this.#log(
          'debug',
          { code: output.code, detail: output.detail, from: output.flow.remote.host },
          'message refused',
        )
    }
  }

  #send(output: SipOutput & { readonly kind: 'send' }, now: Millis): void {
    const { sendId, target, data, message, repeated } = output
    const { transport, remote } =
      target.kind === 'flow' ? target.flow : { transport: target.transport, remote: target.to }
    this.#options.count?.sipMessage('out', transport, message.kind === 'request' ? message.method : message.status)
    if (repeated) this.#options.count?.sipRetransmitted(transport)
    if (target.kind === 'flow' && isLoop(target.flow)) this.#looped.push(data)
    else this.#outputs.push({ kind: 'send', sendId, target, data })
    const whose = this.#callOf(message)
    if (whose === undefined) return
    this.#calls.seen(whose.call, whose.leg, { direction: 'out', message, data, repeated, remote, transport }, now)
  }

  /** Whose message of ours it is. A 400 repeats headers of the peer that nobody can read: it is nobody's. */
  #callOf(message: SipMessage): { call: LiveCall; leg: string } | undefined {
    const { headers } = message
    try {
      return this.#table.byMessage(headers.callId, message.kind === 'request' ? headers.fromTag : headers.toTag)
    } catch {
      return undefined
    }
  }

  #request(output: SipOutput & { readonly kind: 'request' }, now: Millis): void {
    const { key, request, flow } = output
    const data = this.#data
    const found = this.#table.dialogOf(request)
    if (found === undefined) {
      this.#requests.handle({ key, request, flow, data }, now)
      return
    }
    const { call, dialog } = found
    const { leg } = dialog
    if (!this.#mayUse(flow, found, now)) {
      const party = call.state.legs[leg]?.party
      if (!this.#requests.isFrom(party, { key, request, flow, data }, now)) return
      this.#move(found, flow, now)
    }
    this.#calls.seen(call, leg, seenFrom(request, flow, data), now)
    this.#table.awaitsAnswer(call, key, { leg, request, answered: false })
    const referral = request.method === 'REFER' ? this.#referrals.of(request, { call, leg }, now) : undefined
    this.#calls.step(call, { kind: 'request', leg, key, request, flow, ...(referral && { referral }) }, now)
  }

  #ack(output: SipOutput & { readonly kind: 'ack' }, now: Millis): void {
    const { key, request, flow } = output
    const found = this.#table.dialogOf(request)
    if (found === undefined || !this.#mayUse(flow, found, now)) return
    const { call, dialog } = found
    if (key !== undefined) this.#table.settled(call, key)
    this.#calls.seen(call, dialog.leg, seenFrom(request, flow, this.#data), now)
    this.#calls.step(call, { kind: 'ack', leg: dialog.leg, request }, now)
  }

  #cancelled({ key, request }: SipOutput & { readonly kind: 'cancelled' }, now: Millis): void {
    const call = this.#table.byServerKey(key)
    const leg = call?.unanswered.get(key)?.leg
    if (call === undefined || leg === undefined) return
    this.#calls.seen(call, leg, seenFrom(request, call.callerFlow, this.#data), now)
    this.#options.count?.sipMessage('in', call.callerFlow.transport, 'CANCEL')
    this.#calls.step(call, { kind: 'cancelled', key, request }, now)
  }

  #ackMissing({ key }: SipOutput & { readonly kind: 'ack-missing' }, now: Millis): void {
    const call = this.#table.byServerKey(key)
    if (call === undefined) return
    this.#table.settled(call, key)
    this.#calls.step(call, { kind: 'ack-missing', key }, now)
  }

  #response(output: SipOutput & { readonly kind: 'response' }, now: Millis): void {
    const { key, response, flow } = output
    const call = this.#table.byClientKey(key)
    if (call === undefined) {
      this.#beyond.response(key, response, now)
      return hangUpStray(this.#endpoint, output, now)
    }
    const outstanding = call.outstanding.get(key)
    const { callId, fromTag, toTag } = response.headers
    const dialog = this.#table.byDialog(callId, fromTag)?.dialog
    if (dialog !== undefined && outstanding?.request.headers.toTag === undefined) learnRemoteTag(dialog, toTag)
    this.#calls.seen(call, outstanding?.leg ?? dialog?.leg ?? '', seenFrom(response, flow, this.#data), now)
    if (this.#calls.hops.responded(key, response, now)) return
    const authorization = answerToChallenge(response, outstanding, this.#options)
    if (response.status >= 200) this.#table.finished(call, key)
    if (authorization === undefined) this.#calls.step(call, { kind: 'response', key, response, flow }, now)
    else this.#calls.step(call, { kind: 'authorized', key, authorization }, now)
  }

  #failed(output: SipOutput & { readonly kind: 'failed' }, now: Millis): void {
    const call = this.#table.byClientKey(output.key)
    if (call === undefined) return void this.#beyond.failed(output.key, now)
    this.#calls.failed(call, output, now)
  }

  /**
   * A browser's request must come over its connection, or over a newer one on which the same user registered: the
   * dialog moves there. Over any other one the user has to show who it is.
   */
  #mayUse(flow: Flow, found: InDialog, now: Millis): boolean {
    const { call, dialog } = found
    if (dialog.flowId === undefined || dialog.flowId === flow.id) return true
    const party = call.state.legs[dialog.leg]?.party
    if (party?.kind !== 'user' || !this.#decisions.isRegisteredOn(flow.id, party, now)) return false
    this.#move(found, flow, now)
    return true
  }

  #move({ call, dialog }: InDialog, flow: Flow, now: Millis): void {
    dialog.flowId = flow.id
    this.#calls.ways.moved(call, dialog.leg, flow, now)
  }

  #countIn(flow: Flow, message: SipMessage): void {
    this.#options.count?.sipMessage('in', flow.transport, message.kind === 'request' ? message.method : message.status)
  }

  #log(level: 'debug' | 'warn' | 'error', fields: Readonly<Record<string, string | number>>, message: string): void {
    this.#outputs.push({ kind: 'log', level, fields, message })
  }
}

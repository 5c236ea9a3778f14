import { asGatewayError, type ByteString, GatewayError, type IdSource, type Millis } from '../base/index.ts'
import type { SipEndpointOptions, SipInput, SipOutput } from './endpoint-model.ts'
import { type Flow, isReliable } from './flow.ts'
import type { HeaderField, SipMessage, SipRequest, SipResponse } from './message/model.ts'
import { parseMessage } from './message/parse.ts'
import { salvageRequest } from './message/salvage.ts'
import { quote } from './message/syntax.ts'
import { Outbox } from './outbox.ts'
import { aliasPort, responseTarget, stampSource } from './response-routing.ts'
import { answerStun } from './stun-keep-alive.ts'
import { InviteClientTransaction, NonInviteClientTransaction } from './transaction/client-transaction.ts'
import { ClientTransactions } from './transaction/client-transactions.ts'
import { baseTimers, type TransactionContext } from './transaction/context.ts'
import { Deadlines } from './transaction/deadlines.ts'
import { InviteServerTransaction, NonInviteServerTransaction } from './transaction/server-transaction.ts'
import { ServerTransactions } from './transaction/server-transactions.ts'

/**
 * The SIP stack of one node, without sockets and clock. After each `handle`, drain `poll()` until it gives nothing,
 * then sleep until `deadline()` and hand in `{ kind: 'wake' }`.
 *
 * Nothing that a peer sends makes `handle` throw: it is answered as the RFC says, or dropped, and reported as `rejected`.
 */
export interface SipEndpoint {
  handle(input: SipInput, now: Millis): void
  poll(): SipOutput | undefined
  deadline(): Millis | undefined
  counters(): SipCounters
}

export interface SipCounters {
  /** Alive now, those that only absorb repetitions included. */
  readonly clientTransactions: number
  readonly serverTransactions: number
  /** Since the start: messages we repeated, and messages of peers recognised as repetitions. */
  readonly retransmissionsSent: number
  readonly retransmissionsReceived: number
  /** Since the start, by the code of the `rejected` output. */
  readonly rejected: Readonly<Record<string, number>>
  /** Datagrams that are STUN but no keep-alive we answer, or bytes some phones send to keep a NAT open; ignored. */
  readonly stunIgnored: number
}

export function createSipEndpoint(options: SipEndpointOptions, { ids }: { readonly ids: IdSource }): SipEndpoint {
  return new Endpoint({
    options,
    ids,
    outbox: new Outbox(),
    deadlines: new Deadlines(),
    timers: baseTimers(options),
  })
}

class Endpoint implements SipEndpoint {
  readonly #context: TransactionContext
  readonly #clients: ClientTransactions
  readonly #servers: ServerTransactions

  constructor(context: TransactionContext) {
    this.#context = context
    this.#clients = new ClientTransactions(context)
    this.#servers = new ServerTransactions(context, () => this.#clients.size)
  }

  handle(input: SipInput, now: Millis): void {
    switch (input.kind) {
      case 'received':
        if (input.broken === undefined) return this.#received(input.flow, input.data, now)
        return this.#onBroken(new GatewayError(input.broken.code, input.broken.detail), input.flow, input.data)
      case 'send-failed':
        return this.#clients.sendFailed(input.sendId, input.cause, now)
      case 'flow-closed':
        return this.#clients.flowClosed(input.flowId, now)
      case 'flow-replaced':
        return this.#clients.flowReplaced(input.flowId, input.flow)
      case 'request':
        return this.#clients.request(input, now)
      case 'cancel':
        return this.#clients.cancel(input.key, input.headers ?? [], now)
      case 'ack':
        return this.#clients.acknowledge(input.key, input.ack, input.target)
      case 'respond':
        if (input.forget === true) return this.#servers.respondAndForget(input.key, input.response)
        return this.#servers.respond(input.key, input.response, now)
      case 'wake':
        return this.#wake(now)
    }
  }

  poll(): SipOutput | undefined {
    return this.#context.outbox.poll()
  }

  deadline(): Millis | undefined {
    return this.#context.deadlines.next()
  }

  counters(): SipCounters {
    const { retransmissionsSent, retransmissionsReceived, rejected, stunIgnored } = this.#context.outbox
    return {
      clientTransactions: this.#clients.size,
      serverTransactions: this.#servers.size,
      retransmissionsSent,
      retransmissionsReceived,
      rejected: { ...rejected },
      stunIgnored,
    }
  }

  #wake(now: Millis): void {
    for (let due = this.#context.deadlines.due(now); due !== undefined; due = this.#context.deadlines.due(now)) {
      if (due instanceof InviteClientTransaction || due instanceof NonInviteClientTransaction) {
        this.#clients.wake(due, now)
      } else if (due instanceof InviteServerTransaction || due instanceof NonInviteServerTransaction) {
        this.#servers.wake(due, now)
      }
    }
  }

  #received(flow: Flow, data: ByteString, now: Millis): void {
    if (this.#isKeepAlive(flow, data)) return
    try {
      const message = parseMessage(data)
      checkUserHeaders(message)
      if (message.kind === 'request') this.#onRequest(message, flow, now)
      else this.#onResponse(message, flow, now)
    } catch (thrown) {
      this.#onBroken(asGatewayError(thrown), flow, data)
    }
  }

  /** RFC 5626 §3.5.1 on streams; on UDP, STUN (§3.5.2) and the zero bytes some phones send. Neither is SIP. */
  #isKeepAlive(flow: Flow, data: ByteString): boolean {
    const first = data.charCodeAt(0)
    if (first < 4 || data === '') {
      this.#stun(flow, data)
      return true
    }
    if (first !== 0x0d && first !== 0x0a) return false
    if (/[^\r\n]/.test(data)) return false
    if (data === '\r\n\r\n' && isReliable(flow.transport)) {
      this.#context.outbox.put({ kind: 'pong', flow, data: '\r\n' })
    }
    return true
  }

  #stun(flow: Flow, data: ByteString): void {
    const { outbox } = this.#context
    const answer = flow.transport === 'udp' ? answerStun(data, flow.remote) : undefined
    if (answer === undefined) outbox.stunIgnored++
    else outbox.put({ kind: 'pong', flow, data: answer })
  }

  #onRequest(received: SipRequest, flow: Flow, now: Millis): void {
    const target = responseTarget(received.headers.viaSpan, flow)
    if (flow.identities !== undefined) this.#alias(received, flow)
    const request = stampSource(received, flow)
    if (request.method === 'ACK') this.#servers.acknowledge(request, flow, now)
    else if (request.method === 'CANCEL') this.#servers.cancel({ request, flow, target })
    else this.#servers.receive({ request, flow, target }, now)
  }

  #alias({ headers }: SipRequest, flow: Flow): void {
    const port = aliasPort(headers.viaSpan, flow)
    if (port !== undefined) this.#context.outbox.put({ kind: 'alias', flow, port })
  }

  /** RFC 3261 §8.1.3.3: a response with a second Via is not for us. */
  #onResponse(response: SipResponse, flow: Flow, now: Millis): void {
    const isOurs = response.headers.values('Via').length === 1
    if (isOurs && this.#clients.receive(response, flow, now)) return
    this.#context.outbox.reject('SIP_STRAY_RESPONSE', `${response.status} of no transaction`, flow)
  }

  /** A broken request is answered if it tells to whom; the words of the complaint go along (RFC 3261 §20.43). */
  #onBroken(error: GatewayError, flow: Flow, data: ByteString): void {
    this.#context.outbox.reject(error.code, error.message, flow)
    const salvaged = salvageRequest(data)
    if (salvaged === undefined) return
    const target = responseTarget(salvaged.headers.viaSpan, flow)
    this.#servers.stateless.send(stampSource(salvaged, flow), target, error.sipStatus, [warning(error.message)])
  }
}

/** Headers that users read without looking for errors; so that every getter of what they get is safe. */
function checkUserHeaders({ headers }: SipMessage): void {
  void headers.from
  void headers.to
  void headers.contacts
  void headers.route
  void headers.recordRoute
  void headers.contentType
  void headers.expires
}

function warning(text: string): HeaderField {
  return { name: 'Warning', value: `399 trunkline ${quote(text.replace(/[^\x20-\x7e]/g, '.'))}` }
}

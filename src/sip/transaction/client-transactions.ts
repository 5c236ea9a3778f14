import type { Millis } from '../../base/index.ts'
import type { ClientKey, SipInput } from '../endpoint-model.ts'
import { type Flow, isReliable, type SendTarget } from '../flow.ts'
import type { HeaderField, SipRequest, SipResponse } from '../message/model.ts'
import { parseMessage } from '../message/parse.ts'
import { detached } from '../message/syntax.ts'
import {
  type ClientTransaction,
  InviteClientTransaction,
  isPending,
  NonInviteClientTransaction,
  type Success,
} from './client-transaction.ts'
import { type TransactionContext, timersFor, transportOf } from './context.ts'
import { type InviteClientEffect, type InviteClientEvent, stepInviteClient } from './invite-client.ts'
import { type NonInviteClientEffect, type NonInviteClientEvent, stepNonInviteClient } from './non-invite-client.ts'
import { ackOf, cancelOf, complete, MAGIC_COOKIE } from './outgoing.ts'

/** Dialogs that one INVITE may make; each costs the user an ACK and a BYE, so a peer cannot have any number. */
const ANSWERS = 20

/** A response and the flow it came over. */
interface Arrival {
  readonly response: SipResponse
  readonly flow: Flow
}

type RequestInput = SipInput & { readonly kind: 'request' }

/** The client transactions of an endpoint: finds the one a response belongs to (RFC 3261 §17.1.3) and drives it. */
export class ClientTransactions {
  readonly #context: TransactionContext
  readonly #byId = new Map<string, ClientTransaction>()
  readonly #byKey = new Map<ClientKey, ClientTransaction>()
  /** Those that wait, by their last sending and by the connection they wait on. */
  readonly #bySending = new Map<number, ClientTransaction>()
  readonly #byFlow = new Map<string, Set<ClientTransaction>>()

  constructor(context: TransactionContext) {
    this.#context = context
  }

  get size(): number {
    return this.#byId.size
  }

  /** Sends a request of the user and waits for its answer. */
  request({ key, request, target, branch = this.#newBranch() }: RequestInput, now: Millis): void {
    const completed = complete(request, branch, target, this.#context)
    this.#start({ key, id: branch, request: completed, target }, now)
  }

  /** Cancels an INVITE (RFC 3261 §9.1), now or as soon as that is allowed. */
  cancel(key: ClientKey, headers: readonly HeaderField[], now: Millis): void {
    const transaction = this.#byKey.get(key)
    if (transaction?.kind !== 'invite') return
    transaction.cancelHeaders = headers
    this.#stepInvite(transaction, { kind: 'cancel' }, now)
  }

  /** Sends the ACK of a 2xx and keeps it for repeated ones (RFC 3261 §13.2.2.4). */
  acknowledge(key: ClientKey, ack: SipRequest, target: SendTarget): void {
    const completed = complete(ack, this.#newBranch(), target, this.#context)
    const { data } = this.#context.outbox.send(target, completed)
    const transaction = this.#byKey.get(key)
    if (transaction?.kind !== 'invite') return
    const toTag = ack.headers.toTag ?? ''
    const success = transaction.successes.find((one) => one.toTag === toTag)
    if (success !== undefined) success.ack = { data, target }
  }

  /** Returns whether the response belongs to a transaction. */
  receive(response: SipResponse, flow: Flow, now: Millis): boolean {
    const { branch } = response.headers.viaSpan
    const { method } = response.headers.cseq
    const transaction = this.#byId.get(idOf(branch ?? '', method))
    if (transaction === undefined || transaction.method !== method) return false
    const arrival = { response, flow }
    if (response.status < 200 && isReliable(flow.transport)) this.#awaitOn(transaction, flow.id)
    if (transaction.kind === 'invite') {
      this.#stepInvite(transaction, { kind: 'response', status: response.status }, now, arrival)
    } else {
      this.#stepOther(transaction, { kind: 'response', status: response.status }, now, arrival)
    }
    return true
  }

  sendFailed(sendId: number, cause: string, now: Millis): void {
    const transaction = this.#bySending.get(sendId)
    if (transaction !== undefined) this.#fail(transaction, cause, now)
  }

  flowClosed(flowId: string, now: Millis): void {
    const waiting = this.#byFlow.get(flowId)
    if (waiting === undefined) return
    for (const transaction of [...waiting]) this.#fail(transaction, 'The connection is gone', now)
  }

  flowReplaced(flowId: string, flow: Flow): void {
    for (const transaction of [...(this.#byFlow.get(flowId) ?? [])]) {
      if (transportOf(transaction.target) !== flow.transport) continue // Its Via names the transport.
      transaction.target = { kind: 'flow', flow }
      this.#repeat(transaction)
      this.#awaitOn(transaction, flow.id)
    }
  }

  wake(transaction: ClientTransaction, now: Millis): void {
    if (transaction.kind === 'invite') this.#stepInvite(transaction, { kind: 'wake' }, now)
    else this.#stepOther(transaction, { kind: 'wake' }, now)
  }

  #newBranch(): string {
    return `${MAGIC_COOKIE}${this.#context.ids.token()}`
  }

  #start(
    { key, id, request, target }: { key?: ClientKey; id: string; request: SipRequest; target: SendTarget },
    now: Millis,
  ): void {
    const { outbox } = this.#context
    const timers = timersFor(this.#context, transportOf(target))
    const { method } = request
    const parts = { key, id, method, target, timers, ...outbox.send(target, request) }
    const transaction =
      method === 'INVITE' ? new InviteClientTransaction(parts, now) : new NonInviteClientTransaction(parts, now)
    this.#byId.set(id, transaction)
    if (key !== undefined) this.#byKey.set(key, transaction)
    this.#bySending.set(parts.sendId, transaction)
    if (target.kind === 'flow' && isReliable(target.flow.transport)) this.#awaitOn(transaction, target.flow.id)
    this.#context.deadlines.update(transaction)
  }

  #fail(transaction: ClientTransaction, cause: string, now: Millis): void {
    if (transaction.kind === 'invite') this.#stepInvite(transaction, { kind: 'transport-failed', cause }, now)
    else this.#stepOther(transaction, { kind: 'transport-failed', cause }, now)
  }

  #stepInvite(transaction: InviteClientTransaction, event: InviteClientEvent, now: Millis, arrival?: Arrival): void {
    const { state, effects } = stepInviteClient(transaction.tx, event, now, transaction.timers)
    transaction.tx = state
    if (event.kind === 'response' && effects.length === 0) this.#context.outbox.retransmissionsReceived++
    for (const effect of effects) this.#performInvite(transaction, effect, now, arrival)
    this.#settle(transaction)
  }

  #performInvite(
    transaction: InviteClientTransaction,
    effect: InviteClientEffect,
    now: Millis,
    arrival: Arrival | undefined,
  ): void {
    switch (effect.kind) {
      case 'retransmit':
        return this.#repeat(transaction)
      case 'send-cancel':
        return this.#sendCancel(transaction, now)
      case 'send-ack':
        return arrival === undefined ? undefined : this.#sendAck(transaction, arrival.response)
      case 'deliver':
        if (arrival === undefined) return
        if (transaction.tx.state === 'accepted') {
          transaction.data = ''
          transaction.successes.push({ toTag: detached(arrival.response.headers.toTag ?? '') })
        }
        return this.#deliver(transaction, arrival)
      case 'deliver-success-again':
        return arrival === undefined ? undefined : this.#onSuccessAgain(transaction, arrival)
      case 'failed':
        return this.#report(transaction, effect)
    }
  }

  /** The ACK is built once; for a repeated failure the same bytes go out again. */
  #sendAck(transaction: InviteClientTransaction, response: SipResponse): void {
    const kept = parseMessage(transaction.data)
    if (kept.kind !== 'request') return
    if (kept.method === 'ACK') {
      this.#context.outbox.retransmissionsReceived++
      this.#context.outbox.repeat(transaction.target, transaction.data)
    } else transaction.data = this.#context.outbox.send(transaction.target, ackOf(kept, response)).data
  }

  #sendCancel(transaction: InviteClientTransaction, now: Millis): void {
    const invite = parseMessage(transaction.data)
    if (invite.kind !== 'request') return
    const request = cancelOf(invite, transaction.cancelHeaders)
    this.#start({ id: idOf(transaction.id, 'CANCEL'), request, target: transaction.target }, now)
  }

  #onSuccessAgain(transaction: InviteClientTransaction, arrival: Arrival): void {
    const toTag = arrival.response.headers.toTag ?? ''
    const success: Success | undefined = transaction.successes.find((one) => one.toTag === toTag)
    if (success === undefined) {
      if (transaction.successes.length >= ANSWERS) {
        return this.#context.outbox.reject('SIP_STRAY_RESPONSE', 'Too many answers to one INVITE', arrival.flow)
      }
      transaction.successes.push({ toTag: detached(toTag) })
      return this.#deliver(transaction, arrival)
    }
    this.#context.outbox.retransmissionsReceived++
    if (success.ack !== undefined) this.#context.outbox.repeat(wayBack(success.ack.target, arrival), success.ack.data)
  }

  #stepOther(
    transaction: NonInviteClientTransaction,
    event: NonInviteClientEvent,
    now: Millis,
    arrival?: Arrival,
  ): void {
    const { state, effects } = stepNonInviteClient(transaction.tx, event, now, transaction.timers)
    transaction.tx = state
    if (event.kind === 'response' && effects.length === 0) this.#context.outbox.retransmissionsReceived++
    for (const effect of effects) this.#performOther(transaction, effect, arrival)
    if (!isPending(transaction)) transaction.data = ''
    this.#settle(transaction)
  }

  #performOther(
    transaction: NonInviteClientTransaction,
    effect: NonInviteClientEffect,
    arrival: Arrival | undefined,
  ): void {
    if (effect.kind === 'retransmit') this.#repeat(transaction)
    else if (effect.kind === 'failed') this.#report(transaction, effect)
    else if (arrival !== undefined) this.#deliver(transaction, arrival)
  }

  #repeat(transaction: ClientTransaction): void {
    this.#bySending.delete(transaction.sendId)
    transaction.sendId = this.#context.outbox.repeat(transaction.target, transaction.data)
    this.#bySending.set(transaction.sendId, transaction)
  }

  #deliver({ key }: ClientTransaction, { response, flow }: Arrival): void {
    if (key !== undefined) this.#context.outbox.put({ kind: 'response', key, response, flow })
  }

  #report({ key, id }: ClientTransaction, failure: { cause: 'timeout' | 'transport'; detail: string }): void {
    const { cause, detail } = failure
    if (key !== undefined) this.#context.outbox.put({ kind: 'failed', key, cause, detail, branch: id })
  }

  #awaitOn(transaction: ClientTransaction, flowId: string): void {
    if (transaction.flowId === flowId) return
    this.#forgetFlow(transaction)
    transaction.flowId = flowId
    const waiting = this.#byFlow.get(flowId)
    if (waiting === undefined) this.#byFlow.set(flowId, new Set([transaction]))
    else waiting.add(transaction)
  }

  #forgetFlow(transaction: ClientTransaction): void {
    if (transaction.flowId === undefined) return
    const waiting = this.#byFlow.get(transaction.flowId)
    waiting?.delete(transaction)
    if (waiting?.size === 0) this.#byFlow.delete(transaction.flowId)
    transaction.flowId = undefined
  }

  /** After a step: what no longer waits leaves the indices, what has ended leaves the tables. */
  #settle(transaction: ClientTransaction): void {
    if (!isPending(transaction)) {
      this.#bySending.delete(transaction.sendId)
      this.#forgetFlow(transaction)
    }
    if (transaction.tx.state !== 'terminated') return this.#context.deadlines.update(transaction)
    this.#byId.delete(transaction.id)
    if (transaction.key !== undefined && this.#byKey.get(transaction.key) === transaction) {
      this.#byKey.delete(transaction.key)
    }
  }
}

/** A peer that repeats its 2xx over a new connection lost the ACK with the old one. */
function wayBack(target: SendTarget, { flow }: Arrival): SendTarget {
  const isConnection = target.kind === 'flow' && isReliable(flow.transport)
  return isConnection && target.flow.transport === flow.transport ? { kind: 'flow', flow } : target
}

/** CANCEL shares the branch of its INVITE (RFC 3261 §9.1), so its method is part of its name. */
function idOf(branch: string, method: string): string {
  return method === 'CANCEL' ? `${branch} CANCEL` : branch
}

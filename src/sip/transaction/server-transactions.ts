import { FAULTS, LIMITS, type Millis } from '../../base/index.ts'
import type { ServerKey } from '../endpoint-model.ts'
import type { Flow } from '../flow.ts'
import { replyTo, withHeaders } from '../message/create.ts'
import type { SipRequest, SipResponse } from '../message/model.ts'
import { withTag } from '../message/name-addr.ts'
import { detached } from '../message/syntax.ts'
import { type TransactionContext, timersFor } from './context.ts'
import { type InviteServerEffect, type InviteServerEvent, stepInviteServer } from './invite-server.ts'
import { type NonInviteServerEvent, stepNonInviteServer } from './non-invite-server.ts'
import { sequenceId, transactionId } from './server-matching.ts'
import {
  type Incoming,
  InviteServerTransaction,
  NonInviteServerTransaction,
  type ServerParts,
  type ServerTransaction,
} from './server-transaction.ts'
import { StatelessReplies } from './stateless.ts'

/** Room beyond the limit for requests inside dialogs, so that calls which are up can end when new ones are refused. */
const IN_DIALOG_RESERVE = 1.1

const RETRY_AFTER = { name: 'Retry-After', value: '5' }

/** The server transactions of an endpoint: recognises repetitions, ACK, CANCEL and merged requests, and drives them. */
export class ServerTransactions {
  readonly #context: TransactionContext
  readonly #otherTransactions: () => number
  readonly stateless: StatelessReplies
  readonly #byId = new Map<string, ServerTransaction>()
  readonly #byKey = new Map<ServerKey, ServerTransaction>()
  readonly #bySequence = new Map<string, ServerTransaction>()
  readonly #keyPrefix: string
  #lastKey = 0

  constructor(context: TransactionContext, otherTransactions: () => number) {
    this.#context = context
    this.#otherTransactions = otherTransactions
    this.stateless = new StatelessReplies(context)
    this.#keyPrefix = context.ids.token(40)
  }

  get size(): number {
    return this.#byId.size
  }

  /** A request that is neither ACK nor CANCEL. */
  receive(incoming: Incoming, now: Millis): void {
    const { request, flow } = incoming
    const id = transactionId(request)
    const known = this.#byId.get(id)
    if (known !== undefined) return this.#onRepeated(known, now)
    const isInDialog = request.headers.toTag !== undefined
    if (this.#isFull(isInDialog)) return this.#refuse(incoming)
    const sequence = !isInDialog || request.method === 'INVITE' ? sequenceId(request) : undefined
    if (!isInDialog && sequence !== undefined && this.#bySequence.has(sequence)) {
      return this.stateless.send(request, incoming.target, 482) // Merged, RFC 3261 §8.2.2.2.
    }
    const transaction = this.#start({ ...incoming, id, sequence }, now)
    this.#context.outbox.put({ kind: 'request', key: transaction.key, request, flow })
  }

  /** ACK of a failure belongs to the transaction (RFC 3261 §17.2.1); of a 2xx it goes to the user. */
  acknowledge(request: SipRequest, flow: Flow, now: Millis): void {
    const transaction = this.#byId.get(transactionId(request, 'INVITE')) ?? this.#acceptedBy(request)
    if (transaction?.kind === 'invite') return this.#stepInvite(transaction, { kind: 'ack' }, now, { request, flow })
    const { toTag } = request.headers
    if (toTag === this.stateless.tag) return
    if (toTag === undefined) return this.#context.outbox.reject('SIP_STRAY_ACK', 'ACK without To tag', flow)
    this.#context.outbox.put({ kind: 'ack', request, flow })
  }

  /**
   * RFC 3261 §9.2. The answer is the same for a repetition, so CANCEL needs no transaction of its own. It cannot be
   * challenged (§22.1): that it comes from where its INVITE came from has to do.
   */
  cancel({ request, flow, target }: Incoming): void {
    const transaction = this.#byId.get(transactionId(request, 'INVITE'))
    const isFromSameHop = transaction?.kind === 'invite' && transaction.source === flow.remote.host
    if (!isFromSameHop) return this.stateless.send(request, target, 481)
    transaction.localTag ??= this.#context.ids.token() // The same in both answers, RFC 3261 §9.2.
    const response = replyTo(request, 200, { toTag: transaction.localTag, headers: [this.#server] })
    this.#context.outbox.send(target, response)
    if (transaction.tx.state !== 'proceeding' || transaction.isCancelled) return
    transaction.isCancelled = true
    this.#context.outbox.put({ kind: 'cancelled', key: transaction.key, request })
  }

  /** Sends what the user answered. An answer to a transaction that has ended or was answered serves nobody. */
  respond(key: ServerKey, response: SipResponse, now: Millis): void {
    const transaction = this.#byKey.get(key)
    if (transaction === undefined) return
    if (response.status >= 200) this.#byKey.delete(key)
    if (transaction.kind === 'invite') {
      this.#stepInvite(transaction, { kind: 'respond', status: response.status }, now, { response })
    } else this.#stepOther(transaction, { kind: 'respond', status: response.status }, now, response)
  }

  /** Sends an answer and keeps nothing; its To tag tells the ACK. */
  respondAndForget(key: ServerKey, response: SipResponse): void {
    const transaction = this.#byKey.get(key)
    if (transaction === undefined) return
    this.#send(transaction, this.#withTag(response, this.stateless.tag))
    transaction.tx = { state: 'terminated' }
    transaction.data = ''
    if (transaction.kind === 'invite') transaction.request = undefined
    this.#settle(transaction)
  }

  wake(transaction: ServerTransaction, now: Millis): void {
    if (transaction.kind === 'invite') this.#stepInvite(transaction, { kind: 'wake' }, now)
    else this.#stepOther(transaction, { kind: 'wake' }, now)
  }

  get #server(): { name: string; value: string } {
    return { name: 'Server', value: this.#context.options.product }
  }

  #isFull(isInDialog: boolean): boolean {
    const limit = this.#context.options.maxTransactions ?? LIMITS.sipTransactions
    return this.size + this.#otherTransactions() >= limit * (isInDialog ? IN_DIALOG_RESERVE : 1)
  }

  #refuse({ request, flow, target }: Incoming): void {
    this.#context.outbox.reject('SIP_TRANSACTIONS_EXHAUSTED', 'Too many transactions', flow)
    this.stateless.send(request, target, FAULTS.SIP_TRANSACTIONS_EXHAUSTED.sip, [RETRY_AFTER])
  }

  #start(incoming: Incoming & { id: string; sequence: string | undefined }, now: Millis): ServerTransaction {
    const { request, flow, id, sequence, target } = incoming
    const parts: ServerParts = {
      key: `${this.#keyPrefix}-${(++this.#lastKey).toString(36)}`,
      id,
      sequenceId: sequence,
      target,
      source: flow.remote.host,
      timers: timersFor(this.#context, flow.transport),
    }
    const transaction =
      request.method === 'INVITE'
        ? new InviteServerTransaction(parts, request, now)
        : new NonInviteServerTransaction(parts, now)
    this.#byId.set(id, transaction)
    this.#byKey.set(parts.key, transaction)
    if (sequence !== undefined) this.#bySequence.set(sequence, transaction)
    this.#context.deadlines.update(transaction)
    return transaction
  }

  #onRepeated(transaction: ServerTransaction, now: Millis): void {
    this.#context.outbox.retransmissionsReceived++
    if (transaction.kind === 'invite') this.#stepInvite(transaction, { kind: 'request' }, now)
    else this.#stepOther(transaction, { kind: 'request' }, now)
  }

  /** The INVITE whose 2xx this ACK is for; its own transaction has another branch. */
  #acceptedBy(ack: SipRequest): ServerTransaction | undefined {
    const transaction = this.#bySequence.get(sequenceId(ack, 'INVITE'))
    if (transaction?.kind !== 'invite' || transaction.tx.state !== 'accepted') return undefined
    return transaction.localTag === ack.headers.toTag ? transaction : undefined
  }

  #stepInvite(
    transaction: InviteServerTransaction,
    event: InviteServerEvent,
    now: Millis,
    given: { readonly response?: SipResponse; readonly request?: SipRequest; readonly flow?: Flow } = {},
  ): void {
    const before = transaction.tx
    const { state, effects } = stepInviteServer(before, event, now, transaction.timers)
    transaction.tx = state
    if (event.kind === 'ack' && state === before) this.#context.outbox.retransmissionsReceived++
    if (state.state === 'confirmed') transaction.data = ''
    for (const effect of effects) this.#performInvite(transaction, effect, given)
    this.#settle(transaction)
  }

  #performInvite(
    transaction: InviteServerTransaction,
    effect: InviteServerEffect,
    { response, request, flow }: { response?: SipResponse; request?: SipRequest; flow?: Flow },
  ): void {
    const { outbox } = this.#context
    switch (effect.kind) {
      case 'send-trying':
        if (transaction.request !== undefined) this.#send(transaction, replyTo(transaction.request, 100))
        return
      case 'send':
        return response === undefined ? undefined : this.#answer(transaction, response)
      case 'retransmit':
        return this.#repeat(transaction)
      case 'acknowledged':
        transaction.data = ''
        if (request === undefined || flow === undefined) return
        return outbox.put({ kind: 'ack', key: transaction.key, request, flow })
      case 'ack-missing':
        return outbox.put({ kind: 'ack-missing', key: transaction.key, status: transaction.status })
    }
  }

  #answer(transaction: InviteServerTransaction, response: SipResponse): void {
    const tagged = response.status > 100 ? this.#withTag(response, transaction.localTag) : response
    if (response.status > 100) transaction.localTag = detached(tagged.headers.toTag ?? '')
    transaction.status = response.status
    if (response.status >= 200) transaction.request = undefined
    this.#send(transaction, tagged)
  }

  #stepOther(
    transaction: NonInviteServerTransaction,
    event: NonInviteServerEvent,
    now: Millis,
    response?: SipResponse,
  ): void {
    const { state, effects } = stepNonInviteServer(transaction.tx, event, now, transaction.timers)
    transaction.tx = state
    for (const effect of effects) {
      if (effect.kind === 'retransmit') this.#repeat(transaction)
      else if (response !== undefined) this.#send(transaction, this.#withTag(response, undefined))
    }
    this.#settle(transaction)
  }

  /** RFC 3261 §8.2.6.2: every response but 100 has a To tag. */
  #withTag(response: SipResponse, tag: string | undefined): SipResponse {
    if (response.status === 100 || response.headers.toTag !== undefined) return response
    const value = withTag(response.headers.get('To') ?? '', tag ?? this.#context.ids.token())
    return withHeaders(response, [{ name: 'To', value }])
  }

  #send(transaction: ServerTransaction, response: SipResponse): void {
    const { headers } = response
    const complete = headers.has('Server') ? response : { ...response, headers: headers.with([this.#server]) }
    transaction.data = this.#context.outbox.send(transaction.target, complete).data
  }

  #repeat(transaction: ServerTransaction): void {
    if (transaction.data !== '') this.#context.outbox.repeat(transaction.target, transaction.data)
  }

  #settle(transaction: ServerTransaction): void {
    if (transaction.tx.state !== 'terminated') return this.#context.deadlines.update(transaction)
    this.#byId.delete(transaction.id)
    this.#byKey.delete(transaction.key)
    if (transaction.sequenceId !== undefined && this.#bySequence.get(transaction.sequenceId) === transaction) {
      this.#bySequence.delete(transaction.sequenceId)
    }
  }
}

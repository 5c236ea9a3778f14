import { createDeadlineQueue, LIMITS, type Millis } from '../base/index.ts'
import {
  type AcceptedMessage,
  createDelivery,
  type Delivery,
  type DeliveryEvent,
  isStorable,
  keptMs,
  MESSAGE_TYPES,
  MessageStore,
  readMessage,
  step,
} from '../messages/index.ts'
import type { Party } from '../routing/index.ts'
import {
  type ClientKey,
  createRequest,
  parseNameAddr,
  replyTo,
  type SendTarget,
  type ServerKey,
  type SipRequest,
  type SipResponse,
  withHeaders,
  writeNameAddr,
} from '../sip/index.ts'
import type { Tenant } from '../tenancy/index.ts'
import { type Answer, answer } from './answer.ts'
import type { BeyondCallsDeps, Sent } from './beyond-calls.ts'
import { answerToChallenge } from './trunk-auth.ts'
import { addressOfRecord, userKey } from './user-key.ts'

/** How long a sender waits for a phone that says nothing, in ms; its own patience ends after 64·T1 = 32 s. */
const ANSWER_MS = 10_000
const RETRY_AFTER = { name: 'Retry-After', value: '60' }

/** How long messages wait if the tenant says nothing. */
const KEPT_MS = 7 * 86_400_000

type User = Extract<Party, { readonly kind: 'user' }>

/** One place that gets a message. */
interface Place {
  readonly uri: string
  readonly target: SendTarget
  readonly path: readonly string[]
  readonly credentialsOf?: { readonly tenant: string; readonly trunk: string }
}

/** A message on its way. */
interface Underway {
  delivery: Delivery
  readonly message: AcceptedMessage
  readonly to: string
  /** Absent: it goes to a trunk, and nobody keeps it. */
  readonly user?: User
  readonly keptMs: Millis
  /** Whoever waits for our answer. */
  waiting: { readonly key: ServerKey; readonly request: SipRequest } | undefined
  /** Its id in the store. */
  stored: string | undefined
}

type Keepable = Pick<Underway, 'user' | 'message' | 'keptMs' | 'waiting'>

/** A MESSAGE of ours without final response. */
interface Outstanding {
  readonly id: string
  /** As the delivery knows it; a repetition with credentials has a key of its own. */
  readonly branch: ClientKey
  readonly request: SipRequest
  readonly place: Place
}

/** Instant messages (RFC 3428): to every contact of a user at once, or kept until it registers. */
export class Messages {
  readonly #deps: BeyondCallsDeps
  readonly #store = new MessageStore()
  readonly #underway = new Map<string, Underway>()
  readonly #outstanding = new Map<ClientKey, Outstanding>()
  readonly #deadlines = createDeadlineQueue()
  /** Users that get their kept messages now, one after the other; `again`: they registered anew meanwhile. */
  readonly #catchingUp = new Map<string, 'once' | 'again'>()
  /** Users that registered and may have messages waiting. */
  readonly #arrived = new Map<string, User>()

  constructor(deps: BeyondCallsDeps) {
    this.#deps = deps
  }

  /** Messages kept. */
  get count(): number {
    return this.#store.count
  }

  /** A MESSAGE of somebody who has shown who it is. @throws GatewayError `SIP_MALFORMED_MESSAGE`. */
  handle(sent: Sent, now: Millis): Answer | undefined {
    const { incoming, tenant, caller } = sent
    const { request } = incoming
    if (request.headers.maxForwards === 0) return answer(483)
    const message = readMessage(request, { from: this.#fromValue(request, caller), date: this.#date(now) })
    if ('refused' in message) {
      return answer(message.refused, message.refused === 415 ? [{ name: 'Accept', value: MESSAGE_TYPES }] : [])
    }
    if (caller.kind === 'trunk' && !passesTrunks(tenant)) return answer(403)
    const name = this.#deps.decisions.calledUser({ user: sent.user, caller, tenant })
    if (name === undefined) return this.#toTrunk(sent, message, now)
    const user: User = { kind: 'user', tenant: tenant.domain, user: name }
    const places = this.#deps.decisions.contacts(user, now).slice(0, LIMITS.branchesPerCall)
    const queues = this.#store.first(userKey(user), now) !== undefined // Earlier ones come first.
    const longestMs = tenant.messages?.keptMs ?? KEPT_MS
    const waiting = { key: incoming.key, request }
    const parts = { message, to: addressOfRecord(user), user, keptMs: keptMs(request, longestMs), waiting }
    if (places.length > 0 && !queues) {
      this.#send({ ...parts, stored: undefined }, places, now)
      return undefined
    }
    const kept = this.#keep(parts, now)
    if (queues) this.#arrived.set(userKey(user), user)
    return 'id' in kept ? answer(202) : answer(kept.status, kept.status === 503 ? [RETRY_AFTER] : [])
  }

  response(key: ClientKey, response: SipResponse, now: Millis): boolean {
    const outstanding = this.#outstanding.get(key)
    if (outstanding === undefined) return false
    if (response.status < 200) return true
    this.#outstanding.delete(key)
    if (!this.#answersChallenge(outstanding, response, now)) {
      this.#step(outstanding.id, { kind: 'answered', key: outstanding.branch, status: told(response.status) }, now)
    }
    return true
  }

  failed(key: ClientKey, now: Millis): boolean {
    const outstanding = this.#outstanding.get(key)
    if (outstanding === undefined) return false
    this.#outstanding.delete(key)
    this.#step(outstanding.id, { kind: 'unanswered', key: outstanding.branch }, now)
    return true
  }

  /** The user registered; messages follow with the next `flush`, so that the answer to its REGISTER is first. */
  registered(who: { readonly tenant: string; readonly user: string }, now: Millis): void {
    const key = userKey(who)
    if (this.#store.count > 0 && this.#store.first(key, now) !== undefined) {
      this.#arrived.set(key, { kind: 'user', tenant: who.tenant, user: who.user })
    }
  }

  get hasNews(): boolean {
    return this.#arrived.size > 0
  }

  flush(now: Millis): void {
    const arrived = [...this.#arrived.values()]
    this.#arrived.clear()
    for (const user of arrived) {
      if (this.#catchingUp.has(userKey(user))) this.#catchingUp.set(userKey(user), 'again')
      else this.#catchUp(user, now)
    }
  }

  wake(now: Millis): void {
    this.#store.expire(now)
    for (let id = this.#deadlines.due(now); id !== undefined; id = this.#deadlines.due(now)) {
      this.#step(id, { kind: 'wake' }, now)
    }
  }

  deadline(): Millis | undefined {
    const [next, kept] = [this.#deadlines.next(), this.#store.deadline()]
    return next === undefined || kept === undefined ? (next ?? kept) : Math.min(next, kept)
  }

  #toTrunk({ incoming, tenant, caller, user }: Sent, message: AcceptedMessage, now: Millis): Answer | undefined {
    const decision = this.#deps.decisions.route({ user, caller, tenant }, now)
    if (decision.kind !== 'ring' || caller.kind === 'trunk') return answer(404)
    const [destination] = decision.groups[0] ?? []
    if (destination?.party.kind !== 'trunk') return answer(404)
    if (!passesTrunks(tenant)) return answer(403)
    const { uri, target, route: path, party } = destination
    const place: Place = { uri, target, path, credentialsOf: { tenant: party.tenant, trunk: party.trunk } }
    const waiting = { key: incoming.key, request: incoming.request }
    this.#send({ message, to: uri, keptMs: 0, waiting, stored: undefined }, [place], now)
    return undefined
  }

  #send(parts: Omit<Underway, 'delivery'>, places: readonly Place[], now: Millis): void {
    const { ids } = this.#deps.options
    const id = ids.token()
    const keys = places.map((_, n) => `message ${id} ${n}`)
    const until = now + ANSWER_MS
    this.#underway.set(id, { ...parts, delivery: createDelivery(keys, until) })
    this.#deadlines.set(id, until)
    for (const [n, place] of places.entries()) {
      const key = keys[n] ?? ''
      const { message, to } = parts
      const request = createRequest({
        method: 'MESSAGE',
        uri: place.uri,
        headers: [
          ...place.path.map((value) => ({ name: 'Route', value })),
          { name: 'From', value: `${message.from};tag=${ids.token()}` },
          { name: 'To', value: `<${to}>` },
          { name: 'Call-ID', value: ids.token(128) },
          { name: 'CSeq', value: '1 MESSAGE' },
          ...message.headers,
        ],
        body: message.body,
      })
      this.#request(key, { id, branch: key, request, place }, now)
    }
  }

  #request(key: ClientKey, outstanding: Outstanding, now: Millis): void {
    const { request, place } = outstanding
    this.#outstanding.set(key, outstanding)
    this.#deps.endpoint.handle({ kind: 'request', key, request, target: place.target }, now)
  }

  /** A trunk that wants our credentials gets the message again with them. */
  #answersChallenge({ id, branch, request, place }: Outstanding, response: SipResponse, now: Millis): boolean {
    const { credentialsOf } = place
    if (credentialsOf === undefined) return false
    const authorization = answerToChallenge(response, { leg: '', request, credentialsOf }, this.#deps.options)
    if (authorization === undefined) return false
    const again = withHeaders(request, [{ name: 'CSeq', value: '2 MESSAGE' }, authorization])
    this.#request(`${branch} again`, { id, branch, request: again, place }, now)
    return true
  }

  #step(id: string, event: DeliveryEvent, now: Millis): void {
    const underway = this.#underway.get(id)
    if (underway === undefined) return
    const { state, effects } = step(underway.delivery, event, now)
    underway.delivery = state
    for (const effect of effects) {
      if (effect.kind === 'done') this.#forget(id)
      else if (effect.kind === 'unreached') this.#unreached(underway, now)
      else this.#settled(underway, effect.kind === 'taken' ? 200 : effect.status, now)
    }
  }

  /** Somebody has it, or nobody wants it: it need not wait any longer. */
  #settled(underway: Underway, status: number, now: Millis): void {
    const { user, stored } = underway
    this.#answer(underway, status, now)
    if (user === undefined || stored === undefined) return
    this.#store.remove(userKey(user), stored)
    if (this.#catchingUp.delete(userKey(user))) this.#catchUp(user, now)
  }

  #unreached(underway: Underway, now: Millis): void {
    const { user, waiting } = underway
    if (user === undefined || waiting === undefined) {
      this.#answer(underway, 480, now)
      if (user === undefined) return
      const mayTry = this.#catchingUp.get(userKey(user)) === 'again'
      this.#catchingUp.delete(userKey(user))
      if (mayTry) this.#catchUp(user, now) // Else the rest waits for the next REGISTER.
      return
    }
    const kept = this.#keep(underway, now)
    if ('id' in kept) underway.stored = kept.id
    this.#answer(underway, 'id' in kept ? 202 : kept.status, now)
  }

  /** Puts a message into the store, or says with which status it is refused. */
  #keep(
    { user, message, waiting, keptMs }: Keepable,
    now: Millis,
  ): { readonly id: string } | { readonly status: 480 | 503 } {
    if (user === undefined || waiting === undefined || keptMs === 0 || !isStorable(waiting.request))
      return { status: 480 }
    const id = this.#deps.options.ids.token()
    if (this.#store.add(userKey(user), { id, message, expiresAt: now + keptMs }, now)) return { id }
    this.#deps.options.count?.fault('MESSAGES_EXHAUSTED')
    return { status: 503 }
  }

  /** Sends the oldest kept message; the next one follows when it was taken. */
  #catchUp(user: User, now: Millis): void {
    const key = userKey(user)
    const next = this.#store.first(key, now)
    const places = this.#deps.decisions.contacts(user, now).slice(0, LIMITS.branchesPerCall)
    if (next === undefined || places.length === 0) return
    this.#catchingUp.set(key, 'once')
    const { id, message } = next
    const parts = { message, to: addressOfRecord(user), user, keptMs: 0, waiting: undefined, stored: id }
    this.#send(parts, places, now)
  }

  #answer(underway: Underway, status: number, now: Millis): void {
    const { waiting } = underway
    if (waiting === undefined) return
    underway.waiting = undefined
    const headers = status === 503 ? [RETRY_AFTER] : []
    const response = replyTo(waiting.request, status, { headers, toTag: this.#deps.options.ids.token() })
    this.#deps.endpoint.handle({ kind: 'respond', key: waiting.key, response }, now)
  }

  #forget(id: string): void {
    this.#underway.delete(id)
    this.#deadlines.set(id, undefined)
  }

  /** A user is who it authenticated as, whatever its From says; a trunk speaks for its callers. */
  #fromValue(request: SipRequest, caller: Party): string {
    const { from } = request.headers
    const uri = caller.kind === 'user' ? addressOfRecord(caller) : from.uri
    return writeNameAddr({
      ...parseNameAddr(`<${uri}>`),
      ...(from.displayName !== undefined && { displayName: from.displayName }),
    })
  }

  #date(now: Millis): string {
    return new Date(this.#deps.wall(now)).toUTCString()
  }
}

function passesTrunks(tenant: Tenant): boolean {
  return tenant.messages?.trunks === true
}

/** A challenge that only we could answer, and a redirection that only we could follow, are not the sender's to repair. */
function told(status: number): number {
  const isOurs = status === 401 || status === 407 || (status >= 300 && status < 400)
  return isOurs ? 480 : status
}

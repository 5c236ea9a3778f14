import { createDeadlineQueue, LIMITS, type Millis } from '../base/index.ts'
import { ownContact } from '../call/index.ts'
import {
  ALLOW_EVENTS,
  accepts,
  createSubscription,
  type DialogInfo,
  deadline,
  type EventName,
  type EventUser,
  eventOf,
  PACKAGES,
  type RegisteredContact,
  type Subscription,
  type SubscriptionEffect,
  type SubscriptionEvent,
  step,
} from '../events/index.ts'
import { trustedAddress } from '../registrar/index.ts'
import type { Party } from '../routing/index.ts'
import {
  acceptInDialog,
  type ClientKey,
  type Dialog,
  dialogFromRequest,
  type HeaderField,
  refreshTarget,
  replyTo,
  requestInDialog,
  type SendTarget,
  type SipRequest,
  type SipResponse,
} from '../sip/index.ts'
import { type Answer, answer } from './answer.ts'
import type { BeyondCallsDeps, Sent } from './beyond-calls.ts'
import { grantedSeconds, MIN_EXPIRES } from './event-expires.ts'
import type { EventState, StateChange } from './event-state.ts'
import type { NewRequest } from './new-requests.ts'
import { userKey } from './user-key.ts'

/** A subscription with what its next NOTIFY has to tell and where it goes. */
interface Watch {
  readonly id: string
  state: Subscription
  target: SendTarget
  /** Our Contact toward this watcher. */
  readonly contact: string
  dialogs: Map<string, DialogInfo>
  gone: readonly RegisteredContact[]
}

type Refreshed = SubscriptionEvent & { readonly kind: 'refreshed' }

const RETRY_AFTER: HeaderField = { name: 'Retry-After', value: '60' }

/** All subscriptions to the state of our users (RFC 6665 §4.2), and who watches what. */
export class Subscriptions {
  readonly #deps: BeyondCallsDeps
  readonly #events: EventState
  readonly #watches = new Map<string, Watch>()
  /** By package and user. */
  readonly #ofState = new Map<string, Set<Watch>>()
  readonly #perWatcher = new Map<string, number>()
  readonly #notifies = new Map<ClientKey, Watch>()
  readonly #deadlines = createDeadlineQueue()

  constructor(deps: BeyondCallsDeps, events: EventState) {
    this.#deps = deps
    this.#events = events
  }

  get count(): number {
    return this.#watches.size
  }

  has({ headers }: SipRequest): boolean {
    return this.#watchOf(headers.callId, headers.toTag) !== undefined
  }

  /** A SUBSCRIBE that makes a dialog, or only asks once (RFC 6665 §4.2.1). @throws GatewayError `SIP_MALFORMED_MESSAGE`. */
  subscribe(sent: Sent, now: Millis): Answer | undefined {
    const { incoming, caller, tenant } = sent
    const { request, flow, key } = incoming
    const event = eventOf(request)
    if (event === undefined) return answer(489, [ALLOW_EVENTS])
    if (caller.kind !== 'user') return answer(403)
    const user = this.#events.userNamed(sent)
    if (user === undefined) return answer(404)
    if (PACKAGES[event.name].isPrivate && user !== caller.user) return answer(403)
    if (!accepts(request, event.name)) return answer(406, [{ name: 'Accept', value: PACKAGES[event.name].contentType }])
    const seconds = grantedSeconds(request)
    if (seconds === 'too-brief') return answer(423, [MIN_EXPIRES])
    const resource = { tenant: tenant.domain, user }
    const watcher = { tenant: caller.tenant, user: caller.user }
    if (this.#isFull(event, resource, watcher)) {
      this.#deps.options.count?.fault('SUBSCRIPTIONS_EXHAUSTED')
      return answer(503, [RETRY_AFTER])
    }
    const localTag = this.#deps.options.ids.token()
    const dialog = dialogFromRequest(request, localTag, 'confirmed')
    requestInDialog(dialog, 'NOTIFY') // A route that leads nowhere is refused while nothing is kept.
    const target = targetOf(dialog, request, flow)
    const { state, effects } = createSubscription({ event, watcher, resource, dialog, expiresMs: seconds * 1_000 }, now)
    const contact = `<${this.#contactFor(flow)}>`
    const watch: Watch = { id: idOf(dialog.callId, localTag), state, target, contact, dialogs: new Map(), gone: [] }
    this.#add(watch)
    this.#accept(key, request, watch, seconds, now)
    this.#apply(watch, effects, now)
    return undefined
  }

  /** A SUBSCRIBE inside its dialog: goes on, or ends (RFC 6665 §4.2.1, §4.2.1.4). */
  refresh({ request, flow, key }: NewRequest, caller: Party, now: Millis): Answer | undefined {
    const watch = this.#watchOf(request.headers.callId, request.headers.toTag)
    if (watch === undefined || watch.state.phase !== 'active') return answer(481)
    const { watcher, event, dialog } = watch.state
    if (caller.kind !== 'user' || caller.tenant !== watcher.tenant || caller.user !== watcher.user) return answer(403)
    if (request.headers.fromTag !== dialog.remoteTag || !isSameEvent(request, event)) return answer(481)
    const order = acceptInDialog(dialog, request)
    if (order.kind === 'refuse') return answer(order.status)
    const seconds = grantedSeconds(request)
    if (seconds === 'too-brief') return answer(423, [MIN_EXPIRES])
    const refreshed: Refreshed = {
      kind: 'refreshed',
      expiresMs: seconds * 1_000,
      dialog: refreshTarget(order.dialog, request),
    }
    watch.target = targetOf(refreshed.dialog, request, flow)
    this.#accept(key, request, watch, seconds, now)
    this.#step(watch, refreshed, now)
    return undefined
  }

  response(key: ClientKey, response: SipResponse, now: Millis): boolean {
    const watch = this.#notifies.get(key)
    if (watch === undefined) return false
    const { status, headers } = response
    if (status < 200) return true
    this.#notifies.delete(key)
    this.#step(watch, { kind: 'answered', key, status, mayRetry: headers.has('Retry-After') }, now)
    return true
  }

  failed(key: ClientKey, now: Millis): boolean {
    const watch = this.#notifies.get(key)
    if (watch === undefined) return false
    this.#notifies.delete(key)
    this.#step(watch, { kind: 'unanswered', key }, now)
    return true
  }

  /** Tells everybody who watches it. */
  changed({ name, user, dialog, gone }: StateChange, now: Millis): void {
    for (const watch of [...(this.#ofState.get(`${name} ${user}`) ?? [])]) {
      if (dialog !== undefined) watch.dialogs.set(dialog.id, dialog)
      if (gone !== undefined) watch.gone = [...watch.gone, ...gone].slice(-LIMITS.contactsPerUser)
      this.#step(watch, { kind: 'news' }, now)
    }
  }

  /** The gateway ends: watchers learn that their lamps are out of date. */
  farewell(now: Millis): void {
    for (const watch of [...this.#watches.values()]) this.#step(watch, { kind: 'farewell' }, now)
  }

  wake(now: Millis): void {
    for (let id = this.#deadlines.due(now); id !== undefined; id = this.#deadlines.due(now)) {
      const watch = this.#watches.get(id)
      if (watch !== undefined) this.#step(watch, { kind: 'wake' }, now)
    }
  }

  deadline(): Millis | undefined {
    return this.#deadlines.next()
  }

  #isFull(event: EventName, resource: EventUser, watcher: EventUser): boolean {
    const watchers = this.#ofState.get(`${event.name} ${userKey(resource)}`)?.size ?? 0
    const own = this.#perWatcher.get(userKey(watcher)) ?? 0
    return (
      this.#watches.size >= LIMITS.subscriptions ||
      own >= LIMITS.subscriptionsPerUser ||
      watchers >= LIMITS.watchersPerUser
    )
  }

  /** The answer comes before the NOTIFY (RFC 6665 §4.2.1.1). */
  #accept(key: string, request: SipRequest, { state, contact }: Watch, seconds: number, now: Millis): void {
    const headers = [{ name: 'Contact', value: contact }, { name: 'Expires', value: String(seconds) }, ALLOW_EVENTS]
    const response = replyTo(request, 200, { toTag: state.dialog.localTag, headers })
    this.#deps.endpoint.handle({ kind: 'respond', key, response }, now)
  }

  #step(watch: Watch, event: SubscriptionEvent, now: Millis): void {
    const { state, effects } = step(watch.state, event, now)
    watch.state = state
    this.#apply(watch, effects, now)
  }

  #apply(watch: Watch, effects: readonly SubscriptionEffect[], now: Millis): void {
    for (const effect of effects) {
      if (effect.kind === 'notify') this.#notify(watch, effect, now)
      else this.#remove(watch)
    }
    if (this.#watches.has(watch.id)) this.#deadlines.set(watch.id, deadline(watch.state))
  }

  #notify(watch: Watch, effect: SubscriptionEffect & { readonly kind: 'notify' }, now: Millis): void {
    const { event, resource, watcher } = watch.state
    const dialogs = effect.tells === 'news' ? [...watch.dialogs.values()] : undefined
    const wanted = { name: event.name, resource, version: effect.version, dialogs, gone: watch.gone }
    const body = this.#events.document(wanted, now)
    watch.dialogs = new Map()
    watch.gone = []
    const { dialog, request } = requestInDialog(watch.state.dialog, 'NOTIFY', {
      contact: watch.contact,
      headers: [
        { name: 'Event', value: event.id === undefined ? event.name : `${event.name};id=${event.id}` },
        { name: 'Subscription-State', value: effect.state },
        ALLOW_EVENTS,
      ],
      body,
    })
    watch.state = { ...watch.state, dialog }
    this.#notifies.set(effect.key, watch)
    const way = this.#deps.decisions.wayTo(dialog.remoteTarget, watch.target, watcher, now)
    const target = way.kind === 'open' ? way.target : watch.target
    this.#deps.endpoint.handle({ kind: 'request', key: effect.key, request, target }, now)
  }

  #add(watch: Watch): void {
    const { event, resource, watcher } = watch.state
    this.#watches.set(watch.id, watch)
    const state = `${event.name} ${userKey(resource)}`
    this.#ofState.set(state, (this.#ofState.get(state) ?? new Set()).add(watch))
    this.#perWatcher.set(userKey(watcher), (this.#perWatcher.get(userKey(watcher)) ?? 0) + 1)
    this.#events.follow(event.name, resource)
  }

  #remove(watch: Watch): void {
    if (!this.#watches.delete(watch.id)) return
    const { event, resource, watcher } = watch.state
    this.#deadlines.set(watch.id, undefined)
    const left = (this.#perWatcher.get(userKey(watcher)) ?? 1) - 1
    if (left > 0) this.#perWatcher.set(userKey(watcher), left)
    else this.#perWatcher.delete(userKey(watcher))
    const state = `${event.name} ${userKey(resource)}`
    const watches = this.#ofState.get(state)
    if (watches?.delete(watch) !== true || watches.size > 0) return
    this.#ofState.delete(state)
    this.#events.unfollow(event.name, resource)
  }

  #watchOf(callId: string, localTag: string | undefined): Watch | undefined {
    return localTag === undefined ? undefined : this.#watches.get(idOf(callId, localTag))
  }

  /** The address of ours that this watcher can reach. */
  #contactFor(flow: NewRequest['flow']): string {
    const { contactFor, own } = this.#deps.options.call
    const chosen = own && ownContact({ kind: 'flow', flow }, own)
    return chosen ?? contactFor[flow.transport] ?? Object.values(contactFor)[0] ?? 'sip:invalid'
  }
}

/** Our own tag first: it has no blank. */
function idOf(callId: string, localTag: string): string {
  return `${localTag} ${callId}`
}

/** By the way the SUBSCRIBE came, but for a phone that listens on another port of the same host. */
function targetOf(dialog: Dialog, request: SipRequest, flow: NewRequest['flow']): SendTarget {
  const address = flow.transport === 'udp' ? trustedAddress(dialog.remoteTarget, request, flow) : undefined
  return dialog.routeSet.length > 0 ? { kind: 'flow', flow } : (address ?? { kind: 'flow', flow })
}

/** A dialog has one subscription (RFC 6665 §4.5.2). */
function isSameEvent(request: SipRequest, event: EventName): boolean {
  const given = eventOf(request)
  return given?.name === event.name && given.id === event.id
}

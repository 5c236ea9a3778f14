import { LIMITS, type Millis } from '../base/index.ts'
import type { CallId } from '../call/index.ts'
import {
  type DialogInfo,
  dialogInfo,
  type EventUser,
  type MessageSummary,
  messageSummary,
  PACKAGES,
  type PackageName,
  Publications,
  type PublishedPresence,
  presence,
  type RegisteredContact,
  readPresence,
  registrationInfo,
} from '../events/index.ts'
import type { Party } from '../routing/index.ts'
import type { Body, SipRequest } from '../sip/index.ts'
import { type Answer, answer } from './answer.ts'
import type { BeyondCallsDeps, ContactsChange, Sent } from './beyond-calls.ts'
import { DialogBoard } from './dialog-board.ts'
import { grantedSeconds, MIN_EXPIRES } from './event-expires.ts'
import { addressOfRecord, userKey } from './user-key.ts'

/** Something of a user changed that may be watched. */
export interface StateChange {
  readonly name: PackageName
  /** Key of the user. */
  readonly user: string
  /** What a partial document has to tell. */
  readonly dialog?: DialogInfo
  readonly gone?: readonly RegisteredContact[]
}

/** What a document is about. */
export interface Wanted {
  readonly name: PackageName
  readonly resource: EventUser
  readonly version: number
  /** Absent: everything. */
  readonly dialogs?: readonly DialogInfo[] | undefined
  readonly gone: readonly RegisteredContact[]
}

const RETRY_AFTER = { name: 'Retry-After', value: '60' }

/** The state that subscriptions tell of, and its documents. */
export class EventState {
  readonly #deps: BeyondCallsDeps
  readonly #board = new DialogBoard()
  readonly #presence: Publications<PublishedPresence>
  readonly #mailboxes = new Map<string, MessageSummary>()
  #news: StateChange[] = []

  constructor(deps: BeyondCallsDeps) {
    this.#deps = deps
    this.#presence = new Publications(deps.options.ids)
  }

  get publications(): number {
    return this.#presence.count
  }

  get hasNews(): boolean {
    return this.#news.length > 0
  }

  takeNews(): readonly StateChange[] {
    const news = this.#news
    this.#news = []
    return news
  }

  /** The user of ours that a request is about. */
  userNamed({ user, caller, tenant }: Sent): string | undefined {
    return this.#deps.decisions.calledUser({ user, caller, tenant })
  }

  /** Somebody watches this now; its state is followed from here on. */
  follow(name: PackageName, resource: EventUser): void {
    if (name === 'dialog') this.#board.watch(resource, this.#deps.table.all())
  }

  unfollow(name: PackageName, resource: EventUser): void {
    if (name === 'dialog') this.#board.forget(resource)
  }

  callChanged(call: CallId): void {
    if (this.#board.isIdle) return
    for (const { user, dialog } of this.#board.changed(call, this.#deps.table.byId(call)?.state)) {
      this.#news.push({ name: 'dialog', user, dialog })
    }
  }

  registrationChanged(who: EventUser, { before, after }: ContactsChange, now: Millis): void {
    const user = userKey(who)
    const gone = before.filter(({ uri }) => !after.some((each) => each.uri === uri))
    if (before.length > 0 !== after.length > 0) this.#news.push({ name: 'presence', user })
    if (gone.length === 0 && after.every(({ uri }) => before.some((each) => each.uri === uri))) return
    this.#news.push({
      name: 'reg',
      user,
      gone: gone.map((each) => this.#contact(each, 0, each.expiresAt <= now ? 'expired' : 'unregistered')),
    })
  }

  mailboxChanged(who: EventUser, summary: MessageSummary): void {
    this.#mailboxes.set(userKey(who), summary)
    this.#news.push({ name: 'message-summary', user: userKey(who) })
  }

  /** PUBLISH of a user's own presence (RFC 3903 §6). @throws GatewayError `SIP_MALFORMED_MESSAGE`. */
  publish(request: SipRequest, who: Extract<Party, { readonly kind: 'user' }>, now: Millis): Answer {
    const { headers, body } = request
    const { contentType } = PACKAGES.presence
    if (body !== '' && headers.contentType !== contentType) return answer(415, [{ name: 'Accept', value: contentType }])
    if (body.length > LIMITS.publicationBytes) return answer(413)
    const seconds = grantedSeconds(request)
    if (seconds === 'too-brief') return answer(423, [MIN_EXPIRES])
    const value = body === '' ? undefined : readPresence(body)
    const asked = { ifMatch: headers.get('SIP-If-Match'), value, expiresMs: seconds * 1_000 }
    const result = this.#presence.publish(userKey(who), asked, now)
    if (result.status === 503) this.#deps.options.count?.fault('SUBSCRIPTIONS_EXHAUSTED')
    if (result.status !== 200) return answer(result.status, result.status === 503 ? [RETRY_AFTER] : [])
    if (value !== undefined || seconds === 0) this.#news.push({ name: 'presence', user: userKey(who) })
    return answer(200, [
      { name: 'SIP-ETag', value: result.etag },
      { name: 'Expires', value: String(seconds) },
    ])
  }

  /** The body of a NOTIFY. */
  document({ name, resource, version, dialogs, gone }: Wanted, now: Millis): Body {
    const entity = addressOfRecord(resource)
    const type = PACKAGES[name].contentType
    switch (name) {
      case 'dialog': {
        const told = dialogs ?? this.#board.of(resource)
        return { type, content: dialogInfo({ entity, version, state: dialogs ? 'partial' : 'full', dialogs: told }) }
      }
      case 'presence':
        return { type, content: presence({ entity, ...this.#presenceOf(resource, now) }) }
      case 'reg': {
        const bindings = this.#deps.decisions.bindings(resource, now)
        const there = bindings.map((each) => this.#contact(each, secondsTo(each.expiresAt, now), 'registered'))
        return { type, content: registrationInfo({ entity, version, contacts: [...there, ...gone] }) }
      }
      case 'message-summary':
        return { type, content: messageSummary(entity, this.#mailboxes.get(userKey(resource))) }
    }
  }

  wake(now: Millis): void {
    for (const user of this.#presence.expire(now)) this.#news.push({ name: 'presence', user })
  }

  deadline(): Millis | undefined {
    return this.#presence.deadline()
  }

  #presenceOf(resource: EventUser, now: Millis) {
    return {
      published: this.#presence.of(userKey(resource), now),
      isRegistered: this.#deps.decisions.contacts(resource, now).length > 0,
    }
  }

  #contact(
    { uri, callId, sequence }: ContactsChange['after'][number],
    expiresSeconds: number,
    event: RegisteredContact['event'],
  ): RegisteredContact {
    const id = this.#deps.options.hash('MD5', uri).slice(0, 16)
    return { id, uri, callId, sequence, event, expiresSeconds }
  }
}

function secondsTo(at: Millis, now: Millis): number {
  return Math.max(0, Math.round((at - now) / 1_000))
}

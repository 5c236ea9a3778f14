import { earliest, type Millis } from '../base/index.ts'
import type { CallId } from '../call/index.ts'
import { type EventUser, eventOf, type MessageSummary } from '../events/index.ts'
import type { Party } from '../routing/index.ts'
import type { ClientKey, SipEndpoint, SipRequest, SipResponse } from '../sip/index.ts'
import type { Tenant } from '../tenancy/index.ts'
import { type Answer, answer } from './answer.ts'
import type { CallTable } from './call-table.ts'
import type { CoreKept, CoreOptions } from './core-model.ts'
import type { Decisions } from './decisions.ts'
import { EventState } from './event-state.ts'
import { Messages } from './messages.ts'
import type { NewRequest } from './new-requests.ts'
import { Subscriptions } from './subscriptions.ts'
import type { WallClock } from './views.ts'

export interface BeyondCallsDeps {
  readonly options: CoreOptions
  readonly endpoint: SipEndpoint
  readonly table: CallTable
  readonly decisions: Decisions
  readonly wall: WallClock
}

/** A request of somebody who has shown who it is. */
export interface Sent {
  readonly incoming: NewRequest
  readonly tenant: Tenant
  readonly caller: Party
  /** User part of the Request-URI as it came. */
  readonly user: string
}

/** What users do besides calling: messages (RFC 3428), subscriptions (RFC 6665), publications (RFC 3903). */
export class BeyondCalls {
  readonly #messages: Messages
  readonly #state: EventState
  readonly #subscriptions: Subscriptions

  constructor(deps: BeyondCallsDeps) {
    this.#messages = new Messages(deps)
    this.#state = new EventState(deps)
    this.#subscriptions = new Subscriptions(deps, this.#state)
  }

  kept(): CoreKept {
    return {
      subscriptions: this.#subscriptions.count,
      publications: this.#state.publications,
      messages: this.#messages.count,
    }
  }

  /** Answers a request outside of every dialog. @throws GatewayError `SIP_MALFORMED_MESSAGE`. */
  handle(sent: Sent, now: Millis): Answer | undefined {
    switch (sent.incoming.request.method) {
      case 'MESSAGE':
        return this.#messages.handle(sent, now)
      case 'SUBSCRIBE':
        return this.#subscriptions.subscribe(sent, now)
      default:
        return this.#publish(sent, now)
    }
  }

  /** Whether the dialog of that SUBSCRIBE is one of ours. */
  isSubscribed(request: SipRequest): boolean {
    return this.#subscriptions.has(request)
  }

  /** A SUBSCRIBE inside its dialog. @throws GatewayError `SIP_MALFORMED_MESSAGE`. */
  refresh(incoming: NewRequest, caller: Party, now: Millis): Answer | undefined {
    return this.#subscriptions.refresh(incoming, caller, now)
  }

  /** @returns Whether it was to a request of ours. */
  response(key: ClientKey, response: SipResponse, now: Millis): boolean {
    return this.#messages.response(key, response, now) || this.#subscriptions.response(key, response, now)
  }

  failed(key: ClientKey, now: Millis): boolean {
    return this.#messages.failed(key, now) || this.#subscriptions.failed(key, now)
  }

  callChanged(call: CallId): void {
    this.#state.callChanged(call)
  }

  /** The user's contacts changed, or were refreshed. */
  registrationChanged(who: EventUser, change: ContactsChange, now: Millis): void {
    if (change.after.length > 0) this.#messages.registered(who, now)
    this.#state.registrationChanged(who, change, now)
  }

  mailboxChanged(who: EventUser, summary: MessageSummary): void {
    this.#state.mailboxChanged(who, summary)
  }

  /** Whether `flush` has something to send. */
  get hasNews(): boolean {
    return this.#messages.hasNews || this.#state.hasNews
  }

  /** Tells watchers what changed, and arrived users what was said to them. Called once after each input. */
  flush(now: Millis): void {
    this.#messages.flush(now)
    for (const change of this.#state.takeNews()) this.#subscriptions.changed(change, now)
  }

  farewell(now: Millis): void {
    this.#subscriptions.farewell(now)
  }

  wake(now: Millis): void {
    this.#messages.wake(now)
    this.#state.wake(now)
    this.#subscriptions.wake(now)
  }

  deadline(): Millis | undefined {
    const events = earliest(this.#state.deadline(), this.#subscriptions.deadline())
    return earliest(this.#messages.deadline(), events)
  }

  /** Only a user itself says how it is (RFC 3903 §6, step 2 leaves that to us). */
  #publish(sent: Sent, now: Millis): Answer {
    const { incoming, caller } = sent
    if (eventOf(incoming.request)?.name !== 'presence') return answer(489, [PUBLISHED_EVENTS])
    if (caller.kind !== 'user') return answer(403)
    if (this.#state.userNamed(sent) !== caller.user) return answer(403)
    return this.#state.publish(incoming.request, caller, now)
  }
}

/** Contacts of a user before and after; both are empty arrays where there are none. */
export interface ContactsChange {
  readonly before: readonly Contact[]
  readonly after: readonly Contact[]
}

interface Contact {
  readonly uri: string
  readonly callId: string
  readonly sequence: number
  readonly expiresAt: Millis
}

const PUBLISHED_EVENTS = { name: 'Allow-Events', value: 'presence' }

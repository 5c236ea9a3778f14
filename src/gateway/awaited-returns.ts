import { createDeadlineQueue, LIMITS, type Millis } from '../base/index.ts'
import type { LegId } from '../call/index.ts'
import type { ClientKey, Flow, SipRequest } from '../sip/index.ts'
import type { LiveCall } from './call-table.ts'
import type { UserName } from './decisions.ts'

/** A request to a browser that has no connection at the moment. */
export interface AwaitingRequest {
  readonly call: LiveCall
  readonly leg: LegId
  readonly key: ClientKey
  readonly request: SipRequest
  readonly who: UserName
  /** The connection that closed. */
  readonly flow: Flow
  /** Of the transaction that failed with the connection; absent if the request was never sent. */
  readonly branch?: string | undefined
}

/** Requests that wait for a browser to connect again. Bounded; the plain call never comes here. */
export class AwaitedReturns {
  readonly #byKey = new Map<ClientKey, AwaitingRequest>()
  readonly #byUser = new Map<string, Set<ClientKey>>()
  readonly #ends = createDeadlineQueue()

  /** Whether there was room for it. */
  add(request: AwaitingRequest, until: Millis): boolean {
    if (this.#byKey.size >= LIMITS.requestsAwaitingReturn) return false
    const { key, who } = request
    this.#byKey.set(key, request)
    this.#ends.set(key, until)
    const user = nameOf(who)
    this.#byUser.set(user, (this.#byUser.get(user) ?? new Set()).add(key))
    return true
  }

  /** Those that wait for this user, in the order they came. */
  of(who: UserName): readonly AwaitingRequest[] {
    return [...(this.#byUser.get(nameOf(who)) ?? [])].flatMap((key) => this.#byKey.get(key) ?? [])
  }

  take(key: ClientKey): AwaitingRequest | undefined {
    const request = this.#byKey.get(key)
    if (request === undefined) return undefined
    this.#byKey.delete(key)
    this.#ends.set(key, undefined)
    const user = nameOf(request.who)
    const keys = this.#byUser.get(user)
    if (keys?.delete(key) === true && keys.size === 0) this.#byUser.delete(user)
    return request
  }

  /** It need not wait any longer. */
  giveUp(key: ClientKey, now: Millis): void {
    if (this.#byKey.has(key)) this.#ends.set(key, now)
  }

  deadline(): Millis | undefined {
    return this.#ends.next()
  }

  /** Takes out one that has waited long enough. */
  due(now: Millis): AwaitingRequest | undefined {
    const key = this.#ends.due(now)
    return key === undefined ? undefined : this.take(key)
  }
}

function nameOf({ tenant, user }: UserName): string {
  return `${tenant} ${user}`
}

import { createDeadlineQueue, type IdSource, LIMITS, type Millis } from '../base/index.ts'

/** What a PUBLISH asks for; `value` is its body, read. */
export interface PublishRequest<T> {
  /** SIP-If-Match. */
  readonly ifMatch?: string | undefined
  readonly value?: T | undefined
  readonly expiresMs: Millis
}

export type PublishResult =
  | { readonly status: 200; readonly etag: string; readonly expiresMs: Millis }
  /** 400: nothing to publish. 412: no such publication (any more). 503: the bound is reached. */
  | { readonly status: 400 | 412 | 503 }

export interface PublicationLimits {
  readonly perUser: number
  readonly overall: number
}

interface Publication<T> {
  readonly etag: string
  readonly value: T
  readonly expiresAt: Millis
}

/**
 * Event state published by devices (RFC 3903 §6), by whom it is about. It has no clock: what expired is never returned,
 * and `expire` forgets it.
 */
export class Publications<T> {
  readonly #ids: IdSource
  readonly #limits: PublicationLimits
  /** Of each user the newest last. */
  readonly #kept = new Map<string, readonly Publication<T>[]>()
  readonly #ends = createDeadlineQueue()
  #count = 0

  constructor(
    ids: IdSource,
    limits: PublicationLimits = { perUser: LIMITS.publicationsPerUser, overall: LIMITS.publications },
  ) {
    this.#ids = ids
    this.#limits = limits
  }

  get count(): number {
    return this.#count
  }

  /** Values of that user that are valid, the newest first. */
  of(user: string, now: Millis): readonly T[] {
    return this.#live(user, now)
      .map(({ value }) => value)
      .toReversed()
  }

  /** Initial publication, refresh, modification or removal: RFC 3903 §4 tells which. */
  publish(user: string, { ifMatch, value, expiresMs }: PublishRequest<T>, now: Millis): PublishResult {
    const live = this.#live(user, now)
    const old = ifMatch === undefined ? undefined : live.find(({ etag }) => etag === ifMatch)
    if (ifMatch !== undefined && old === undefined) return { status: 412 }
    const next = value ?? old?.value
    if (next === undefined) return { status: 400 }
    const others = live.filter((each) => each !== old)
    const etag = this.#ids.token() // A new one each time (RFC 3903 §6).
    const own = expiresMs === 0 ? [] : [{ etag, value: next, expiresAt: now + expiresMs }]
    const after = [...others, ...own].slice(-this.#limits.perUser) // A page that was reloaded leaves some behind.
    if (this.#count - this.#size(user) + after.length > this.#limits.overall) return { status: 503 }
    this.#store(user, after)
    return { status: 200, etag, expiresMs }
  }

  /** When the first publication ends. */
  deadline(): Millis | undefined {
    return this.#ends.next()
  }

  /** Forgets what expired. @returns Users whose state changed by it. */
  expire(now: Millis): readonly string[] {
    const users: string[] = []
    for (let user = this.#ends.due(now); user !== undefined; user = this.#ends.due(now)) {
      this.#store(user, this.#live(user, now))
      users.push(user)
    }
    return users
  }

  #live(user: string, now: Millis): readonly Publication<T>[] {
    return (this.#kept.get(user) ?? []).filter(({ expiresAt }) => expiresAt > now)
  }

  #size(user: string): number {
    return this.#kept.get(user)?.length ?? 0
  }

  #store(user: string, after: readonly Publication<T>[]): void {
    this.#count += after.length - this.#size(user)
    if (after.length === 0) this.#kept.delete(user)
    else this.#kept.set(user, after)
    const next = after.length === 0 ? undefined : Math.min(...after.map(({ expiresAt }) => expiresAt))
    this.#ends.set(user, next)
  }
}

import { createDeadlineQueue, LIMITS, type Millis } from '../base/index.ts'
import type { AcceptedMessage } from './content.ts'

/** A message that waits for its receiver. */
export interface StoredMessage {
  readonly id: string
  readonly message: AcceptedMessage
  readonly expiresAt: Millis
}

export interface MessageStoreLimits {
  readonly perUser: number
  readonly overall: number
}

/**
 * Messages for users that are not there (RFC 3428 §7: 202 tells the sender so), in the order in which they came. It has no
 * clock: what expired is never returned, and `expire` forgets it.
 */
export class MessageStore {
  readonly #limits: MessageStoreLimits
  readonly #waiting = new Map<string, readonly StoredMessage[]>()
  readonly #ends = createDeadlineQueue()
  #count = 0

  constructor(limits: MessageStoreLimits = { perUser: LIMITS.messagesPerUser, overall: LIMITS.messages }) {
    this.#limits = limits
  }

  get count(): number {
    return this.#count
  }

  /** @returns Whether there was room. */
  add(user: string, message: StoredMessage, now: Millis): boolean {
    const live = this.#live(user, now)
    const others = this.#count - this.#size(user)
    if (live.length >= this.#limits.perUser || others + live.length >= this.#limits.overall) return false
    this.#store(user, [...live, message])
    return true
  }

  /** The one that waits longest. */
  first(user: string, now: Millis): StoredMessage | undefined {
    return this.#live(user, now)[0]
  }

  remove(user: string, id: string): void {
    this.#store(
      user,
      (this.#waiting.get(user) ?? []).filter((each) => each.id !== id),
    )
  }

  /** When the first message is too old. */
  deadline(): Millis | undefined {
    return this.#ends.next()
  }

  /** Forgets what expired. @returns How many. */
  expire(now: Millis): number {
    const before = this.#count
    for (let user = this.#ends.due(now); user !== undefined; user = this.#ends.due(now)) {
      this.#store(user, this.#live(user, now))
    }
    return before - this.#count
  }

  #live(user: string, now: Millis): readonly StoredMessage[] {
    return (this.#waiting.get(user) ?? []).filter(({ expiresAt }) => expiresAt > now)
  }

  #size(user: string): number {
    return this.#waiting.get(user)?.length ?? 0
  }

  #store(user: string, after: readonly StoredMessage[]): void {
    this.#count += after.length - this.#size(user)
    if (after.length === 0) this.#waiting.delete(user)
    else this.#waiting.set(user, after)
    const next = after.length === 0 ? undefined : Math.min(...after.map(({ expiresAt }) => expiresAt))
    this.#ends.set(user, next)
  }
}

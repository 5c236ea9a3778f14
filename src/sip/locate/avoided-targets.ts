import { LIMITS, type Millis } from '../../base/index.ts'
import type { AddressTarget } from '../flow.ts'

/**
 * Targets that did not serve a request lately (RFC 3263 §4.3, RFC 3261 §21.5.4): they are tried behind all others until
 * their time is over, or until they answer.
 */
export class AvoidedTargets {
  readonly #until = new Map<string, Millis>()

  get size(): number {
    return this.#until.size
  }

  /** @returns whether it was not avoided before. */
  avoid(target: AddressTarget, ms: Millis, now: Millis): boolean {
    const key = keyOf(target)
    const before = this.#until.get(key)
    const isNew = before === undefined || before <= now
    this.#until.delete(key)
    if (this.#until.size >= LIMITS.avoidedTargets) this.#forgetOne(now)
    this.#until.set(key, Math.max(before ?? 0, now + ms))
    return isNew
  }

  /** It serves again. */
  forgive(target: AddressTarget): void {
    if (this.#until.size > 0) this.#until.delete(keyOf(target))
  }

  has(target: AddressTarget, now: Millis): boolean {
    if (this.#until.size === 0) return false
    const key = keyOf(target)
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (now < until) return true
    this.#until.delete(key)
    return false
  }

  /** One whose time is over; else the one whose time is over first. */
  #forgetOne(now: Millis): void {
    let first: string | undefined
    let earliest = Number.POSITIVE_INFINITY
    for (const [key, until] of this.#until) {
      if (until >= earliest) continue
      first = key
      earliest = until
      if (until <= now) break
    }
    if (first !== undefined) this.#until.delete(first)
  }
}

function keyOf({ transport, to }: AddressTarget): string {
  return `${transport} ${to.host} ${to.port}`
}

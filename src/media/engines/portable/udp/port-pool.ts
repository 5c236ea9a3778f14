import type { Millis } from '../../../../base/index.ts'
import type { PortRange } from '../config.ts'

interface Resting {
  readonly port: number
  /** When it was released; `-Infinity` if it was never used. */
  readonly since: Millis
}

/**
 * Hands out even ports whose odd neighbour is free too (RFC 3550 §11), the longest rested first.
 *
 * A released pair rests, so that late packets of an ended call do not reach a new one. Under pressure the rest may be
 * shorter, down to a tenth.
 */
export class PortPool {
  readonly #quarantineMs: number
  readonly #resting: Resting[] = []
  #head = 0

  /** @param startAt From 0 to 1: where in the range to begin, so that ports of a new process cannot be guessed. */
  constructor(range: PortRange, quarantineMs: number, startAt: number) {
    this.#quarantineMs = quarantineMs
    const first = range.from + (range.from % 2)
    const pairs = Math.max(0, Math.floor((range.to - first + 1) / 2))
    const offset = Math.floor(startAt * pairs)
    for (let i = 0; i < pairs; i++) {
      this.#resting.push({ port: first + ((i + offset) % pairs) * 2, since: Number.NEGATIVE_INFINITY })
    }
  }

  /** Pairs that are not in use, rested or not. */
  get idle(): number {
    return this.#resting.length - this.#head
  }

  /** An even port, or `undefined` when all are in use or released too short a time ago. */
  take(now: Millis): number | undefined {
    const longest = this.#resting[this.#head]
    if (longest === undefined || now - longest.since < this.#quarantineMs / 10) return undefined
    this.#head++
    if (this.#head > 1_024 && this.#head * 2 > this.#resting.length) {
      this.#resting.splice(0, this.#head)
      this.#head = 0
    }
    return longest.port
  }

  /** Gives back a pair that nobody was told of: it is the next one to be taken. */
  putBack(port: number): void {
    const rested = { port, since: Number.NEGATIVE_INFINITY }
    if (this.#head > 0) this.#resting[--this.#head] = rested
    else this.#resting.unshift(rested)
  }

  /** Gives a pair back to rest. Also for a pair that another process holds. */
  release(port: number, now: Millis): void {
    this.#resting.push({ port, since: now })
  }
}

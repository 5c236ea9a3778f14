import { LIMITS, type Millis } from '../../base/index.ts'
import type { DnsAnswer, DnsFact, DnsQuestion } from './model.ts'

/** Answers are believed no longer than this, whatever they say, in seconds. */
const LONGEST_SECONDS = 86_400
/** That there is nothing is believed no longer than this, so that a mended zone is seen soon (RFC 2308 §5 allows more). */
const LONGEST_NEGATIVE_SECONDS = 300
/** For how long nobody is asked again where no server could tell, in ms. */
const FAILURE_MS = 5_000
/** For how long what was true last goes on being used where no server can tell (RFC 8767), in ms. */
const STALE_MS = 3_600_000

interface Entry {
  readonly fact: DnsFact
  readonly until: Millis
  /** Until then it may stand in for an answer that nobody could give. */
  readonly staleUntil: Millis
}

/** What the DNS said, for as long as it said that may be believed (RFC 1035 §3.2.1, RFC 2308), up to a bound. */
export class DnsCache {
  readonly #entries = new Map<string, Entry>()

  get size(): number {
    return this.#entries.size
  }

  fact({ type, name }: DnsQuestion, now: Millis): DnsFact | undefined {
    const entry = this.#entries.get(`${type} ${name}`)
    return entry !== undefined && now < entry.until ? entry.fact : undefined
  }

  /** Remembers an answer. @returns what to believe now: of a failure, what was true before if that is not too old. */
  learn({ type, name }: DnsQuestion, answer: DnsAnswer, now: Millis): DnsFact {
    const key = `${type} ${name}`
    const entry = entryOf(answer, this.#entries.get(key), now)
    this.#entries.delete(key)
    if (entry.until <= now) return entry.fact // A TTL of 0: for those who asked, and for nobody else.
    if (this.#entries.size >= LIMITS.dnsCacheEntries) {
      for (const oldest of this.#entries.keys()) if (this.#entries.delete(oldest)) break
    }
    this.#entries.set(key, entry)
    return entry.fact
  }
}

function entryOf(answer: DnsAnswer, before: Entry | undefined, now: Millis): Entry {
  if (answer.kind === 'failed') {
    const isUsable = before !== undefined && now < before.staleUntil
    if (isUsable) return { ...before, until: now + FAILURE_MS }
    return { fact: 'failed', until: now + FAILURE_MS, staleUntil: now }
  }
  const longest = answer.kind === 'none' ? LONGEST_NEGATIVE_SECONDS : LONGEST_SECONDS
  const until = now + 1_000 * Math.min(Math.max(answer.ttlSeconds, 0), longest)
  const fact = answer.kind === 'none' ? 'none' : answer.records
  return { fact, until, staleUntil: until + STALE_MS }
}

import { LIMITS, type Millis } from '../../base/index.ts'
import type { AddressTarget, TransportName } from '../flow.ts'
import { AvoidedTargets } from './avoided-targets.ts'
import { DnsCache } from './dns-cache.ts'
import { locate } from './locate.ts'
import type { DnsAnswer, DnsFact, DnsQuestion } from './model.ts'

export interface LocatorOptions {
  /** Numbers from 0 to 1, without 1. */
  readonly random: () => number
  /** Transports we can send requests over. */
  readonly transports: readonly TransportName[]
}

/** Where to go, in the order to try it. */
export interface LocatedTargets {
  readonly targets: readonly LocatedTarget[]
  /** Why there is none. */
  readonly problem?: string
}

export interface LocatedTarget {
  readonly target: AddressTarget
  /** It did not serve a request lately: to be tried behind all others. */
  readonly avoided: boolean
}

export type LocatorOutput =
  /** A question for the DNS; its answer is handed in with `answered`. */
  | { readonly kind: 'asks'; readonly question: DnsQuestion }
  | { readonly kind: 'located'; readonly id: string; readonly found: LocatedTargets }

interface Search {
  readonly id: string
  readonly target: AddressTarget
  /** What was learned for this search, even if the cache may not keep it. */
  readonly facts: Map<string, DnsFact>
  readonly open: Set<string>
}

/**
 * Finds the servers of domains (RFC 3263 §4) without sockets and clock: `start`, then `poll` until empty, hand in each
 * answer, `poll` again. It remembers what the DNS said, and which targets did not serve.
 */
export class Locator {
  readonly #options: LocatorOptions
  readonly #cache = new DnsCache()
  readonly #searches = new Map<string, Search>()
  /** Searches that wait for the answer to a question. */
  readonly #waiting = new Map<string, Set<Search>>()
  #outputs: LocatorOutput[] = []
  readonly avoided = new AvoidedTargets()

  constructor(options: LocatorOptions) {
    this.#options = options
  }

  get searches(): number {
    return this.#searches.size
  }

  /** Looks for a target. The result comes as `located`, at once if nobody has to be asked. */
  start(id: string, target: AddressTarget, now: Millis): void {
    if (this.#searches.size >= LIMITS.dnsSearches) return this.#end(id, { targets: [], problem: 'too many searches' })
    const search: Search = { id, target, facts: new Map(), open: new Set() }
    this.#searches.set(id, search)
    this.#look(search, now)
  }

  /** Nobody waits for it any more; no result will come. */
  forget(id: string): void {
    const search = this.#searches.get(id)
    if (search === undefined) return
    this.#searches.delete(id)
    for (const key of search.open) this.#waiting.get(key)?.delete(search) // The answer is still worth remembering.
  }

  answered(question: DnsQuestion, answer: DnsAnswer, now: Millis): void {
    const key = keyOf(question)
    const fact = this.#cache.learn(question, answer, now)
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    for (const search of waiting ?? []) {
      search.facts.set(key, fact)
      search.open.delete(key)
      if (search.open.size === 0) this.#look(search, now)
    }
  }

  poll(): LocatorOutput | undefined {
    return this.#outputs.shift()
  }

  #look(search: Search, now: Millis): void {
    const located = locate(search.target, {
      ...this.#options,
      fact: (question) => search.facts.get(keyOf(question)) ?? this.#cache.fact(question, now),
    })
    if (located.kind === 'asks') {
      for (const question of located.questions) this.#ask(search, question)
      return
    }
    this.#searches.delete(search.id)
    const { targets, uncertain } = located
    const host = search.target.to.host
    const problem = uncertain ? `the DNS could not tell of ${host}` : `the DNS knows no server of ${host}`
    this.#end(search.id, targets.length === 0 ? { targets: [], problem } : { targets: this.inOrder(targets, now) })
  }

  /** Those that are avoided come last. */
  inOrder(targets: readonly AddressTarget[], now: Millis): readonly LocatedTarget[] {
    const all = targets.map((target) => ({ target, avoided: this.avoided.has(target, now) }))
    return [...all.filter(({ avoided }) => !avoided), ...all.filter(({ avoided }) => avoided)]
  }

  #ask(search: Search, question: DnsQuestion): void {
    const key = keyOf(question)
    search.open.add(key)
    const waiting = this.#waiting.get(key)
    if (waiting !== undefined) {
      waiting.add(search)
      return
    }
    this.#waiting.set(key, new Set([search]))
    this.#outputs.push({ kind: 'asks', question })
  }

  #end(id: string, found: LocatedTargets): void {
    this.#outputs.push({ kind: 'located', id, found })
  }
}

function keyOf({ type, name }: DnsQuestion): string {
  return `${type} ${name}`
}

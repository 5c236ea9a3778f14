import { type Random, seededRandom } from '../../support/random.ts'
import { Coverage } from './coverage.ts'

/** Something that reads bytes of a peer. */
export interface FuzzTarget {
  readonly seeds: readonly string[]
  /** Reads one input. @throws Error if it did what it must not do with any input. */
  take(input: string): void
  /** An input made of others. */
  change(random: Random, material: readonly string[]): string
}

export interface GuidedResult {
  readonly inputs: number
  /** Inputs kept because they reached what none before did. */
  readonly kept: number
  /** How much of the sources the seeds reached, and how much the search added, in characters. */
  readonly reached: { readonly bySeeds: number; readonly bySearch: number }
  readonly findings: readonly { readonly what: string; readonly input: string }[]
}

const BATCH = 100
const FEW = 10
const MAX_KEPT = 2_000
const MAX_FINDINGS = 10

/**
 * Looks for inputs that the target does not bear. An input that reaches code which no input reached before is kept, and
 * changed further. Coverage is read once for many inputs; only where there is news each is run alone.
 */
export function fuzzGuided(target: FuzzTarget, { seconds, seed }: { seconds: number; seed: number }): GuidedResult {
  const search = new Search(target, seededRandom(seed))
  search.seed()
  const endsAt = performance.now() + seconds * 1_000
  while (performance.now() < endsAt && search.findings.length < MAX_FINDINGS) search.round()
  return search.result()
}

class Search {
  readonly findings: { readonly what: string; readonly input: string }[] = []
  readonly #target: FuzzTarget
  readonly #random: Random
  readonly #coverage = new Coverage()
  readonly #kept: string[] = []
  #inputs = 0
  #bySeeds = 0
  #bySearch = 0

  constructor(target: FuzzTarget, random: Random) {
    this.#target = target
    this.#random = random
  }

  seed(): void {
    this.#coverage.news()
    for (const input of this.#target.seeds) this.#take(input)
    this.#bySeeds = this.#coverage.news()
  }

  round(): void {
    const material = this.#material()
    const batch = Array.from({ length: BATCH }, () => this.#target.change(this.#random, material))
    for (const input of batch) this.#take(input)
    if (this.#coverage.news(true) === 0) return
    for (let at = 0; at < BATCH; at += FEW) this.#lookCloser(batch.slice(at, at + FEW))
  }

  /** Which of these few reach something new. What they do only after others is not found again, and is no harm. */
  #lookCloser(few: readonly string[]): void {
    for (const input of few) this.#take(input)
    if (this.#coverage.news(true) === 0) return
    for (const input of few) {
      this.#take(input)
      const reached = this.#coverage.news()
      this.#bySearch += reached
      if (reached > 0 && this.#kept.length < MAX_KEPT) this.#kept.push(input)
    }
  }

  result(): GuidedResult {
    const { findings } = this
    const reached = { bySeeds: this.#bySeeds, bySearch: this.#bySearch }
    return { inputs: this.#inputs, kept: this.#kept.length, reached, findings }
  }

  /** Inputs that were kept are changed as often as all seeds together. */
  #material(): readonly string[] {
    const { seeds } = this.#target
    if (this.#kept.length === 0 || this.#random.fraction() < 0.5) return seeds
    return this.#kept.slice(-seeds.length)
  }

  #take(input: string): void {
    this.#inputs++
    try {
      this.#target.take(input)
    } catch (error) {
      const what = error instanceof Error ? `${error.stack}${causeOf(error)}` : String(error)
      if (this.findings.length < MAX_FINDINGS) this.findings.push({ what, input: JSON.stringify(input) })
    }
  }
}

function causeOf({ cause }: Error): string {
  return cause instanceof Error ? `\n  because of ${cause.stack}` : ''
}

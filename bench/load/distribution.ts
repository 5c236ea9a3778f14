import type { Series } from '../report/index.ts'
import type { LoadSummary } from './generator.ts'

/** Values in buckets, as the generator's histograms give them. */
export class Distribution {
  /** Largest value of a bucket, ascending, and how many values are in it. */
  readonly #buckets: readonly (readonly [number, number])[]
  readonly count: number
  readonly max: number

  private constructor(buckets: readonly (readonly [number, number])[], max: number) {
    this.#buckets = buckets
    this.count = buckets.reduce((sum, [, count]) => sum + count, 0)
    this.max = max
  }

  /** All values of several histograms together. */
  static of(summaries: readonly LoadSummary[]): Distribution {
    const counts = new Map<number, number>()
    for (const { buckets } of summaries) {
      for (const [value, count] of buckets) counts.set(value, (counts.get(value) ?? 0) + count)
    }
    const buckets = [...counts].toSorted(([a], [b]) => a - b)
    return new Distribution(buckets, Math.max(0, ...summaries.map(({ max }) => max)))
  }

  /** Nearest rank; 0 without values. */
  percentile(fraction: number): number {
    const rank = Math.max(1, Math.ceil(fraction * this.count))
    let seen = 0
    for (const [value, count] of this.#buckets) {
      seen += count
      if (seen >= rank) return Math.min(value, this.max)
    }
    return this.max
  }

  /** For an axis of nines, as far as the number of values carries. */
  curve(name: string): Series {
    const points: (readonly [number, number])[] = []
    const last = Math.log10(Math.max(1, this.count))
    for (let nines = 0; nines <= last; nines += 0.05) points.push([nines, this.percentile(1 - 10 ** -nines)])
    return { name, points: points.filter(([, value]) => value > 0) }
  }
}

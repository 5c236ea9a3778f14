/** A growing list of numbers that gives exact percentiles. Memory: 8 bytes per number. */
export class Samples {
  #values = new Float64Array(1024)
  #count = 0
  #sorted = true

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const grown = new Float64Array(this.#values.length * 2)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.#count++] = value
    this.#sorted = false
  }

  clear(): void {
    this.#count = 0
    this.#sorted = true
  }

  get count(): number {
    return this.#count
  }

  /** The value below which `fraction` (0 to 1) of all values lie, nearest rank; `NaN` without values. */
  percentile(fraction: number): number {
    if (this.#count === 0) return Number.NaN
    const rank = Math.max(0, Math.ceil(fraction * this.#count) - 1)
    return this.sorted()[rank] ?? Number.NaN
  }

  max(): number {
    return this.percentile(1)
  }

  mean(): number {
    let sum = 0
    for (let i = 0; i < this.#count; i++) sum += this.#values[i] ?? 0
    return sum / this.#count
  }

  /** All values in ascending order. A view: do not keep it over an `add`. */
  sorted(): Float64Array {
    const live = this.#values.subarray(0, this.#count)
    if (!this.#sorted) live.sort()
    this.#sorted = true
    return live
  }
}

/** p50, p99, p99.9 and max, rounded to three decimals. */
export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export function percentilesOf(samples: Samples): Percentiles {
  return {
    p50: rounded(samples.percentile(0.5)),
    p99: rounded(samples.percentile(0.99)),
    p999: rounded(samples.percentile(0.999)),
    max: rounded(samples.max()),
  }
}

export function rounded(value: number, decimals = 3): number {
  const factor = 10 ** decimals
  return Math.round(value * factor) / factor
}

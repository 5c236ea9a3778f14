/** Cores of the relay's threads, and of the generators, one for each thread. */
export interface Places {
  readonly relay: readonly number[]
  readonly generators: readonly number[]
  /** Some core has both a thread of the relay and a generator: they take time from each other. */
  readonly shared: boolean
}

/** The relay from the last core downwards, generators from the first one upwards: they meet as late as can be. */
export function placesOf(threads: number, cores: number): Places {
  const relay = Array.from({ length: threads }, (_, n) => cores - 1 - (n % cores)).toSorted((a, b) => a - b)
  const generators = Array.from({ length: threads }, (_, n) => n % cores)
  return { relay, generators, shared: generators.some((core) => relay.includes(core)) }
}

/** 1, 2, 4, … and all of them. */
export function defaultThreads(cores: number): number[] {
  const powers = Array.from({ length: 10 }, (_, n) => 2 ** n).filter((threads) => threads < cores)
  return [...powers, cores]
}

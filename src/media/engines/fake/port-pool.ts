import type { Millis } from '../../../base/index.ts'

/** Even RTP ports; a released one rests before it is given again. */
export class FakePorts {
  readonly #free: number[]
  readonly #resting: { readonly port: number; readonly until: Millis }[] = []
  readonly #quarantineMs: number

  constructor(first: number, pairs: number, quarantineMs: number) {
    this.#free = Array.from({ length: pairs }, (_, index) => first + 2 * index)
    this.#quarantineMs = quarantineMs
  }

  /** `count` ports, or `undefined` and none taken. */
  take(count: number, now: Millis): number[] | undefined {
    while (this.#resting[0] !== undefined && this.#resting[0].until <= now) {
      this.#free.push(this.#resting[0].port)
      this.#resting.shift()
    }
    return this.#free.length < count ? undefined : this.#free.splice(0, count)
  }

  release(ports: readonly number[], now: Millis): void {
    for (const port of ports) this.#resting.push({ port, until: now + this.#quarantineMs })
  }
}

import { earliest, type Millis } from '../../src/base/index.ts'
import { Network, type NetworkConditions } from './network.ts'
import { type Random, seededRandom } from './random.ts'

/** Something with an address that takes part. Addresses are IP addresses; every node listens on port 5060. */
export interface Node {
  readonly address: string
  receive(data: string, from: string, now: Millis): void
  /** Lets due timers run and sends what is due. */
  wake(now: Millis): void
  deadline(): Millis | undefined
  /** Settles when nothing asynchronous is under way inside. */
  idle?(): Promise<void>
}

interface Appointment {
  readonly at: Millis
  readonly act: () => void
}

/**
 * Virtual time for a handful of nodes and the network between them. The clock jumps to the next thing that happens; no
 * test waits.
 */
export class World {
  now: Millis = 1_000_000
  readonly random: Random
  readonly network: Network
  readonly #nodes = new Map<string, Node>()
  #appointments: Appointment[] = []

  constructor(seed: number, conditions: NetworkConditions) {
    this.random = seededRandom(seed)
    this.network = new Network(this.random, conditions)
  }

  add<N extends Node>(node: N): N {
    this.#nodes.set(node.address, node)
    return node
  }

  /** Does something in `ms` from now. */
  after(ms: number, act: () => void): void {
    this.#appointments.push({ at: this.now + ms, act })
    this.#appointments.sort((a, b) => a.at - b.at)
  }

  send(from: string, to: string, data: string, reliable: boolean): void {
    this.network.send({ from, to, data, reliable }, this.now)
  }

  /** Lets the world run for `ms`. */
  async run(ms: number): Promise<void> {
    const until = this.now + ms
    await this.#settle()
    for (let next = this.#next(); next !== undefined && next <= until; next = this.#next()) {
      this.now = Math.max(this.now, next)
      this.#step()
      await this.#settle()
    }
    this.now = until
  }

  #next(): Millis | undefined {
    let next = earliest(this.network.deadline(), this.#appointments[0]?.at)
    for (const node of this.#nodes.values()) next = earliest(next, node.deadline())
    return next
  }

  #step(): void {
    while (this.#appointments[0] !== undefined && this.#appointments[0].at <= this.now)
      this.#appointments.shift()?.act()
    for (const { to, from, data } of this.network.arrived(this.now)) this.#nodes.get(to)?.receive(data, from, this.now)
    for (const node of this.#nodes.values()) {
      const deadline = node.deadline()
      if (deadline !== undefined && deadline <= this.now) node.wake(this.now)
    }
  }

  async #settle(): Promise<void> {
    for (const node of this.#nodes.values()) await node.idle?.()
  }
}

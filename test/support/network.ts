import type { Millis } from '../../src/base/index.ts'
import type { Random } from './random.ts'

/** What a network does to a datagram. */
export interface NetworkConditions {
  /** From 0 to 1. */
  readonly loss: number
  readonly duplication: number
  /** One way; each datagram draws its own, so that later ones may overtake. */
  readonly delayMs: readonly [least: number, most: number]
}

export const GOOD_NETWORK: NetworkConditions = { loss: 0, duplication: 0, delayMs: [5, 5] }

/** A third of the datagrams is lost, some come twice, and any may overtake others. */
export const BAD_NETWORK: NetworkConditions = { loss: 0.3, duplication: 0.1, delayMs: [5, 120] }

/** Between whom a packet travels. What is `reliable` (a connection) arrives once and in order, however bad the network. */
export interface Packet {
  readonly from: string
  readonly to: string
  readonly reliable: boolean
  readonly data: string
}

interface Travelling {
  readonly packet: Packet
  readonly at: Millis
  readonly order: number
}

/** Datagrams on their way. It has no clock: ask `deadline()`, then `arrived(now)`. */
export class Network {
  conditions: NetworkConditions
  /** Decides on single packets before chance does: `true` loses it. */
  drop: (packet: Packet) => boolean = () => false
  /** Addresses that no datagram reaches or leaves. */
  readonly cut = new Set<string>()
  readonly #random: Random
  readonly #connections = new Map<string, Millis>()
  #travelling: Travelling[] = []
  #order = 0

  constructor(random: Random, conditions: NetworkConditions) {
    this.#random = random
    this.conditions = conditions
  }

  send(packet: Packet, now: Millis): void {
    if (this.drop(packet)) return
    if (!packet.reliable && (this.cut.has(packet.from) || this.cut.has(packet.to))) return
    const { loss, duplication } = this.conditions
    if (!packet.reliable && this.#random.fraction() < loss) return
    this.#put(packet, now)
    if (!packet.reliable && this.#random.fraction() < duplication) this.#put(packet, now)
  }

  deadline(): Millis | undefined {
    return this.#travelling[0]?.at
  }

  /** What has arrived by now, in the order of arrival. */
  arrived(now: Millis): readonly Packet[] {
    const due = this.#travelling.filter(({ at }) => at <= now)
    this.#travelling = this.#travelling.filter(({ at }) => at > now)
    return due.map(({ packet }) => packet)
  }

  #put(packet: Packet, now: Millis): void {
    const [least, most] = this.conditions.delayMs
    const drawn = now + this.#random.between(least, most)
    const connection = `${packet.from} ${packet.to}`
    const at = packet.reliable ? Math.max(drawn, this.#connections.get(connection) ?? 0) : drawn
    if (packet.reliable) this.#connections.set(connection, at)
    this.#travelling.push({ packet, at, order: this.#order++ })
    this.#travelling.sort((a, b) => a.at - b.at || a.order - b.order)
  }
}

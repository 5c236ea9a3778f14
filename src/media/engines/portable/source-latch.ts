import type { Millis } from '../../../base/index.ts'

/** From where media of a SIP peer is accepted and where it is sent (DESIGN §7). */
export class SourceLatch {
  readonly #policy: 'strict' | 'same-ip'
  readonly #alternative: string | undefined
  #signalled: Place = NOWHERE
  #latched: Place = NOWHERE
  #candidate: Candidate | undefined
  /** When the place in use was last heard. */
  #heardAt: Millis = Number.NEGATIVE_INFINITY

  /** `alternative`: a further IP address the peer's media may come from, where its signalling does. */
  constructor(policy: 'strict' | 'same-ip', alternative?: string) {
    this.#policy = policy
    this.#alternative = alternative
  }

  /** Where to send; 0 while nothing was signalled. */
  get port(): number {
    return this.#latched.port
  }

  get address(): string {
    return this.#latched.address
  }

  /** What the peer's SDP says. The same again keeps what was learnt. */
  signal(address: string, port: number): void {
    if (isAt(this.#signalled, address, port)) return
    this.#signalled = { address, port }
    this.#latched = this.#signalled
    this.#candidate = undefined
    this.#heardAt = Number.NEGATIVE_INFINITY
  }

  /** Whether an address could be the peer's at all: cheap, and asked before anything is decrypted. */
  mayBe(address: string, port: number): boolean {
    if (this.#signalled.port === 0) return false
    if (this.#policy === 'strict') return isAt(this.#signalled, address, port)
    return address === this.#signalled.address || address === this.#alternative
  }

  /**
   * Whether to take an RTP packet from this address, which `mayBe` let through and which is authentic if it can be.
   *
   * Another port of the peer's address, or any of its alternative one, is followed once it sent a few packets of one
   * SSRC in a row: a NAT between us gave the peer a place it does not know of. Packets until then are not taken. As long
   * as the place in use is heard nobody else is followed: four packets between two of a caller are soon sent.
   */
  accepts(from: Place, ssrc: number, sequence: number, now: Millis): boolean {
    const { address, port } = from
    if (isAt(this.#latched, address, port)) {
      this.#candidate = undefined
      this.#heardAt = now
      return true
    }
    const before = this.#candidate
    const isNext =
      before !== undefined && isAt(before, address, port) && before.ssrc === ssrc && follows(before.sequence, sequence)
    const count = isNext ? before.count + 1 : 1
    this.#candidate = { address, port, ssrc, sequence, count }
    if (count >= PACKETS_TO_LATCH && now - this.#heardAt >= QUIET_MS) {
      this.#latched = { address, port }
      this.#candidate = undefined
      this.#heardAt = now
      return true
    }
    return isAt(this.#signalled, address, port)
  }
}

interface Place {
  readonly address: string
  readonly port: number
}

const NOWHERE: Place = { address: '', port: 0 }

function isAt(place: Place, address: string, port: number): boolean {
  return place.port === port && place.address === address
}

interface Candidate extends Place {
  readonly ssrc: number
  readonly sequence: number
  readonly count: number
}

function follows(previous: number, next: number): boolean {
  return ((previous + 1) & 0xffff) === next
}

const PACKETS_TO_LATCH = 4
/** A source that is silent for so long may have moved: longer than any packet time and most pauses of one. */
const QUIET_MS = 500

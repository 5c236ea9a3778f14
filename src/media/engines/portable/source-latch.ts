/** From where media of a SIP peer is accepted and where it is sent (DESIGN §7). */
export class SourceLatch {
  readonly #policy: 'strict' | 'same-ip'
  #address = ''
  #signalledPort = 0
  #latchedPort = 0
  #candidate: Candidate | undefined

  constructor(policy: 'strict' | 'same-ip') {
    this.#policy = policy
  }

  /** Where to send; 0 while nothing was signalled. */
  get port(): number {
    return this.#latchedPort
  }

  get address(): string {
    return this.#address
  }

  /** What the peer's SDP says. The same again keeps what was learnt. */
  signal(address: string, port: number): void {
    if (address === this.#address && port === this.#signalledPort) return
    this.#address = address
    this.#signalledPort = port
    this.#latchedPort = port
    this.#candidate = undefined
  }

  /** Whether an address could be the peer's at all: cheap, and asked before anything is decrypted. */
  mayBe(address: string, port: number): boolean {
    if (address !== this.#address || this.#signalledPort === 0) return false
    return this.#policy === 'same-ip' || port === this.#signalledPort
  }

  /**
   * Whether to take an RTP packet from this address, which `mayBe` let through and which is authentic if it can be.
   *
   * Another port of the peer's address is followed once it sent a few packets of one SSRC in a row: a NAT between us
   * gave the peer a port it does not know of. Packets until then are not taken.
   */
  accepts(port: number, ssrc: number, sequence: number): boolean {
    if (port === this.#latchedPort) {
      this.#candidate = undefined
      return true
    }
    const before = this.#candidate
    const isNext =
      before !== undefined && before.port === port && before.ssrc === ssrc && follows(before.sequence, sequence)
    const count = isNext ? before.count + 1 : 1
    this.#candidate = { port, ssrc, sequence, count }
    if (count >= PACKETS_TO_LATCH) {
      this.#latchedPort = port
      this.#candidate = undefined
      return true
    }
    return port === this.#signalledPort
  }
}

interface Candidate {
  readonly port: number
  readonly ssrc: number
  readonly sequence: number
  readonly count: number
}

function follows(previous: number, next: number): boolean {
  return ((previous + 1) & 0xffff) === next
}

const PACKETS_TO_LATCH = 4

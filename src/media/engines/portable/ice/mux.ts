import type { UdpSocket } from '../udp/socket.ts'
import { answerCheck } from './answer-check.ts'
import type { IceCredentials } from './lite-agent.ts'
import { type IcePath, PathTable } from './path-table.ts'
import { RecentChecks } from './recent-checks.ts'

export type WebRtcPath = IcePath<UdpSocket>

/** A WebRTC side as the shared sockets see it. */
export interface MuxPeer {
  /** An authentic check arrived, for the first time. */
  onCheck(path: WebRtcPath, ufrag: string, nominated: boolean): void
  onDtls(datagram: Buffer): void
  /** RTP or RTCP, still encrypted. @returns `false` when it is not from this peer. */
  onMedia(datagram: Buffer, path: WebRtcPath): boolean
}

interface Accepted {
  readonly pwd: string
  readonly peer: MuxPeer
  readonly checks: RecentChecks
}

/** What strangers sent to the shared sockets. */
export interface MuxCounters {
  checksRefused: number
  /** Neither STUN nor from a validated address. */
  strangers: number
}

/**
 * Tells apart whose packet it is on the shared WebRTC sockets (RFC 7983).
 *
 * STUN is recognised by our user fragment, everything else by its remote address, and that only after an authentic
 * check came from there: what a stranger sends never reaches DTLS or SRTP.
 */
export class WebRtcMux {
  readonly counters: MuxCounters = { checksRefused: 0, strangers: 0 }
  readonly #byUfrag = new Map<string, Accepted>()
  readonly #paths = new PathTable<UdpSocket, MuxPeer>()
  readonly #onFault: (error: unknown) => void
  readonly #passwordOf = (ufrag: string): string | undefined => this.#byUfrag.get(ufrag)?.pwd

  /** @param onFault Told of bugs of ours that a datagram found. */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault
  }

  listen(socket: UdpSocket): void {
    socket.onDatagram((datagram, address, port) => {
      this.#onDatagram(socket, datagram, address, port)
    }, this.#onFault)
  }

  /** Accepts checks for these credentials on behalf of `peer`. */
  accept(credentials: IceCredentials, peer: MuxPeer): void {
    this.#byUfrag.set(credentials.ufrag, { pwd: credentials.pwd, peer, checks: new RecentChecks() })
  }

  retire(credentials: IceCredentials | undefined): void {
    if (credentials !== undefined) this.#byUfrag.delete(credentials.ufrag)
  }

  /** Forgets the addresses of a peer; its credentials are retired one by one. */
  release(peer: MuxPeer): void {
    this.#paths.release(peer)
  }

  #onDatagram(socket: UdpSocket, datagram: Buffer, address: string, port: number): void {
    const first = datagram[0]
    if (first === undefined) return
    if (first < 4) this.#onStun(socket, datagram, address, port)
    else if (first >= 128 && first < 192) this.#onMedia(socket, datagram, address, port)
    else if (first >= 20 && first < 64) this.#onDtls(socket, datagram, address, port)
    else this.counters.strangers++
  }

  #onStun(socket: UdpSocket, datagram: Buffer, address: string, port: number): void {
    const outcome = answerCheck(datagram, { address, port }, this.#passwordOf)
    if (outcome.kind === 'dropped') {
      this.counters.strangers++
      return
    }
    socket.send(outcome.response, port, address)
    if (outcome.kind === 'refused') {
      this.counters.checksRefused++
      return
    }
    const accepted = this.#byUfrag.get(outcome.ufrag)
    if (accepted?.checks.isNew(outcome.transactionId) !== true) return
    const { peer } = accepted
    peer.onCheck(this.#paths.claim(peer, socket, address, port), outcome.ufrag, outcome.nominated)
  }

  #onMedia(socket: UdpSocket, datagram: Buffer, address: string, port: number): void {
    for (const { path, peer } of this.#paths.claims(port)) {
      if (path.socket !== socket || path.address !== address) continue
      if (peer.onMedia(datagram, path)) return
    }
    this.counters.strangers++
  }

  #onDtls(socket: UdpSocket, datagram: Buffer, address: string, port: number): void {
    let known = false
    for (const { path, peer } of [...this.#paths.claims(port)]) {
      if (path.socket !== socket || path.address !== address) continue
      known = true
      peer.onDtls(datagram)
    }
    if (!known) this.counters.strangers++
  }
}

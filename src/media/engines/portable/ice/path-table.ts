/** A remote address seen from one of our sockets. One object for each pair: compare by identity. */
export interface IcePath<Socket> {
  readonly socket: Socket
  readonly address: string
  readonly port: number
}

/** Somebody's claim on a path. Two peers may claim the same one; cryptography then decides whose packet it is. */
export interface Claim<Socket, Peer> {
  readonly path: IcePath<Socket>
  readonly peer: Peer
}

const MAX_CLAIMS_PER_PATH = 4
const MAX_PATHS_PER_PEER = 16

/** Which peers proved by an authentic check that they are behind a remote address. Looked up once per packet. */
export class PathTable<Socket, Peer> {
  readonly #byPort = new Map<number, Claim<Socket, Peer>[]>()
  readonly #byPeer = new Map<Peer, Claim<Socket, Peer>[]>()

  /** The claims of all addresses with this port; compare `path.socket` and `path.address` to find yours. */
  claims(port: number): readonly Claim<Socket, Peer>[] {
    return this.#byPort.get(port) ?? NO_CLAIMS
  }

  /** The path of `peer`, made if it is new. The one unused longest gives way when there are too many. */
  claim(peer: Peer, socket: Socket, address: string, port: number): IcePath<Socket> {
    const own = this.#byPeer.get(peer) ?? []
    const samePlace = ({ path }: Claim<Socket, Peer>) =>
      path.port === port && path.address === address && path.socket === socket
    const known = own.find(samePlace)
    if (known !== undefined) {
      this.#byPeer.set(peer, [...own.filter((each) => each !== known), known])
      return known.path
    }
    const rivals = this.claims(port).filter(samePlace)
    if (rivals.length >= MAX_CLAIMS_PER_PATH && rivals[0] !== undefined) this.#remove(rivals[0])
    if (own.length >= MAX_PATHS_PER_PEER && own[0] !== undefined) this.#remove(own[0])
    const claim = { path: { socket, address, port }, peer }
    append(this.#byPort, port, claim)
    append(this.#byPeer, peer, claim)
    return claim.path
  }

  /** Forgets all paths of a peer. */
  release(peer: Peer): void {
    for (const claim of [...(this.#byPeer.get(peer) ?? [])]) this.#remove(claim)
  }

  #remove(claim: Claim<Socket, Peer>): void {
    drop(this.#byPort, claim.path.port, claim)
    drop(this.#byPeer, claim.peer, claim)
  }
}

const NO_CLAIMS: readonly never[] = []

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

function drop<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const rest = (map.get(key) ?? []).filter((each) => each !== value)
  if (rest.length === 0) map.delete(key)
  else map.set(key, rest)
}

export type TransportName = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss'

/** IP address (IPv6 without brackets) or host name, and port. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/**
 * A path to one peer: for streams and WebSockets a connection, for UDP the pair of addresses. It is an address, not a
 * socket: plain data that may be stored and handed to another process.
 */
export interface Flow {
  /** Unique among the flows of this node, never used again. UDP: derived from the two addresses. */
  readonly id: string
  readonly transport: TransportName
  readonly local: HostPort
  readonly remote: HostPort
  /** SIP domains that the peer's certificate proves (RFC 5922 §7.1), lower case. Only where one was verified. */
  readonly identities?: readonly string[]
}

/** Where to send a request: over a flow that exists, or to an address (the shell resolves names and connects). */
export type SendTarget =
  | {
      readonly kind: 'flow'
      readonly flow: Flow
      /** Where to connect to if the flow is gone (RFC 3261 §18.2.2). Only of responses over TCP and TLS. */
      readonly otherwise?: AddressTarget
    }
  | AddressTarget

/** An address that is connected to, or that datagrams are sent to. */
export interface AddressTarget {
  readonly kind: 'address'
  readonly transport: TransportName
  readonly to: HostPort
  /** What the URI did not say and stands here by default, so that the DNS may (RFC 3263 §4). Absent: it said all. */
  readonly leftOpen?: 'port' | 'transport' | 'both'
  /** Where requests that are too large for a datagram go over TCP (RFC 3261 §18.1.1). Absent: nowhere. */
  readonly large?: HostPort
  /** Only of TLS: whom the certificate found there has to be of. Absent: of `to.host`. */
  readonly secure?: SecurePeer
}

export interface SecurePeer {
  /** The domain that was looked up (RFC 5922 §7.2): not the address found for it. */
  readonly domain: string
  /** Trust and certificate of its own, by name; for a trunk `tenant/trunk`. */
  readonly profile?: string
}

/** TCP and what stands on it: no retransmissions, timers D, I, J, K are zero (RFC 3261 §17). */
export function isReliable(transport: TransportName): boolean {
  return transport !== 'udp'
}

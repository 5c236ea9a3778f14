import type { Network } from './network.ts'

/** What the two legs of a call are. The first is the browser's or the encrypted phone's, the second a plain phone's. */
export type Mode = 'srtp-rtp' | 'rtp-rtp' | 'webrtc-rtp'
export const MODES: readonly Mode[] = ['srtp-rtp', 'rtp-rtp', 'webrtc-rtp']

/** `call`: every leg has a port of the relay for itself. `shared`: legs share one and are told apart by their source. */
export type PortPolicy = 'call' | 'shared'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** An SDES key (RFC 4568). */
export interface Key {
  readonly suite: string
  /** base64 of key and salt. */
  readonly key: string
}

/** One end of a call before the relay was asked: what it would offer. */
export interface EndWish {
  readonly at: Endpoint
  /** It sends under this key; absent: plain RTP, or DTLS. */
  readonly key?: Key
  /** It is a WebRTC client. */
  readonly webrtc?: { readonly ufrag: string; readonly pwd: string; readonly fingerprint: string }
}

export interface CallWish {
  readonly id: string
  readonly ends: readonly [EndWish, EndWish]
}

/** What the relay gave an end. */
export interface EndPlace {
  /** Where the end sends to. */
  readonly relay: Endpoint
  /** Key of what the relay sends to it. */
  readonly key?: Key
  readonly webrtc?: {
    readonly ufrag: string
    readonly pwd: string
    readonly fingerprint: { readonly algorithm: string; readonly value: string }
  }
}

export interface OpenCall {
  readonly wish: CallWish
  readonly places: readonly [EndPlace, EndPlace]
}

/** A relay that a bench started, bound to one core. */
export interface RunningRelay {
  /** Product and version. */
  readonly name: string
  /** Process that has all the others below it. */
  readonly pid: number
  open(wish: CallWish): Promise<OpenCall>
  stop(): Promise<void>
}

/** A relay that can be measured. */
export interface Engine {
  readonly key: string
  readonly modes: readonly Mode[]
  /** Why it cannot be measured here; `undefined`: it can. */
  missing(): Promise<string | undefined>
  /** @throws Error with what it printed, if it does not start. */
  start(setting: EngineSetting): Promise<RunningRelay>
}

export interface EngineSetting {
  readonly network: Network
  readonly ports: PortPolicy
  /** Calls it has to hold. */
  readonly calls: number
  /** Cores of the relay, one thread for each. Absent: the network's relay core. Only the native engine takes more than one. */
  readonly cores?: readonly number[]
}

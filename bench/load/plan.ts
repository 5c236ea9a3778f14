import { randomBytes } from 'node:crypto'
import type { EndPlan } from './generator.ts'
import type { CallWish, EndPlace, Endpoint, EndWish, Key, Mode, OpenCall } from './model.ts'

/** Of both legs together: 50 packets a second each way. */
export const PACKETS_PER_CALL = 100

const SUITE = 'AES_CM_128_HMAC_SHA1_80'
const KEY_BYTES = 30
/** Of the generator's sockets. */
const FIRST_PORT = 10_000
/** Ports of each side where phones share them. */
const SHARED_PORTS = 8

/** `own`: every phone has a port, as real ones do. `shared`: many calls come from a few ports, as from a large trunk. */
export type PhonePorts = 'own' | 'shared'

export interface WishOptions {
  readonly mode: Mode
  readonly calls: number
  /** Address of the generator. */
  readonly address: string
  readonly phonePorts: PhonePorts
  /** Of the WebRTC clients' certificate. */
  readonly fingerprint?: string
  /** The lowest port that is used. */
  readonly firstPort?: number
}

/** Calls with fresh keys, each end at a place of its own. WebRTC clients never share a port. */
export function wishes(options: WishOptions): CallWish[] {
  const { mode, calls, address, fingerprint } = options
  const run = randomBytes(4).toString('hex')
  return Array.from({ length: calls }, (_, n) => {
    const at = (side: 0 | 1): Endpoint => ({ address, port: portOf(options, n, side) })
    return { id: `bench-${run}-${n}`, ends: [firstEnd(mode, at(0), fingerprint), { at: at(1) }] }
  })
}

function portOf({ mode, calls, phonePorts, firstPort = FIRST_PORT }: WishOptions, n: number, side: 0 | 1): number {
  if (phonePorts === 'own') return firstPort + 2 * n + side
  if (mode === 'webrtc-rtp' && side === 0) return firstPort + 2 * SHARED_PORTS + n
  // Neighbours share a port, so that what is due at one moment leaves in one system call.
  return firstPort + 2 * Math.floor((n * SHARED_PORTS) / calls) + side
}

function firstEnd(mode: Mode, at: Endpoint, fingerprint: string | undefined): EndWish {
  switch (mode) {
    case 'rtp-rtp':
      return { at }
    case 'srtp-rtp':
      return { at, key: { suite: SUITE, key: randomBytes(KEY_BYTES).toString('base64') } }
    case 'webrtc-rtp': {
      if (fingerprint === undefined) throw new Error('a WebRTC client needs a certificate')
      const [ufrag, pwd] = [randomBytes(6).toString('hex'), randomBytes(16).toString('hex')]
      return { at, webrtc: { ufrag, pwd, fingerprint } }
    }
  }
}

/** The generator's ends of open calls: two after the other for each. */
export function endsOf(calls: readonly OpenCall[]): EndPlan[] {
  return calls.flatMap(({ wish, places }, n) => [
    endOf(wish.ends[0], places[0], { group: 'fromFirst', peer: 2 * n + 1 }),
    endOf(wish.ends[1], places[1], { group: 'fromSecond', peer: 2 * n }),
  ])
}

export function endOf(
  wish: EndWish,
  place: EndPlace,
  rest: { readonly group: string; readonly peer: number },
): EndPlan {
  return {
    bind: hostPort(wish.at),
    remote: hostPort(place.relay),
    ...rest,
    ...srtpOf(wish.key, place.key),
    ...webrtcOf(wish, place),
  }
}

function srtpOf(send: Key | undefined, receive: Key | undefined): Pick<EndPlan, 'srtp'> {
  if (send === undefined) return {}
  if (receive === undefined) throw new Error('the relay gave no key to an end that encrypts')
  return { srtp: { send, receive } }
}

function webrtcOf({ webrtc: ours }: EndWish, { webrtc: theirs }: EndPlace): Pick<EndPlan, 'webrtc'> {
  if (ours === undefined) return {}
  if (theirs === undefined) throw new Error('the relay gave no credentials to a WebRTC client')
  return {
    webrtc: {
      localUfrag: ours.ufrag,
      remoteUfrag: theirs.ufrag,
      remotePwd: theirs.pwd,
      fingerprintAlgorithm: theirs.fingerprint.algorithm,
      fingerprint: theirs.fingerprint.value,
    },
  }
}

/** Ends of the path with nothing in between: those that send, and those that receive in another process. */
export function directEnds(streams: number, from: string, to: string): { senders: EndPlan[]; receivers: EndPlan[] } {
  const [senders, receivers]: [EndPlan[], EndPlan[]] = [[], []]
  for (let n = 0; n < streams; n++) {
    const there = hostPort({ address: to, port: FIRST_PORT + n })
    const sender = { group: 'direct', peer: streams + n }
    const receiver = { group: 'direct', peer: n }
    senders.push({ ...sender, bind: hostPort({ address: from, port: FIRST_PORT + n }), remote: there })
    receivers.push({ ...receiver, bind: there })
  }
  return {
    senders: [...senders, ...receivers.map(({ bind: _, ...rest }) => rest)],
    receivers: [...senders.map(({ bind: _b, remote: _r, ...rest }) => rest), ...receivers],
  }
}

function hostPort({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

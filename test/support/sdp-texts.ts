/** SDP as peers write it, with CRLF. */
export interface SdpFacts {
  readonly address?: string
  readonly port?: number
  readonly version?: number
  readonly direction?: string
  /** Payload types of the list below; default all. */
  readonly payloads?: readonly number[]
  readonly setup?: string
  readonly ufrag?: string
}

const RTPMAPS: Readonly<Record<number, string>> = {
  0: 'PCMU/8000',
  8: 'PCMA/8000',
  9: 'G722/8000',
  101: 'telephone-event/8000',
  110: 'telephone-event/48000',
  111: 'opus/48000/2',
}

/** A SIP device: plain RTP. */
export function phoneSdp(facts: SdpFacts = {}): string {
  const { address = '198.51.100.7', port = 30_000, version = 1, direction = 'sendrecv', payloads = [0, 8, 101] } = facts
  return lines([
    'v=0',
    `o=phone 4711 ${version} IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${payloads.join(' ')}`,
    ...rtpmaps(payloads),
    `a=${direction}`,
  ])
}

/** A browser: BUNDLE, ICE, DTLS-SRTP. */
export function browserSdp(facts: SdpFacts = {}): string {
  const { address = '198.51.100.9', port = 9, version = 2, direction = 'sendrecv', setup = 'actpass' } = facts
  const { payloads = [111, 9, 0, 8, 101, 110], ufrag = 'browserfrag' } = facts
  return lines([
    'v=0',
    `o=- 4712 ${version} IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    `m=audio ${port} UDP/TLS/RTP/SAVPF ${payloads.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    `a=candidate:1 1 udp 2113937151 ${address} 50000 typ host`,
    `a=ice-ufrag:${ufrag}`,
    'a=ice-pwd:a-password-of-24-characters',
    `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
    `a=setup:${setup}`,
    'a=mid:0',
    `a=${direction}`,
    'a=rtcp-mux',
    ...rtpmaps(payloads),
    'a=ssrc:1001 cname:browser',
  ])
}

function rtpmaps(payloads: readonly number[]): string[] {
  return payloads.map((payload) => `a=rtpmap:${payload} ${RTPMAPS[payload]}`)
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\r\n`).join('')
}

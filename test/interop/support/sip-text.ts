import { createHash, randomBytes } from 'node:crypto'
import { answerChallenge, type DigestHash, parseChallenges, parseMessage } from '../../../src/sip/index.ts'
import type { RawPeer } from './raw-peer.ts'

export interface RequestParts {
  readonly method: string
  readonly uri: string
  /** User of the From. Default: mallory. */
  readonly from?: string
  readonly fromTag?: string
  /** User of the To; a whole header value if it holds `<`. Default: as the Request-URI. */
  readonly to?: string
  readonly toTag?: string
  readonly callId?: string
  readonly sequence?: number
  readonly branch?: string
  /** Whole lines without their line ends. */
  readonly headers?: readonly string[]
  readonly sdp?: string
  /** Instead of the right one; '' for none. */
  readonly contentLength?: string
}

export const DOMAIN = 'example.test'

export function token(): string {
  return randomBytes(8).toString('hex')
}

/** A request as a text, well formed where `parts` do not spoil it. */
export function sipRequest(peer: Pick<RawPeer, 'via' | 'sentBy'>, parts: RequestParts): string {
  const { method, uri, from = 'mallory', to = uri, sdp = '' } = parts
  const toValue = to.includes('<') ? to : `<${to}>`
  const length = parts.contentLength ?? String(sdp.length)
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/${peer.via} ${peer.sentBy};rport;branch=${parts.branch ?? `z9hG4bK${token()}`}`,
    'Max-Forwards: 70',
    `From: <sip:${from}@${DOMAIN}>;tag=${parts.fromTag ?? token()}`,
    `To: ${toValue}${parts.toTag === undefined ? '' : `;tag=${parts.toTag}`}`,
    `Call-ID: ${parts.callId ?? token()}`,
    `CSeq: ${parts.sequence ?? 1} ${method}`,
    `Contact: <sip:${from}@${peer.sentBy};transport=${peer.via.toLowerCase()}>`,
    ...(parts.headers ?? []),
    ...(sdp === '' ? [] : ['Content-Type: application/sdp']),
    ...(length === '' ? [] : [`Content-Length: ${length}`]),
    '',
    sdp,
  ].join('\r\n')
}

export function statusOf(message: string): number {
  return Number(/^SIP\/2\.0 (\d{3}) /.exec(message)?.[1] ?? 0)
}

/** Whether it is a final response to a request of that Call-ID (and method). */
export function isFinal(callId: string, method = '\\S+'): (message: string) => boolean {
  const ours = new RegExp(`^Call-ID: *${callId}\\r?$`, 'im')
  const sequence = new RegExp(`^CSeq: *\\d+ ${method}\\r?$`, 'im')
  return (message) => statusOf(message) >= 200 && ours.test(message) && sequence.test(message)
}

/** Sends a request and gives its final response, acknowledged if it was an INVITE that failed. */
export async function ask(peer: RawPeer, parts: RequestParts): Promise<string> {
  const whole = { ...parts, callId: parts.callId ?? token(), branch: parts.branch ?? `z9hG4bK${token()}` }
  const fromTag = parts.fromTag ?? token()
  const before = peer.received.length
  peer.send(sipRequest(peer, { ...whole, fromTag }))
  const isOurs = isFinal(whole.callId, parts.method)
  const response = await peer.answer(`an answer to ${parts.method} ${whole.uri}`, (message) => {
    return peer.received.indexOf(message) >= before && isOurs(message)
  })
  if (parts.method === 'INVITE' && statusOf(response) >= 300) {
    const toTag = /^To:.*;tag=([^;\s]+)/im.exec(response)?.[1]
    const { sdp: _, headers: __, ...ack } = whole
    peer.send(sipRequest(peer, { ...ack, method: 'ACK', fromTag, ...(toTag === undefined ? {} : { toTag }) }))
  }
  return response
}

export interface Login {
  readonly user: string
  readonly password: string
  readonly realm?: string
  readonly nonceCount?: number
}

/** The `Authorization` or `Proxy-Authorization` line that answers a challenge. */
export function credentials(challenge: string, request: Pick<RequestParts, 'method' | 'uri'>, login: Login): string {
  const response = parseMessage(challenge)
  const [asked] = response.kind === 'response' ? parseChallenges(response) : []
  if (asked === undefined) throw new Error(`no challenge in\n${challenge}`)
  const { name, value } = answerChallenge({
    challenge: { ...asked, realm: login.realm ?? asked.realm },
    ...request,
    username: login.user,
    password: login.password,
    cnonce: token(),
    nonceCount: login.nonceCount ?? 1,
    hash: md5,
  })
  return `${name}: ${value}`
}

const md5: DigestHash = (algorithm, data) =>
  createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(data, 'latin1')
    .digest('hex')

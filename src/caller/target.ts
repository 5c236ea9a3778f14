import { type ByteString, encodeUtf8 } from '../base/index.ts'
import { type HostPort, parseUri, type SipUri, writeUri } from '../sip/index.ts'

/** Where a test call goes and how the server is reached. */
export interface CallTarget {
  readonly media: 'webrtc' | 'plain'
  readonly transport: 'udp' | 'tcp' | 'tls' | 'ws' | 'wss'
  /** Host without brackets. */
  readonly server: HostPort
  /** URL of the WebSocket, for WebRTC. */
  readonly webSocket?: string
  /** Request-URI of the call. */
  readonly uri: ByteString
  /** SIP domain of the account that calls; IPv6 in brackets. */
  readonly domain: string
}

export interface TargetOptions {
  /** Whom to call: a user, or a whole `sip:` URI. */
  readonly to?: string
  readonly domain?: string
}

/**
 * Reads the first argument of `trunkline call`.
 *
 * @throws Error with a sentence for the person who typed it.
 */
export function callTarget(target: string, options: TargetOptions): CallTarget {
  if (/^wss?:/i.test(target)) return webSocketTarget(target, options)
  if (/^sips?:/i.test(target)) return sipTarget(target, options)
  throw new Error(`the target must begin with sip:, sips:, ws: or wss:, not "${target}"`)
}

function webSocketTarget(target: string, { to, domain }: TargetOptions): CallTarget {
  if (!URL.canParse(target)) throw new Error(`"${target}" is not a WebSocket URL`)
  if (to === undefined) throw new Error('say whom to call with --to, for example --to "*43"')
  const url = new URL(target)
  const secure = url.protocol === 'wss:'
  const ofAccount = domain ?? url.hostname
  return {
    media: 'webrtc',
    transport: secure ? 'wss' : 'ws',
    server: { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || (secure ? 443 : 80) },
    webSocket: target,
    uri: calledUri(to, ofAccount),
    domain: ofAccount,
  }
}

function sipTarget(target: string, { to, domain }: TargetOptions): CallTarget {
  const uri = parsed(target)
  const transport = uri.scheme === 'sips' ? 'tls' : (uri.params.get('transport')?.toLowerCase() ?? 'udp')
  if (transport !== 'udp' && transport !== 'tcp' && transport !== 'tls') throw new Error(transportRefusal(transport))
  const ofAccount = domain ?? (uri.host.includes(':') ? `[${uri.host}]` : uri.host)
  if (to === undefined && uri.user === undefined) throw new Error(`say whom to call: sip:USER@${uri.host}`)
  return {
    media: 'plain',
    transport,
    server: { host: uri.host, port: uri.port ?? (transport === 'tls' ? 5061 : 5060) },
    uri: to === undefined ? calledUser(uri.user ?? '', ofAccount) : calledUri(to, ofAccount),
    domain: ofAccount,
  }
}

function transportRefusal(transport: string): string {
  if (transport === 'ws' || transport === 'wss') return 'for a WebSocket give its URL: ws://HOST/sip'
  return `there is no transport "${transport}": udp, tcp or tls`
}

function calledUri(to: string, domain: string): ByteString {
  return /^sip:/i.test(to) ? writeUri(parsed(to)) : calledUser(encodeUtf8(to), domain)
}

function calledUser(user: ByteString, domain: string): ByteString {
  return writeUri({ ...parsed(`sip:${domain}`), user })
}

function parsed(text: string): SipUri {
  try {
    return parseUri(encodeUtf8(text))
  } catch {
    throw new Error(`"${text}" is not a SIP address`)
  }
}

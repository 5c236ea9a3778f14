import { parseUri } from '../sip/index.ts'

/** Where a test call goes and how the server is reached. */
export interface CallTarget {
  readonly media: 'webrtc' | 'plain'
  /** `ws://…` for WebRTC. */
  readonly webSocket?: string
  readonly transport: 'udp' | 'tcp' | 'ws'
  readonly server: { readonly host: string; readonly port: number }
  /** User part that is called. */
  readonly to: string
  readonly domain: string
}

/**
 * Reads the first argument of `trunkline call`.
 *
 * @throws Error with a sentence for the person who typed it.
 */
export function callTarget(target: string, options: { readonly to?: string; readonly domain?: string }): CallTarget {
  if (/^wss?:/i.test(target)) return webSocketTarget(target, options)
  if (/^sip:/i.test(target)) return sipTarget(target, options)
  throw new Error(`the target must begin with sip:, ws: or wss:, not "${target}"`)
}

function webSocketTarget(target: string, { to, domain }: { to?: string; domain?: string }): CallTarget {
  if (!URL.canParse(target)) throw new Error(`"${target}" is not a WebSocket URL`)
  if (to === undefined) throw new Error('say whom to call with --to, for example --to "*43"')
  const url = new URL(target)
  return {
    media: 'webrtc',
    webSocket: target,
    transport: 'ws',
    server: { host: url.hostname, port: Number(url.port) || 80 },
    to,
    domain: domain ?? url.hostname,
  }
}

function sipTarget(target: string, { to, domain }: { to?: string; domain?: string }): CallTarget {
  const uri = parseUri(target)
  const user = to ?? uri.user
  if (user === undefined) throw new Error('say whom to call: sip:USER@HOST')
  return {
    media: 'plain',
    transport: uri.params.get('transport')?.toLowerCase() === 'tcp' ? 'tcp' : 'udp',
    server: { host: uri.host, port: uri.port ?? 5060 },
    to: user,
    domain: domain ?? uri.host,
  }
}

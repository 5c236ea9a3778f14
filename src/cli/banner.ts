import type { Config, PortRange } from '../config/index.ts'
import type { HostPort } from '../sip/index.ts'

/** What a start has to tell. */
export interface BannerFacts {
  readonly version: string
  readonly config: Config
  readonly http: HostPort
  readonly https?: HostPort
  readonly sip: readonly (HostPort & { readonly transport: string })[]
  readonly sipPath: string
  /** What moves the media, in one line. */
  readonly media: string
  readonly apiToken: string
  /** The token was made for this run and stands nowhere else. */
  readonly apiTokenIsNew: boolean
  readonly notes: readonly string[]
}

/** Everything a newcomer needs for a first call, in one screen. */
export function banner(facts: BannerFacts): string {
  const { config } = facts
  const base = `${reachable(facts.http.host)}:${facts.http.port}`
  const rows: (readonly [label: string, text: string])[] = [
    ['Page', `http://${base}/${config.demo ? '  sign in with one click, dial *43, hear yourself' : ''}`],
    ['WebSocket', `ws://${base}${facts.sipPath}  SIP for browsers (RFC 7118)`],
    ...secureRows(facts),
    ['SIP', facts.sip.map((s) => `${s.transport} ${bracketed(s.host)}:${s.port}`).join(', ')],
    ['Domains', shortList(config.tenants.map((tenant) => tenant.domain))],
    ...accounts(config),
    ['Dial', '*43 echo, *41 a tone of 1004 Hz, or the name of another user'],
    [
      'API',
      `http://${base}/v1  ${facts.apiTokenIsNew ? `token for this run: ${facts.apiToken}` : 'token: api.token of the file'}`,
    ],
    ['Media', facts.media],
    ['Firewall', firewallText(facts)],
  ]
  const lines = rows.map(([label, text]) => `  ${label.padEnd(10)} ${text}`)
  const notes = [...config.notices, ...facts.notes].map((note) => `  Note: ${note}`)
  return [`Trunkline ${facts.version} is up. Ctrl-C stops it.`, '', ...lines, ...notes, '', ''].join('\n')
}

function secureRows({ https, sipPath }: BannerFacts): (readonly [string, string])[] {
  if (https === undefined) return []
  const base = `${reachable(https.host)}:${https.port}`
  return [['With TLS', `https://${base}/ and wss://${base}${sipPath}`]]
}

function accounts(config: Config): (readonly [string, string])[] {
  if (!config.demo) return []
  const users = config.tenants.flatMap((tenant) => tenant.users)
  return users.map((user, index) => [
    index === 0 ? 'Accounts' : '',
    `${user.name.padEnd(6)} password ${user.password.reveal()}${index === 0 ? '  (made for this run)' : ''}`,
  ])
}

function firewallText({ config, http, https, sip }: BannerFacts): string {
  const { webrtcPorts, rtpPorts } = config.media
  return [
    `TCP ${http.port} (page)`,
    ...(https === undefined ? [] : [`TCP ${https.port} (page with TLS)`]),
    ...sip.map(
      (s) => `${s.transport === 'udp' ? 'UDP' : 'TCP'} ${s.port} (SIP${s.transport === 'tls' ? ' with TLS' : ''})`,
    ),
    `UDP ${rangeText(webrtcPorts)} and TCP ${webrtcPorts.from} (browser media)`,
    `UDP ${rangeText(rtpPorts)} (SIP media)`,
  ].join(', ')
}

function rangeText({ from, to }: PortRange): string {
  return from === to ? String(from) : `${from}-${to}`
}

/** A socket bound to all addresses is reached, from here, at the loopback one. */
function reachable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? 'localhost' : bracketed(host)
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

function shortList(names: readonly string[]): string {
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`
}

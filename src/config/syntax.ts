import { isIP } from 'node:net'
import type { HostPort } from '../sip/index.ts'
import type { PortRange, SipListen } from './model.ts'

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`; `undefined` if it is none of these. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const [, v6, other, digits] = match
  const port = Number(digits)
  const host = v6 ?? other ?? ''
  if (port > 65_535 || (v6 !== undefined && isIP(v6) !== 6)) return undefined
  if (v6 === undefined && isIP(host) !== 4 && host !== 'localhost') return undefined
  return { host: host === 'localhost' ? '127.0.0.1' : host, port }
}

/** An address with the port of DNS, or with its own. */
export function parseDnsServer(text: string): HostPort | undefined {
  const server = isAddress(text) ? { host: text, port: 53 } : parseHostPort(text)
  return server?.port === 0 ? undefined : server
}

/** `udp:127.0.0.1:5060`, `tls:[::]:5061`. */
export function parseSipListen(text: string): SipListen | undefined {
  const match = /^(udp|tcp|tls):(.+)$/.exec(text)
  const transport = match?.[1]
  const address = match?.[2] === undefined ? undefined : parseHostPort(match[2])
  if (address === undefined || (transport !== 'udp' && transport !== 'tcp' && transport !== 'tls')) return undefined
  return { transport, ...address }
}

/** `203.0.113.7`, `203.0.113.7:5070`, `[2001:db8::1]:5060`, `sip.example.test`: what peers are told. */
export function parseAdvertised(text: string): SipListen['advertise'] {
  if (isIP(text) === 6) return { host: text }
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return undefined
  const [, v6, other = '', digits] = match
  const isHost = v6 === undefined ? isDomain(other) : isIP(v6) === 6
  if (!isHost || Number(digits ?? 1) < 1 || Number(digits ?? 1) > 65_535) return undefined
  return { host: v6 ?? other, ...(digits === undefined ? {} : { port: Number(digits) }) }
}

/** `20000-29999`, or one port. */
export function parsePortRange(text: string): PortRange | undefined {
  const match = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(text.trim())
  if (match === null) return undefined
  const from = Number(match[1])
  const to = Number(match[2] ?? match[1])
  return from >= 1 && to <= 65_535 && from <= to ? { from, to } : undefined
}

export function isAddress(text: string): boolean {
  return isIP(text) !== 0
}

/** An IP address, or a network as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}

/** A DNS name or an IP address: the host part of a SIP URI. */
export function isDomain(text: string): boolean {
  if (isAddress(text)) return true
  return text.length <= 253 && text.split('.').every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label))
}

/** `sip:host[:port][;transport=udp|tcp|tls]`, `sips:host[:port]`: where a trunk's requests are sent. */
export function isTrunkTarget(text: string): boolean {
  const match = /^sips?:(\[[0-9a-fA-F:.]+\]|[^:;?@\s[\]]+)(?::(\d{1,5}))?(?:;transport=(?:udp|tcp|tls))?$/i.exec(text)
  if (match === null || /^sips:.*=udp$/i.test(text)) return false
  const host = match[1] ?? ''
  const port = Number(match[2] ?? 5060)
  const inner = host.startsWith('[') ? host.slice(1, -1) : host
  return port >= 1 && port <= 65_535 && (host.startsWith('[') ? isIP(inner) === 6 : isDomain(inner))
}

/** The user part of an address of record, such that it needs no escaping anywhere. */
export const USER_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/
/** A name used only inside the configuration. */
export const LOCAL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** What can be dialled: an optional plus, digits, star, hash. */
export const DIAL_PREFIX = /^(?:\+?[0-9*#]{0,24})$/
export const NUMBER = /^\+?[0-9]{1,24}$/
export const NUMBER_TARGET = /^(user|trunk):(.+)$/
/** A name in a certificate: a host, or one with a `*` as its first label, which stands for itself. */
export function isCertificateName(text: string): boolean {
  return isDomain(text.startsWith('*.') ? text.slice(2) : text)
}

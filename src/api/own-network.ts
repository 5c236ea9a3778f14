import { BlockList, isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'

/**
 * Whether a request comes from this machine or from a private network that it is in, and not by a detour.
 *
 * The address alone does not tell: a proxy speaks for others, and a web site can have its own name point at an address
 * in here (DNS rebinding). So no proxy may have left its mark, and we must have been asked for by address or as
 * `localhost`.
 */
export function isFromOwnNetwork({ socket, headers }: FastifyRequest): boolean {
  const { remoteAddress = '', localAddress } = socket
  const isNear = remoteAddress === localAddress || isPrivate(remoteAddress)
  return isNear && !PROXY_MARKS.some((name) => headers[name] !== undefined) && isAddress(headers.host)
}

const PROXY_MARKS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']

/** Loopback, private use (RFC 1918, RFC 4193) and link-local. */
const PRIVATE = new BlockList()
PRIVATE.addSubnet('127.0.0.0', 8)
PRIVATE.addSubnet('10.0.0.0', 8)
PRIVATE.addSubnet('172.16.0.0', 12)
PRIVATE.addSubnet('192.168.0.0', 16)
PRIVATE.addSubnet('169.254.0.0', 16)
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')
PRIVATE.addAddress('::1', 'ipv6')

function isPrivate(text: string): boolean {
  const address = text.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  return isIP(address) !== 0 && PRIVATE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

function isAddress(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return name === 'localhost' || isIP(name) !== 0
}

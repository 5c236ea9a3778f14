import { X509Certificate } from 'node:crypto'
import { isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { AddressTarget, HostPort } from '../../sip/index.ts'
import type { Connection } from '../connections.ts'
import type { StreamContext } from '../stream.ts'
import { identitiesOf, isProved } from './identities.ts'
import type { TlsProfile } from './model.ts'

/** What was found out of the peer of a connection. */
export interface SecureConnection {
  readonly trust: string
  readonly identities?: readonly string[]
}

export interface SecureDial {
  readonly target: AddressTarget
  readonly address: HostPort
}

/**
 * Connects over TLS: names the domain (SNI), verifies the certificate against it (RFC 5922 §7.2), shows ours if asked.
 *
 * @param onOpen Called when the peer is who it should be; else the socket fails with a sentence.
 * @throws Error with a sentence: TLS is not configured.
 */
export function openSecure(
  { target, address }: SecureDial,
  { tls, handler }: StreamContext,
  onOpen: (secured: SecureConnection) => void,
): Socket {
  if (tls === undefined) throw new Error('TLS is not configured (tls in the configuration)')
  const { context, profile } = tls.client(target.secure?.profile)
  const names = expectedNames(target, profile)
  const [domain = address.host] = names
  const options: ConnectionOptions = {
    ...address,
    secureContext: context,
    ...(isIP(domain) === 0 ? { servername: domain } : {}),
    rejectUnauthorized: profile.verify === 'peer',
    checkServerIdentity: (_host, { raw }) => whyNot(new X509Certificate(raw), names),
  }
  const socket = connect(options, () => onOpen(securedBy(socket, target, profile)))
  socket.prependOnceListener('error', (error) => {
    if (socket.authorizationError === undefined || socket.authorizationError === null) return
    error.message = `the certificate of ${domain} is refused: ${error.message}`
    const whose = target.secure?.profile === undefined ? '' : `trunk ${target.secure.profile}, `
    handler.dropped('tls-unverified', `${whose}${address.host}:${address.port}: ${error.message}`)
  })
  return socket
}

/**
 * The connection that is open to the target and whose certificate proves what is expected: one of ours, or one of a
 * client that showed a certificate and asked for it (RFC 5923 §8).
 */
export function secureReuse(target: AddressTarget, remote: HostPort, context: StreamContext): Connection | undefined {
  const { tls, connections } = context
  if (tls === undefined) return undefined
  const { profile } = tls.client(target.secure?.profile)
  const names = expectedNames(target, profile)
  const own = connections.byRemote('tls', remote, trustOf(target))
  if (own !== undefined && (profile.verify === 'none' || proves(own, names))) return own
  const alias = connections.byAlias('tls', remote)
  return alias !== undefined && proves(alias, names) ? alias : undefined
}

function proves({ flow }: Connection, names: readonly string[]): boolean {
  return flow.identities !== undefined && isProved(names, flow.identities)
}

/** The domain that was looked up, and what the operator says this peer may be called. */
function expectedNames({ to, secure }: AddressTarget, { names }: TlsProfile): readonly string[] {
  return [secure?.domain ?? to.host, ...names]
}

/** Connections that were verified in different ways are not shared. */
function trustOf({ secure }: AddressTarget): string {
  return `by ${secure?.profile ?? ''}`
}

function whyNot(certificate: X509Certificate, names: readonly string[]): Error | undefined {
  const identities = identitiesOf(certificate)
  if (isProved(names, identities)) return undefined
  const has = identities.length === 0 ? 'nobody' : identities.slice(0, 5).join(', ')
  return new Error(`it is of ${has}, and not of ${names.join(' or ')}`)
}

function securedBy(socket: TLSSocket, target: AddressTarget, { verify }: TlsProfile): SecureConnection {
  const trust = trustOf(target)
  const certificate = verify === 'peer' ? socket.getPeerX509Certificate() : undefined
  return certificate === undefined ? { trust } : { trust, identities: identitiesOf(certificate) }
}

import { randomBytes } from 'node:crypto'
import type { Fingerprint } from '../../../model.ts'
import { type DtlsCertificate, matchesFingerprint, publicKeyOf } from './certificate.ts'
import { HANDSHAKE, type HandshakeMessage, wholeMessage } from './handshake-message.ts'
import type { SrtpKeys } from './key-schedule.ts'
import type { RecordProtection } from './record-protection.ts'
import { Reader, vector24 } from './wire.ts'

/** What one side of a handshake wants after a message: in this order. */
export interface HandshakeStep {
  /** Keys of epoch 1. */
  readonly protections?: { readonly read: RecordProtection; readonly write: RecordProtection }
  /** The next flight; it replaces the one that is repeated. */
  readonly flight?: readonly FlightItem[]
  /** The peer is who it said it would be, and both have the keys. */
  readonly connected?: SrtpKeys
}

export type FlightItem =
  | { readonly kind: 'message'; readonly epoch: number; readonly message: HandshakeMessage }
  | { readonly kind: 'change-cipher-spec' }

/** One role of the handshake. It knows nothing of records, loss or time. */
export interface Handshake {
  start(): HandshakeStep
  /**
   * The next message of the peer, whole and in order.
   *
   * @throws DecodeError when it makes no sense here: nothing changed, a repetition may be right.
   * @throws HandshakeFailure when this peer cannot or must not be talked to.
   */
  onMessage(message: HandshakeMessage): HandshakeStep
}

export interface HandshakeOptions {
  readonly certificate: DtlsCertificate
  /** The peer's certificate has to match one of them (RFC 8122). */
  readonly peerFingerprints: readonly Fingerprint[]
}

/** Alert descriptions (RFC 5246 §7.2). */
export const ALERT = {
  closeNotify: 0,
  handshakeFailure: 40,
  badCertificate: 42,
  illegalParameter: 47,
  decryptError: 51,
  protocolVersion: 70,
} as const

/** The handshake cannot succeed: the peer is told by an alert. */
export class HandshakeFailure extends Error {
  override readonly name = 'HandshakeFailure'
  readonly alert: number
  constructor(alert: number, message: string) {
    super(message)
    this.alert = alert
  }
}

/** Our messages and the peer's, in order: what both sign and hash. */
export class Transcript {
  readonly #messages: Buffer[] = []
  #nextOwn = 0

  received(message: HandshakeMessage): void {
    this.#messages.push(wholeMessage(message))
  }

  /** Numbers a message of ours and remembers it. */
  own(type: number, body: Buffer, epoch = 0): FlightItem {
    const message = { type, sequence: this.#nextOwn++, body }
    this.#messages.push(wholeMessage(message))
    return { kind: 'message', epoch, message }
  }

  /** Forgets all: a HelloVerifyRequest and the hello it answers do not count (RFC 6347 §4.2.1). */
  clear(): void {
    this.#messages.length = 0
  }

  bytes(): Buffer {
    return Buffer.concat(this.#messages)
  }
}

export function certificateMessage(certificate: DtlsCertificate): Buffer {
  return vector24(vector24(certificate.der))
}

/**
 * The public key in a Certificate message whose fingerprint was negotiated.
 *
 * @throws HandshakeFailure for anybody else's certificate, or none.
 */
export function verifiedPeerKey(body: Buffer, fingerprints: readonly Fingerprint[]): ReturnType<typeof publicKeyOf> {
  const reader = new Reader(body)
  const chain = new Reader(reader.vector24())
  reader.end()
  if (chain.remaining === 0) throw new HandshakeFailure(ALERT.handshakeFailure, 'the peer has no certificate')
  const der = chain.vector24()
  if (!matchesFingerprint(der, fingerprints)) {
    throw new HandshakeFailure(ALERT.badCertificate, 'the fingerprint of the peer is not the one negotiated')
  }
  return publicKeyOf(der)
}

export const helloRandom = (): Buffer => randomBytes(32)

export function unexpected(type: number): string {
  const known = Object.entries(HANDSHAKE).find(([, code]) => code === type)
  return `unexpected handshake message ${known?.[0] ?? type}`
}

import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import type { Fingerprint } from '../../../model.ts'
import { DecodeError } from './wire.ts'

/** Our identity toward DTLS peers. Made anew for each engine; only its fingerprint is told to anyone. */
export interface DtlsCertificate {
  readonly der: Buffer
  readonly privateKey: KeyObject
  /** SHA-256 (RFC 8122). */
  readonly fingerprint: Fingerprint
}

/** A self-signed ECDSA P-256 certificate (RFC 8827 §6.5). */
export function createCertificate(nowMs: number): DtlsCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const name = sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from('Trunkline')))))
  const algorithm = sequence(oid('2a8648ce3d040302')) // ecdsa-with-SHA256
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))), // X.509 v3
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name,
    sequence(time(nowMs - DAY_MS), time(nowMs + 3_650 * DAY_MS)), // A day back: clocks differ.
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  const der = sequence(toBeSigned, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])))
  return { der, privateKey, fingerprint: { algorithm: 'sha-256', value: fingerprintOf(der, 'sha256') } }
}

/**
 * Whether a certificate has one of the negotiated fingerprints (RFC 8122 §5.1).
 *
 * Only those of the strongest hash that we know count, so that a weaker one cannot replace it.
 */
export function matchesFingerprint(der: Buffer, fingerprints: readonly Fingerprint[]): boolean {
  for (const [name, hash] of HASHES) {
    const candidates = fingerprints.filter((fingerprint) => fingerprint.algorithm.toLowerCase() === name)
    if (candidates.length === 0) continue
    const actual = fingerprintOf(der, hash)
    return candidates.some((fingerprint) => fingerprint.value.toUpperCase() === actual)
  }
  return false
}

/** The public key of a peer's certificate. Nothing else in it is looked at: trust comes from the fingerprint. */
export function publicKeyOf(der: Buffer): KeyObject {
  try {
    return new X509Certificate(der).publicKey
  } catch (cause) {
    throw new DecodeError('the certificate cannot be read', { cause })
  }
}

const HASHES = [
  ['sha-512', 'sha512'],
  ['sha-384', 'sha384'],
  ['sha-256', 'sha256'],
] as const

const DAY_MS = 86_400_000

function fingerprintOf(der: Buffer, hash: string): string {
  const hex = createHash(hash).update(der).digest('hex').toUpperCase()
  return (hex.match(/../g) ?? []).join(':')
}

/** DER: tag, length, value (X.690 §8.1). */
function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts)
  if (value.length < 0x80) return Buffer.concat([Buffer.from([tag, value.length]), value])
  const long = value.length < 0x100 ? [0x81, value.length] : [0x82, value.length >> 8, value.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...long]), value])
}

const sequence = (...parts: readonly Buffer[]): Buffer => tlv(0x30, ...parts)
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'))

/** UTCTime, `YYMMDDhhmmssZ`: right for the years up to 2049 (RFC 5280 §4.1.2.5.1). */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)
  return tlv(0x17, Buffer.from(`${digits}Z`))
}

import type { SrtpSuite } from '../../../model.ts'
import { ALERT, HandshakeFailure } from './handshake.ts'
import { SUPPORTED_CURVES } from './key-agreement.ts'
import { DTLS_1_2 } from './record.ts'
import { ACCEPTED_SCHEMES } from './signature.ts'
import { DecodeError, Reader, uint8, uint16, vector8, vector16 } from './wire.ts'

/** TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, which every WebRTC endpoint has (RFC 8827 §6.5), and its RSA sister. */
export const CIPHER = { ecdheEcdsaAes128Gcm: 0xc02b, ecdheRsaAes128Gcm: 0xc02f } as const

const EXTENSION = {
  supportedGroups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  useSrtp: 14,
  extendedMasterSecret: 23,
  renegotiationInfo: 0xff01,
} as const
const EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff

/** DTLS-SRTP protection profiles (RFC 5764 §4.1.2, RFC 7714 §14.2), most wanted first. */
export const PROFILES: readonly (readonly [number, SrtpSuite])[] = [
  [0x0007, 'AEAD_AES_128_GCM'],
  [0x0008, 'AEAD_AES_256_GCM'],
  [0x0001, 'AES_CM_128_HMAC_SHA1_80'],
]

export interface ClientHello {
  readonly version: number
  readonly random: Buffer
  readonly ciphers: readonly number[]
  readonly curves: readonly number[]
  readonly signatureSchemes: readonly number[]
  /** Codes of `PROFILES`, in the client's order. */
  readonly profiles: readonly number[]
  readonly extendedMasterSecret: boolean
  readonly renegotiationInfo: boolean
}

export interface ServerHello {
  readonly version: number
  readonly random: Buffer
  readonly cipher: number
  readonly profile: number | undefined
  readonly extendedMasterSecret: boolean
}

/**
 * RFC 5246 §7.4.1.2, RFC 6347 §4.2.1.
 *
 * @throws HandshakeFailure when it renegotiates.
 */
export function parseClientHello(body: Buffer): ClientHello {
  const reader = new Reader(body)
  const version = reader.uint16()
  const random = reader.take(32)
  reader.vector8() // Session identifier: sessions are not resumed.
  reader.vector8() // Cookie: ICE has validated the address.
  const ciphers = numbers(reader.vector16())
  reader.vector8() // Compression methods.
  const extensions = parseExtensions(reader)
  checkInitial(extensions)
  return {
    version,
    random,
    ciphers,
    curves: numbers(list(extensions.get(EXTENSION.supportedGroups))),
    signatureSchemes: numbers(list(extensions.get(EXTENSION.signatureAlgorithms))),
    profiles: numbers(list(extensions.get(EXTENSION.useSrtp))),
    extendedMasterSecret: extensions.has(EXTENSION.extendedMasterSecret),
    renegotiationInfo: extensions.has(EXTENSION.renegotiationInfo) || ciphers.includes(EMPTY_RENEGOTIATION_INFO_SCSV),
  }
}

/** @throws HandshakeFailure when it renegotiates. */
export function parseServerHello(body: Buffer): ServerHello {
  const reader = new Reader(body)
  const version = reader.uint16()
  const random = reader.take(32)
  reader.vector8()
  const cipher = reader.uint16()
  if (reader.uint8() !== 0) throw new DecodeError('compression was not offered')
  const extensions = parseExtensions(reader)
  checkInitial(extensions)
  return {
    version,
    random,
    cipher,
    profile: chosenProfile(extensions.get(EXTENSION.useSrtp)),
    extendedMasterSecret: extensions.has(EXTENSION.extendedMasterSecret),
  }
}

/** The cookie of a HelloVerifyRequest (RFC 6347 §4.2.1). */
export function parseHelloVerifyRequest(body: Buffer): Buffer {
  const reader = new Reader(body)
  reader.uint16()
  return reader.vector8()
}

export function buildClientHello(random: Buffer, cookie: Buffer): Buffer {
  return Buffer.concat([
    uint16(DTLS_1_2),
    random,
    vector8(),
    vector8(cookie),
    vector16(uint16(CIPHER.ecdheEcdsaAes128Gcm, CIPHER.ecdheRsaAes128Gcm)),
    vector8(uint8(0)),
    vector16(
      extension(EXTENSION.supportedGroups, vector16(uint16(...SUPPORTED_CURVES))),
      extension(EXTENSION.pointFormats, vector8(uint8(0))),
      extension(EXTENSION.signatureAlgorithms, vector16(uint16(...ACCEPTED_SCHEMES))),
      extension(EXTENSION.useSrtp, vector16(uint16(...PROFILES.map(([code]) => code))), vector8()),
      extension(EXTENSION.extendedMasterSecret),
      extension(EXTENSION.renegotiationInfo, vector8()),
    ),
  ])
}

export function buildServerHello(random: Buffer, profile: number, client: ClientHello): Buffer {
  const extensions = [
    extension(EXTENSION.useSrtp, vector16(uint16(profile)), vector8()),
    extension(EXTENSION.pointFormats, vector8(uint8(0))),
  ]
  if (client.extendedMasterSecret) extensions.push(extension(EXTENSION.extendedMasterSecret))
  if (client.renegotiationInfo) extensions.push(extension(EXTENSION.renegotiationInfo, vector8()))
  return Buffer.concat([
    uint16(DTLS_1_2),
    random,
    vector8(),
    uint16(CIPHER.ecdheEcdsaAes128Gcm),
    uint8(0),
    vector16(...extensions),
  ])
}

function extension(type: number, ...data: readonly Buffer[]): Buffer {
  return Buffer.concat([uint16(type), vector16(...data)])
}

function parseExtensions(reader: Reader): ReadonlyMap<number, Buffer> {
  const extensions = new Map<number, Buffer>()
  if (reader.remaining === 0) return extensions
  const block = new Reader(reader.vector16())
  reader.end()
  while (block.remaining > 0) {
    const type = block.uint16()
    if (extensions.has(type)) throw new DecodeError(`extension ${type} comes twice`)
    extensions.set(type, block.vector16())
  }
  return extensions
}

/** A first handshake has nothing to renegotiate, and we know no other (RFC 5746 §3.4, §3.6). */
function checkInitial(extensions: ReadonlyMap<number, Buffer>): void {
  const info = extensions.get(EXTENSION.renegotiationInfo)
  if (info === undefined || (info.length === 1 && info[0] === 0)) return
  throw new HandshakeFailure(ALERT.handshakeFailure, 'the peer believes that this is a renegotiation')
}

/** The one profile a server chose; `undefined` if there is not one, or with a key identifier that we did not offer. */
function chosenProfile(data: Buffer | undefined): number | undefined {
  if (data === undefined) return undefined
  const reader = new Reader(data)
  const [profile, ...more] = numbers(reader.vector16())
  const hasIdentifier = reader.remaining > 0 && reader.vector8().length > 0
  return more.length > 0 || hasIdentifier ? undefined : profile
}

/** The leading 16-bit-length vector of an extension; what follows (the MKI of use_srtp) is not looked at. */
function list(data: Buffer | undefined): Buffer {
  return data === undefined ? Buffer.alloc(0) : new Reader(data).vector16()
}

function numbers(bytes: Buffer): readonly number[] {
  const out: number[] = []
  for (let at = 0; at + 2 <= bytes.length; at += 2) out.push(bytes.readUInt16BE(at))
  return out
}

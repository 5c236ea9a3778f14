import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'
import { DecodeError } from './wire.ts'

/** Named curves (RFC 8422 §5.1.1), most wanted first: X25519 is the cheaper one. */
export const CURVES = { x25519: 29, secp256r1: 23 } as const
export const SUPPORTED_CURVES: readonly number[] = [CURVES.x25519, CURVES.secp256r1]

/** One ephemeral ECDHE key. */
export interface KeyShare {
  readonly curve: number
  /** As written in a ServerKeyExchange or ClientKeyExchange. */
  readonly publicKey: Buffer
  /** The premaster secret. @throws DecodeError when the peer's point is not on the curve. */
  agree(peerPublicKey: Buffer): Buffer
}

export function createKeyShare(curve: number): KeyShare {
  return curve === CURVES.x25519 ? x25519() : secp256r1()
}

function secp256r1(): KeyShare {
  const ecdh = createECDH('prime256v1')
  return {
    curve: CURVES.secp256r1,
    publicKey: ecdh.generateKeys(),
    agree(peerPublicKey) {
      if (peerPublicKey.length !== 65 || peerPublicKey[0] !== UNCOMPRESSED) {
        throw new DecodeError('a P-256 key share is an uncompressed point') // RFC 8422 §5.1.2.
      }
      try {
        return ecdh.computeSecret(peerPublicKey)
      } catch (cause) {
        throw new DecodeError('the key share is not a point of P-256', { cause })
      }
    },
  }
}

const UNCOMPRESSED = 4

/** The fixed start of an X25519 SubjectPublicKeyInfo (RFC 8410 §4). */
const X25519_SPKI = Buffer.from('302a300506032b656e032100', 'hex')

function x25519(): KeyShare {
  const pair = generateKeyPairSync('x25519')
  return {
    curve: CURVES.x25519,
    publicKey: pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(X25519_SPKI.length),
    agree(peerPublicKey) {
      if (peerPublicKey.length !== 32) throw new DecodeError('an X25519 key share has 32 bytes')
      const key = Buffer.concat([X25519_SPKI, peerPublicKey])
      try {
        // OpenSSL refuses a shared secret of all zeros (RFC 7748 §6.1).
        const publicKey = createPublicKey({ key, format: 'der', type: 'spki' })
        return diffieHellman({ privateKey: pair.privateKey, publicKey })
      } catch (cause) {
        throw new DecodeError('the X25519 key share is weak', { cause })
      }
    },
  }
}

import { createHash } from 'node:crypto'
import type { SrtpSuite } from '../../../model.ts'
import { prf } from './prf.ts'
import { RecordProtection } from './record-protection.ts'

/** What both hellos and the key agreement give. */
export interface Secrets {
  readonly master: Buffer
  readonly clientRandom: Buffer
  readonly serverRandom: Buffer
}

/** Master keys and salts of SRTP for both directions (RFC 5764 §4.2), as seen from us. */
export interface SrtpKeys {
  readonly suite: SrtpSuite
  readonly local: { readonly key: Buffer; readonly salt: Buffer }
  readonly remote: { readonly key: Buffer; readonly salt: Buffer }
}

interface MasterInput {
  readonly premaster: Buffer
  readonly clientRandom: Buffer
  readonly serverRandom: Buffer
  /** All handshake messages up to ClientKeyExchange, if both agreed on the extended master secret. */
  readonly session: Buffer | undefined
}

/** The master secret, bound to the handshake where the peer can (RFC 7627 §4), else as in RFC 5246 §8.1. */
export function masterSecret({ premaster, clientRandom, serverRandom, session }: MasterInput): Buffer {
  if (session !== undefined) return prf(premaster, 'extended master secret', sha256(session), 48)
  return prf(premaster, 'master secret', Buffer.concat([clientRandom, serverRandom]), 48)
}

/** Protections of epoch 1 (RFC 5246 §6.3). */
export function recordProtections(secrets: Secrets): { client: RecordProtection; server: RecordProtection } {
  const seed = Buffer.concat([secrets.serverRandom, secrets.clientRandom])
  const block = prf(secrets.master, 'key expansion', seed, 40)
  return {
    client: new RecordProtection(block.subarray(0, 16), block.subarray(32, 36)),
    server: new RecordProtection(block.subarray(16, 32), block.subarray(36, 40)),
  }
}

/** The content of a Finished (RFC 5246 §7.4.9). */
export function verifyData(master: Buffer, side: 'client' | 'server', transcript: Buffer): Buffer {
  return prf(master, `${side} finished`, sha256(transcript), 12)
}

const KEY_BYTES: Record<SrtpSuite, { readonly key: number; readonly salt: number }> = {
  AES_CM_128_HMAC_SHA1_80: { key: 16, salt: 14 },
  AES_CM_128_HMAC_SHA1_32: { key: 16, salt: 14 },
  AEAD_AES_128_GCM: { key: 16, salt: 12 },
  AEAD_AES_256_GCM: { key: 32, salt: 12 },
}

export function exportSrtpKeys(secrets: Secrets, suite: SrtpSuite, role: 'client' | 'server'): SrtpKeys {
  const { key, salt } = KEY_BYTES[suite]
  const seed = Buffer.concat([secrets.clientRandom, secrets.serverRandom])
  const block = prf(secrets.master, 'EXTRACTOR-dtls_srtp', seed, 2 * (key + salt))
  const client = { key: block.subarray(0, key), salt: block.subarray(2 * key, 2 * key + salt) }
  const server = { key: block.subarray(key, 2 * key), salt: block.subarray(2 * key + salt) }
  return role === 'client' ? { suite, local: client, remote: server } : { suite, local: server, remote: client }
}

function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest()
}

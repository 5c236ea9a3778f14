import type { SrtpSuite } from '../../../model.ts'
import type { SuiteParameters } from './model.ts'

const TABLE: Readonly<Record<SrtpSuite, SuiteParameters>> = {
  AES_CM_128_HMAC_SHA1_80: hmacSuite('AES_CM_128_HMAC_SHA1_80', 10),
  AES_CM_128_HMAC_SHA1_32: hmacSuite('AES_CM_128_HMAC_SHA1_32', 4),
  AEAD_AES_128_GCM: gcmSuite('AEAD_AES_128_GCM', 16),
  AEAD_AES_256_GCM: gcmSuite('AEAD_AES_256_GCM', 32),
}

/** Every suite this engine can do, most wanted first for a peer that can do all. */
export const SRTP_SUITES: readonly SrtpSuite[] = [
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
  'AEAD_AES_128_GCM',
  'AEAD_AES_256_GCM',
]

/** Key, salt and tag lengths of a suite, in bytes. */
export function parametersOf(suite: SrtpSuite): SuiteParameters {
  return TABLE[suite]
}

function hmacSuite(suite: SrtpSuite, tagLength: number): SuiteParameters {
  return { suite, keyLength: 16, saltLength: 14, tagLength, rtcpTagLength: 10, aead: false }
}

function gcmSuite(suite: SrtpSuite, keyLength: number): SuiteParameters {
  return { suite, keyLength, saltLength: 12, tagLength: 16, rtcpTagLength: 16, aead: true }
}

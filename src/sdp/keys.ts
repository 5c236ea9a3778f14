import type { SdpCrypto, SdpFingerprint } from './model.ts'

/** SRTP suites that can be agreed on in SDP, with the bytes of master key and salt (RFC 4568 §6.2, RFC 7714 §14.2). */
const SUITES = {
  AES_CM_128_HMAC_SHA1_80: 30,
  AES_CM_128_HMAC_SHA1_32: 30,
  AEAD_AES_128_GCM: 28,
  AEAD_AES_256_GCM: 44,
} as const

export type SdesSuite = keyof typeof SUITES

export function isSuite(suite: string): suite is SdesSuite {
  return Object.hasOwn(SUITES, suite)
}

/** Whether the base64 key has the length of its suite's. */
export function isKeyOf(suite: string, key: string): boolean {
  const digits = key.replace(/=+$/, '').length
  return isSuite(suite) && Math.floor((digits * 6) / 8) === SUITES[suite]
}

/** Bytes of a hash (RFC 8122 §5). What is broken (MD2, MD5) is not among them. */
const HASH_BYTES: ReadonlyMap<string, number> = new Map([
  ['sha-1', 20],
  ['sha-224', 28],
  ['sha-256', 32],
  ['sha-384', 48],
  ['sha-512', 64],
])

/** Certificate fingerprints of a section, else of the session; one whose length is not its hash's is nobody's. */
export function fingerprintsOf(section: readonly string[], session: readonly string[]): readonly SdpFingerprint[] {
  const own = section.flatMap(fingerprint)
  return own.length > 0 ? own : session.flatMap(fingerprint)
}

// a=fingerprint:sha-256 19:E2:1C:…
function fingerprint(line: string): readonly SdpFingerprint[] {
  const match = /^a=fingerprint:\s*(\S+)\s+([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*)\s*$/.exec(line)
  const algorithm = match?.[1]?.toLowerCase()
  const value = match?.[2]?.toUpperCase()
  if (algorithm === undefined || value === undefined) return []
  return (value.length + 1) / 3 === HASH_BYTES.get(algorithm) ? [{ algorithm, value }] : []
}

/**
 * The `a=crypto` lines that can be used. RFC 4568 §6.3: a line with a session parameter that is not understood must
 * not be; only the replay window's hint (WSH) changes nothing. A key with an MKI would put its bytes in each packet.
 */
export function cryptoOf(section: readonly string[]): readonly SdpCrypto[] {
  if (section.length === 0) return []
  const found = section.flatMap(crypto)
  return found.filter((each, at) => found.findIndex(({ tag }) => tag === each.tag) === at)
}

// a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20
function crypto(line: string): readonly SdpCrypto[] {
  const match = /^a=crypto:(\d{1,9})\s+(\w{1,64})\s+(\S+)((?:\s+\S+)*)\s*$/.exec(line)
  if (!match) return []
  const [, tag = '', suite = '', keys = '', parameters = ''] = match
  const key = /^inline:([A-Za-z0-9+/]{16,128}={0,2})(?:\|(?:2\^)?\d+)?$/.exec(keys)?.[1]
  const understood = parameters.split(/\s+/).every((each) => each === '' || /^WSH=\d+$/i.test(each))
  return key === undefined || !understood ? [] : [{ tag: Number(tag), suite, key }]
}

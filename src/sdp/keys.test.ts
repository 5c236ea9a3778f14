import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cryptoOf, fingerprintsOf, isKeyOf } from './keys.ts'

const KEY = 'PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR'
const SUITE = 'AES_CM_128_HMAC_SHA1_80'
const SHA256 = Array(32).fill('AB').join(':')

const lines: readonly (readonly [why: string, line: string, usable: boolean])[] = [
  ['as in RFC 4568', `a=crypto:1 ${SUITE} inline:${KEY}`, true],
  ['with a lifetime', `a=crypto:1 ${SUITE} inline:${KEY}|2^20`, true],
  ['with a lifetime in full', `a=crypto:1 ${SUITE} inline:${KEY}|1048576`, true],
  ['with the hint of a window', `a=crypto:1 ${SUITE} inline:${KEY} WSH=64`, true],
  ['with an MKI: its bytes would be in each packet', `a=crypto:1 ${SUITE} inline:${KEY}|2^20|1:4`, false],
  ['with RTCP in the clear', `a=crypto:1 ${SUITE} inline:${KEY} UNENCRYPTED_SRTCP`, false],
  ['the same behind one that is known', `a=crypto:1 ${SUITE} inline:${KEY} WSH=64 UNENCRYPTED_SRTP`, false],
  ['with two keys', `a=crypto:1 ${SUITE} inline:${KEY};inline:${KEY}`, false],
  ['with a key that is no base64', `a=crypto:1 ${SUITE} inline:${KEY}*`, false],
  ['with a tag of ten digits', `a=crypto:1234567890 ${SUITE} inline:${KEY}`, false],
  ['without a key', `a=crypto:1 ${SUITE}`, false],
]

for (const [why, line, usable] of lines) {
  test(`a crypto line ${why} is ${usable ? 'taken' : 'passed over'}`, () => {
    assert.deepEqual(cryptoOf([line]), usable ? [{ tag: 1, suite: SUITE, key: KEY }] : [])
  })
}

test('of two lines with one tag the first counts', () => {
  const other = KEY.toLowerCase()
  assert.deepEqual(
    cryptoOf([`a=crypto:1 ${SUITE} inline:${KEY}`, `a=crypto:1 ${SUITE} inline:${other}`]).map(({ key }) => key),
    [KEY],
  )
})

test('a key has the length of its suite (RFC 4568 §6.2, RFC 7714 §14.2)', () => {
  assert.equal(isKeyOf(SUITE, KEY), true)
  assert.equal(isKeyOf(SUITE, KEY.slice(4)), false)
  assert.equal(isKeyOf('AEAD_AES_128_GCM', Buffer.alloc(28).toString('base64')), true)
  assert.equal(isKeyOf('AEAD_AES_256_GCM', Buffer.alloc(44).toString('base64')), true)
  assert.equal(isKeyOf('toString', KEY), false)
})

test('every fingerprint of a level is kept; those of the section before those of the session', () => {
  const sha1 = Array(20).fill('01').join(':')
  const session = [`a=fingerprint:sha-256 ${SHA256}`, `a=fingerprint:SHA-1 ${sha1.toLowerCase()}`]
  assert.deepEqual(
    fingerprintsOf([], session).map(({ algorithm }) => algorithm),
    ['sha-256', 'sha-1'],
  )
  assert.equal(fingerprintsOf([`a=fingerprint:sha-1 ${sha1}`], session).length, 1)
})

test("a fingerprint of the wrong length, or of a hash that is broken, is nobody's", () => {
  assert.deepEqual(fingerprintsOf(['a=fingerprint:sha-256 AB:CD'], []), [])
  assert.deepEqual(fingerprintsOf([`a=fingerprint:md5 ${Array(16).fill('AB').join(':')}`], []), [])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '../base/index.ts'
import { readableMessage } from './blank-secrets.ts'

const shown: readonly (readonly [what: string, line: string, expected: string])[] = [
  ['a digest answer', 'Authorization: Digest username="a", response="00ff"', 'Authorization: Digest [secret]'],
  [
    'a folded one',
    'proxy-authorization : Digest username="a",\r\n response="00ff"',
    'proxy-authorization : Digest [secret]',
  ],
  [
    'an SDES key',
    'a=crypto:1 AEAD_AES_128_GCM inline:c2VjcmV0|2^20',
    'a=crypto:1 AEAD_AES_128_GCM inline:[secret]|2^20',
  ],
  ['an ICE password', 'a=ice-pwd:0123456789abcdef012345', 'a=ice-pwd:[secret]'],
  ['a MIKEY message', 'a=key-mgmt:mikey AQAFgM0XflABAAAA', 'a=key-mgmt:mikey [secret]'],
  ['a key of old', 'k=base64:c2VjcmV0', 'k=base64: [secret]'],
  ['a password in a URI', 'Contact: <sip:a:hush@h:5060>', 'Contact: <sip:a:[secret]@h:5060>'],
  ['a port', 'Contact: <sip:h:5060>, <sip:[2001:db8::1]:5060>', 'Contact: <sip:h:5060>, <sip:[2001:db8::1]:5060>'],
  ['a challenge', 'WWW-Authenticate: Digest realm="x", nonce="n"', 'WWW-Authenticate: Digest realm="x", nonce="n"'],
]

for (const [what, line, expected] of shown) {
  test(`${what} is shown as it may be`, () => {
    assert.equal(
      readableMessage(`INVITE sip:b@x SIP/2.0\r\n${line}\r\nTo: x`),
      `INVITE sip:b@x SIP/2.0\r\n${expected}\r\nTo: x`,
    )
  })
}

test('a name reads as it was written', () => {
  assert.equal(readableMessage(encodeUtf8('From: "Zoë"')), 'From: "Zoë"')
})

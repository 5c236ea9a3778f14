import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { SipUri } from './model.ts'
import { parseUri, uriEquals, writeUri } from './uri.ts'

function plain(uri: SipUri): unknown {
  return { ...uri, params: Object.fromEntries(uri.params) }
}

describe('RFC 3261 §19.1: parts of a URI', () => {
  const cases: readonly (readonly [text: string, parts: Record<string, unknown>])[] = [
    ['sip:alice@Example.TEST', { scheme: 'sip', user: 'alice', host: 'example.test', params: {}, headers: '' }],
    ['SIPS:example.test:5061', { scheme: 'sips', host: 'example.test', port: 5061, params: {}, headers: '' }],
    [
      'sip:a:secret@h:5070;transport=tcp;lr?Subject=x%20y',
      {
        scheme: 'sip',
        user: 'a',
        password: 'secret',
        host: 'h',
        port: 5070,
        params: { transport: 'tcp', lr: '' },
        headers: 'Subject=x%20y',
      },
    ],
    ['sip:a%20b%40c@h', { scheme: 'sip', user: 'a b@c', host: 'h', params: {}, headers: '' }],
    ['sip:user;par=u%40x@h', { scheme: 'sip', user: 'user;par=u@x', host: 'h', params: {}, headers: '' }],
    ['sip:h;name=value%2541', { scheme: 'sip', host: 'h', params: { name: 'value%41' }, headers: '' }],
    ['sip:[2001:DB8::10]:5070', { scheme: 'sip', host: '2001:db8::10', port: 5070, params: {}, headers: '' }],
    ['sip:[2001:db8:::192.0.2.1]', { scheme: 'sip', host: '2001:db8::192.0.2.1', params: {}, headers: '' }],
    ['tel:+1-555', { scheme: 'tel', host: '', params: {}, headers: '', opaque: '+1-555' }],
  ]
  for (const [text, parts] of cases) test(text, () => assert.deepEqual(plain(parseUri(text)), parts))
})

describe('URIs that are none', () => {
  const bad = [
    '',
    'alice',
    ':x',
    'sip:',
    'sip:@h',
    'sip:a@',
    'sip:a@b@c',
    'sip:a@h:port',
    'sip:a@h:65536',
    'sip:a@h lr',
    'sip:a@2001:db8::1',
    'sip:a@[2001:db8::1',
    'sip:a@[1:2]',
    'sip:a@[1::2::3]',
    'sip:a@h"',
    'sip:a@h\r\nX: y',
    'sip:a@h<b>',
    '1x:y',
  ]
  for (const text of bad) {
    test(JSON.stringify(text), () => assert.throws(() => parseUri(text), { code: 'SIP_MALFORMED_MESSAGE' }))
  }
})

test('§19.1.2: what the grammar forbids in a part is escaped when written', () => {
  const uri: SipUri = { scheme: 'sip', user: 'a@b c%', host: '::1', params: new Map([['x', 'a;b']]), headers: '' }
  assert.equal(writeUri(uri), 'sip:a%40b%20c%25@[::1];x=a%3Bb')
})

test('law: a written URI has the parts it was written from', () => {
  const text = fc.string({ minLength: 1, maxLength: 12 }).map((s) => s.replace(/[^\x01-\x7e]/g, 'x'))
  fc.assert(
    fc.property(
      text,
      fc.option(text),
      fc.option(fc.integer({ min: 0, max: 65_535 })),
      text,
      (user, password, port, v) => {
        const uri: SipUri = {
          scheme: 'sip',
          user,
          ...(password === null ? {} : { password }),
          host: 'example.test',
          ...(port === null ? {} : { port }),
          params: new Map([['p', v]]),
          headers: '',
        }
        assert.deepEqual(plain(parseUri(writeUri(uri))), plain(uri))
      },
    ),
  )
})

test('law: every URI equals itself, and equality has no direction', () => {
  const uri = fc
    .tuple(
      fc.constantFrom('sip', 'sips'),
      fc.constantFrom('', 'a@', 'A@', '%61@'),
      fc.constantFrom('h', 'H', '[::1]', '[0::1]'),
      fc.constantFrom('', ':5060', ':5070'),
      fc.constantFrom('', ';transport=udp', ';transport=TCP', ';x=1', ';x=2', ';lr'),
    )
    .map(([scheme, ...rest]) => `${scheme}:${rest.join('')}`)
  fc.assert(
    fc.property(uri, uri, (a, b) => {
      assert.ok(uriEquals(a, a))
      assert.equal(uriEquals(a, b), uriEquals(b, a))
    }),
  )
})

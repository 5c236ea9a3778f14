import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createRequest } from './create.ts'
import { parseNameAddr, writeNameAddr } from './name-addr.ts'
import { writeMessage } from './write.ts'

describe('RFC 3261 §20.10: addresses', () => {
  const cases: readonly (readonly [text: string, name: string | undefined, uri: string, params: object])[] = [
    ['<sip:a@b>', undefined, 'sip:a@b', {}],
    ['sip:a@b;tag=x', undefined, 'sip:a@b', { tag: 'x' }],
    ['"A \\"B\\", C" <sip:a@b;lr> ; tag = x ; Y', 'A "B", C', 'sip:a@b;lr', { tag: 'x', y: '' }],
    ['Alice Smith<sip:a@b>', 'Alice Smith', 'sip:a@b', {}],
    ['J. R. (Sales) <sip:a@b>', 'J. R. (Sales)', 'sip:a@b', {}],
    ['"" <sip:a@b>', undefined, 'sip:a@b', {}],
    [
      '<sip:a@b>;+sip.instance="<urn:uuid:1;2>";q=0.5',
      undefined,
      'sip:a@b',
      { '+sip.instance': '"<urn:uuid:1;2>"', q: '0.5' },
    ],
    ['<sip:a@b>;', undefined, 'sip:a@b', {}],
  ]
  for (const [text, displayName, uri, params] of cases) {
    test(text, () => {
      const address = parseNameAddr(text)
      assert.deepEqual(
        [address.displayName, address.uri, Object.fromEntries(address.params)],
        [displayName, uri, params],
      )
    })
  }
})

describe('addresses that are none', () => {
  const bad = [
    '',
    '<>',
    '<sip:a@b',
    'sip:a@b>',
    '"A <sip:a@b>',
    '"A" B <sip:a@b>',
    '< sip:a@b >',
    'sip:a@b?x=y',
    'sip:a@b,sip:c@d',
    'Bell, A <sip:a@b>',
    '<sip:a@b>;;',
    '<sip:a@b>tag=x',
    '<sip:a@b>;t ag=x',
    'nobody',
  ]
  for (const text of bad) {
    test(text, () => assert.throws(() => parseNameAddr(text), { code: 'SIP_MALFORMED_MESSAGE' }))
  }
})

test('a line break in a display name never becomes a line break of the message', () => {
  const value = writeNameAddr({ displayName: 'A\r\nEvil: 1\nMore: 2', uri: 'sip:a@b', params: new Map() })
  const request = createRequest({ method: 'INFO', uri: 'sip:b@c', headers: [{ name: 'From', value }] })
  assert.match(writeMessage(request), /^INFO sip:b@c SIP\/2\.0\r\nFrom: [^\r\n]+\r\nContent-Length: 0\r\n\r\n$/)
})

test('law: a written address reads as itself, whatever the display name', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 20 }), (displayName) => {
      const address = { displayName, uri: 'sip:a@b', params: new Map([['tag', 'x']]) }
      assert.deepEqual(parseNameAddr(writeNameAddr(address)), address)
    }),
  )
})

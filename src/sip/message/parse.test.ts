import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { GatewayError, LIMITS } from '../../base/index.ts'
import { createRequest } from './create.ts'
import type { SipMessage } from './model.ts'
import { parseMessage } from './parse.ts'
import { salvageRequest } from './salvage.ts'
import { writeMessage } from './write.ts'

const LINES = [
  'OPTIONS sip:bob@example.test SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1;rport',
  'From: "Alice" <sip:alice@example.test>;tag=a1',
  'To: <sip:bob@example.test>',
  'Call-ID: c1',
  'CSeq: 7 OPTIONS',
  'Max-Forwards: 70',
]

function text(changes: Record<string, string> = {}, body = ''): string {
  const lines = LINES.map((line) => changes[line.split(/[: ]/, 1)[0] ?? ''] ?? line).filter((line) => line !== '')
  const added = Object.entries(changes).filter(([name]) => name.startsWith('+'))
  return [...lines, ...added.map(([, line]) => line), '', body].join('\r\n')
}

const rejects = (data: string, expected: RegExp): void =>
  assert.throws(
    () => parseMessage(data),
    (error) => error instanceof GatewayError && expected.test(`${error.code} ${error.message}`),
  )

describe('RFC 3261 §7: messages', () => {
  test('the six fields of an ordinary request', () => {
    const message = parseMessage(text())
    assert.equal(message.kind, 'request')
    const { headers } = message
    assert.equal(headers.callId, 'c1')
    assert.deepEqual(headers.cseq, { sequence: 7, method: 'OPTIONS' })
    assert.equal(headers.fromTag, 'a1')
    assert.equal(headers.toTag, undefined)
    assert.equal(headers.from.displayName, 'Alice')
    assert.equal(headers.topVia.params.get('branch'), 'z9hG4bK1')
    assert.equal(headers.maxForwards, 70)
  })

  test('§7.3.3: compact names are the long ones, whatever the case', () => {
    const message = parseMessage(text({ 'Call-ID': 'I: c1', Via: 'v: SIP/2.0/TCP a.test;branch=z9hG4bK2' }))
    assert.equal(message.headers.get('call-id'), 'c1')
    assert.equal(message.headers.topVia.transport, 'TCP')
    assert.equal(message.headers.fields()[0]?.name, 'Via')
  })

  test('§7.3.1: folded lines are one value, unknown headers are kept as they are', () => {
    const { headers } = parseMessage(text({ '+': 'X-Thing:  a\r\n\tb \r\n  c', '+2': 'x-thing: ;;,,' }))
    assert.deepEqual(headers.values('X-THING'), ['a b c', ';;,,'])
    assert.deepEqual(headers.fields().at(-1), { name: 'x-thing', value: ';;,,' })
  })

  test('§7.3.1: values over several lines and behind commas are one list', () => {
    const { headers } = parseMessage(
      text({ '+': 'Supported: timer, path', '+2': 'k: outbound', '+3': 'Route: <sip:a;lr>, "x, y" <sip:b;lr>' }),
    )
    assert.deepEqual(headers.values('Supported'), ['timer', 'path', 'outbound'])
    assert.deepEqual(headers.values('Route'), ['<sip:a;lr>', '"x, y" <sip:b;lr>'])
    assert.equal(headers.route[1]?.displayName, 'x, y')
  })

  test('§18.3: bytes behind Content-Length are no part of the message; without it the rest is the body', () => {
    assert.equal(parseMessage(text({ '+': 'Content-Length: 3' }, 'abcdef')).body, 'abc')
    assert.equal(parseMessage(text({}, 'abcdef')).body, 'abcdef')
  })

  test('§7.5: line breaks before the first line are ignored; a bare LF ends a line too', () => {
    assert.equal(parseMessage(`\r\n\r\n${text()}`).kind, 'request')
    assert.equal(parseMessage(text().replaceAll('\r\n', '\n')).headers.callId, 'c1')
  })

  test('a lone CR never survives into a value, so that no peer can be sent a forged line', () => {
    const { headers } = parseMessage(text({ '+': 'Subject: a\rEvil: b' }))
    assert.equal(headers.get('Subject'), 'a Evil: b')
  })

  test('§7.2: status lines, with and without a phrase', () => {
    const response = (line: string): SipMessage =>
      parseMessage(text().replace('OPTIONS sip:bob@example.test SIP/2.0', line))
    const ok = response('sip/2.0 200 Fine \xc3\xbc')
    assert.deepEqual(ok.kind === 'response' && [ok.status, ok.reason], [200, 'Fine \xc3\xbc'])
    for (const line of ['SIP/2.0 486 ', 'SIP/2.0 486']) {
      const busy = response(line)
      assert.deepEqual(busy.kind === 'response' && [busy.status, busy.reason], [486, ''])
    }
    for (const line of ['SIP/2.0 4294967301 x', 'SIP/2.0 99 x', 'SIP/2.0 700 x', 'SIP/2.0  200 OK', 'SIP/3.0 200 OK']) {
      assert.throws(() => response(line), { code: 'SIP_MALFORMED_MESSAGE' }, line)
    }
  })
})

const bad: readonly (readonly [what: string, data: string, expected: RegExp])[] = [
  ['no empty line', text().trimEnd(), /empty line/],
  ['a line without colon', text({ '+': 'Subject' }), /":"/],
  ['a name with a space', text({ '+': 'Sub ject: x' }), /header name/],
  ['an empty name', text({ '+': ': x' }), /header name/],
  ['two Call-IDs', text({ '+': 'i: c2' }), /Call-ID stands twice/],
  ['no Via', text({ Via: '' }), /Via is missing/],
  ['no CSeq', text({ CSeq: '' }), /CSeq is missing/],
  ['an empty Call-ID', text({ 'Call-ID': 'Call-ID: ' }), /Call-ID is empty/],
  ['CSeq of another method', text({ CSeq: 'CSeq: 7 INVITE' }), /CSeq is of "INVITE"/],
  ['CSeq beyond 32 bits', text({ CSeq: 'CSeq: 4294967296 OPTIONS' }), /CSeq/],
  ['CSeq without space', text({ CSeq: 'CSeq: 7OPTIONS' }), /CSeq/],
  ['Max-Forwards 256', text({ 'Max-Forwards': 'Max-Forwards: 256' }), /Max-Forwards/],
  ['From with an open quote', text({ From: 'From: "Alice <sip:a@b>;tag=1' }), /From: .*does not end/],
  ['To with an open bracket', text({ To: 'To: <sip:a@b' }), /To: No ">"/],
  ['a Via of holes', text({ Via: 'Via: SIP/2.0/UDP a;;,;,,' }), /Via: Bad parameter/],
  ['a Via without host', text({ Via: 'Via: SIP/2.0/UDP ;branch=z9hG4bK1' }), /Via: No host/],
  ['a negative length', text({ '+': 'Content-Length: -1' }), /Content-Length/],
  ['a length that lies', text({ '+': 'Content-Length: 5' }, 'abc'), /Content-Length is 5, the body 3/],
  ['two lengths', text({ '+': 'Content-Length: 3', '+2': 'l: 2' }, 'abc'), /stands twice/],
  ['another version', text({ OPTIONS: 'OPTIONS sip:b@c SIP/7.0' }), /SIP_VERSION_UNSUPPORTED/],
  ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', /SIP_MALFORMED_MESSAGE/],
  ['nothing', '', /SIP_MALFORMED_MESSAGE/],
  ['brackets around the Request-URI', text({ OPTIONS: 'OPTIONS <sip:b@c> SIP/2.0' }), /no URI/],
  ['headers in the Request-URI', text({ OPTIONS: 'OPTIONS sip:b@c?a=b SIP/2.0' }), /has headers/],
  ['257 header lines', text({ '+': 'X: y\r\n'.repeat(LIMITS.sipHeaderLines).trimEnd() }), /SIP_MESSAGE_TOO_LARGE/],
  ['33 kB of headers', text({ '+': `X: ${'y'.repeat(LIMITS.sipHeaderBytes)}` }), /SIP_MESSAGE_TOO_LARGE/],
  ['64 kB in all', text({}, 'y'.repeat(LIMITS.sipMessageBytes)), /SIP_MESSAGE_TOO_LARGE/],
]

describe('messages that are refused', () => {
  for (const [what, data, expected] of bad) test(what, () => rejects(data, expected))
})

const token = fc.stringMatching(/^[A-Za-z0-9.!%*_+'~-]{1,12}$/)
const value = fc.stringMatching(/^[!-~\xa0-\xff]([ -~\xa0-\xff]{0,40}[!-~\xa0-\xff])?$/)

describe('laws', () => {
  test('what was written reads the same, and is written the same again', () => {
    const fields = fc.array(fc.record({ name: token.map((name) => `X-${name}`), value }), { maxLength: 12 })
    fc.assert(
      fc.property(token, fields, fc.string({ maxLength: 60, unit: 'binary' }), (method, extra, content) => {
        const bytes = [...content].map((char) => String.fromCharCode((char.codePointAt(0) ?? 0) & 0xff)).join('')
        const request = createRequest({
          method,
          uri: 'sip:b@c',
          headers: [
            { name: 'Via', value: 'SIP/2.0/TCP h;branch=z9hG4bKx' },
            { name: 'From', value: '<sip:a@b>;tag=1' },
            { name: 'To', value: '<sip:b@c>' },
            { name: 'Call-ID', value: 'i' },
            { name: 'CSeq', value: `1 ${method}` },
            ...extra,
          ],
          body: { type: 'text/plain', content: bytes },
        })
        const written = writeMessage(request)
        const read = parseMessage(written)
        assert.equal(read.body, bytes)
        assert.deepEqual(
          read.headers.fields().filter(({ name }) => name !== 'Content-Length'),
          request.headers.fields(),
        )
        assert.equal(writeMessage(read), written)
      }),
    )
  })

  test('no text of any kind makes the parser throw anything but a GatewayError', () => {
    const piece = fc.oneof(
      fc.constantFrom(...LINES, '\r\n', '\n', '\r', ':', ',', ';', '"', '<', '>', ' ', 'Via: ', 'SIP/2.0', '\0', '\\'),
      fc.string({ maxLength: 10 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          const { headers } = parseMessage(pieces.join(''))
          void [headers.contacts, headers.route, headers.recordRoute, headers.expires, headers.contentType]
        } catch (error) {
          assert.ok(error instanceof GatewayError, String(error))
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

test('long runs of anything are read in time that grows with their length alone', () => {
  const runs = [' ', '\t', ';', ',', '"', '\\', '<', ' \r', '%', ':', '=', '\r\n ', ';a', ',a', '""']
  const places = ['Subject', 'To', 'Via', 'Contact', 'Route', 'Content-Type', 'CSeq', 'OPTIONS']
  const startedAt = performance.now()
  for (const run of runs) {
    for (const place of places) {
      const filling = run.repeat(30_000 / run.length)
      const line = place === 'OPTIONS' ? `OPTIONS sip:b@c${filling} SIP/2.0` : `${place}: x${filling}y\rz`
      const data = text({ [place]: line, '+': place === 'To' || place === 'OPTIONS' ? 'X: y' : line })
      void salvageRequest(data)
      try {
        const { headers } = parseMessage(data)
        void [headers.contacts, headers.route, headers.get('Subject'), headers.contentType]
      } catch (error) {
        assert.ok(error instanceof GatewayError)
      }
    }
  }
  const eachMs = (performance.now() - startedAt) / (runs.length * places.length)
  assert.ok(eachMs < 20, `${eachMs} ms each`) // A quadratic reader takes seconds.
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LIMITS } from '../base/index.ts'
import { createStreamFramer, type Framed } from './stream-framer.ts'

const head = (length: string): string =>
  `INFO sip:b@c SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\n${length}\r\n\r\n`
const message = (body: string): string => head(`l: ${body.length}`) + body

function pushAll(chunks: readonly string[]): { messages: string[]; pongs: number; broken: Framed['broken'] } {
  const framer = createStreamFramer()
  const out = { messages: [] as string[], pongs: 0, broken: undefined as Framed['broken'] }
  for (const chunk of chunks) {
    const framed = framer.push(chunk)
    out.messages.push(...framed.messages)
    out.pongs += framed.pongs
    out.broken ??= framed.broken
  }
  return out
}

describe('RFC 3261 §18.3: messages in a stream', () => {
  test('two in one piece, one in two pieces', () => {
    const two = message('one') + message('')
    assert.deepEqual(pushAll([two]).messages, [message('one'), message('')])
    assert.deepEqual(pushAll([two.slice(0, 20), two.slice(20)]).messages, [message('one'), message('')])
  })

  test('a body that looks like a message stays a body', () => {
    const body = message('inner')
    assert.deepEqual(pushAll([message(body)]).messages, [message(body)])
  })

  test('RFC 5626 §3.5.1: each double CRLF wants a CRLF, a single one is an answer to ours', () => {
    assert.equal(pushAll(['\r\n\r\n']).pongs, 1)
    assert.equal(pushAll(['\r\n', '\r', '\n']).pongs, 1)
    assert.equal(pushAll(['\r\n']).pongs, 0)
    assert.deepEqual(pushAll(['\r\n\r\n', message('x'), '\r\n\r\n']), {
      messages: [message('x')],
      pongs: 2,
      broken: undefined,
    })
  })

  test('messages before the broken one are handed out, and the bytes of the broken one', () => {
    const { messages, broken } = pushAll([message('good') + head('l: many') + message('later')])
    assert.deepEqual(messages, [message('good')])
    assert.equal(broken?.code, 'SIP_MALFORMED_MESSAGE')
    assert.equal(broken?.data, head('l: many'))
  })

  const bad: readonly (readonly [what: string, stream: string, code: string])[] = [
    ['no Content-Length', head('X: y'), 'SIP_MALFORMED_MESSAGE'],
    ['two Content-Lengths', head('l: 1\r\nContent-Length: 1'), 'SIP_MALFORMED_MESSAGE'],
    ['a negative Content-Length', head('l: -1'), 'SIP_MALFORMED_MESSAGE'],
    ['a Content-Length beyond the limit, before its body', head('l: 99999999999'), 'SIP_MESSAGE_TOO_LARGE'],
    ['headers without end', `INFO sip:b@c SIP/2.0\r\nX: ${'y'.repeat(LIMITS.sipHeaderBytes)}`, 'SIP_MESSAGE_TOO_LARGE'],
    ['no SIP at all', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'SIP_MALFORMED_MESSAGE'],
    ['a TLS hello', `\x16\x03\x01\x02\x00\x01${'\0'.repeat(40)}\n\n`, 'SIP_MALFORMED_MESSAGE'],
  ]
  for (const [what, stream, code] of bad) {
    test(`${what} breaks the stream for good`, () => {
      const framer = createStreamFramer()
      assert.equal(framer.push(stream).broken?.code, code)
      assert.deepEqual(framer.push(message('x')), { messages: [], pongs: 0 })
      assert.equal(framer.buffered, 0)
    })
  }
})

test('law: however a stream is cut, the same messages come out', () => {
  const piece = fc.oneof(
    fc.string({ maxLength: 20 }).map(message),
    fc.constantFrom('\r\n\r\n', '\r\n', '\n', message('\r\n\r\n')),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.array(fc.nat(400), { maxLength: 8 }), (pieces, cuts) => {
      const stream = pieces.join('')
      const places = [0, ...cuts.filter((cut) => cut < stream.length).sort((a, b) => a - b), stream.length]
      const chunks = places.slice(1).map((end, i) => stream.slice(places[i], end))
      const whole = pushAll([stream])
      assert.deepEqual(pushAll(chunks), whole)
      assert.deepEqual(pushAll([...stream]), whole)
    }),
  )
})

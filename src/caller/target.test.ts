import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { callTarget, type TargetOptions } from './target.ts'

describe('target of a test call', () => {
  const sip: [string, TargetOptions, object][] = [
    [
      'sip:*43@192.0.2.1',
      {},
      { transport: 'udp', server: { host: '192.0.2.1', port: 5060 }, uri: 'sip:*43@192.0.2.1' },
    ],
    ['SIP:bob@Example.test:5080;transport=TCP', {}, { transport: 'tcp', server: { host: 'example.test', port: 5080 } }],
    ['sip:bob@192.0.2.1:5070', { domain: 'example.test' }, { uri: 'sip:bob@example.test', domain: 'example.test' }],
    [
      'sip:[2001:db8::1]:5070',
      { to: '*43' },
      { server: { host: '2001:db8::1', port: 5070 }, uri: 'sip:*43@[2001:db8::1]' },
    ],
    ['sips:bob@example.test', {}, { transport: 'tls', server: { host: 'example.test', port: 5061 } }],
    ['sip:bob@example.test;transport=tls', {}, { transport: 'tls', server: { host: 'example.test', port: 5061 } }],
    ['sip:192.0.2.1', { to: 'sip:bob@other.test' }, { uri: 'sip:bob@other.test', domain: '192.0.2.1' }],
    ['sip:192.0.2.1', { to: 'bob smith' }, { uri: 'sip:bob%20smith@192.0.2.1' }],
  ]
  for (const [target, options, expected] of sip) {
    test(`${target} ${JSON.stringify(options)}`, () => {
      const found = callTarget(target, options)
      assert.equal(found.media, 'plain')
      assert.deepEqual(found, { ...found, ...expected })
    })
  }

  const webSockets: [string, object][] = [
    ['ws://192.0.2.1:8080/sip', { transport: 'ws', server: { host: '192.0.2.1', port: 8080 }, domain: '192.0.2.1' }],
    ['wss://example.test/sip', { transport: 'wss', server: { host: 'example.test', port: 443 } }],
    ['ws://[::1]/sip', { server: { host: '::1', port: 80 }, uri: 'sip:*43@[::1]', domain: '[::1]' }],
  ]
  for (const [target, expected] of webSockets) {
    test(target, () => {
      const found = callTarget(target, { to: '*43' })
      assert.equal(found.media, 'webrtc')
      assert.deepEqual(found, { ...found, webSocket: target, ...expected })
    })
  }

  const mistakes: [string, TargetOptions, RegExp][] = [
    ['http://example.test', {}, /must begin with sip:, sips:, ws: or wss:/],
    ['sip:bob@example.test;transport=ws', {}, /give its URL/],
    ['sip:bob@example.test;transport=pigeon', {}, /no transport "pigeon"/],
    ['sip:example.test', {}, /say whom to call/],
    ['sip:', {}, /"sip:" is not a SIP address/],
    ['ws://example.test', {}, /--to/],
    ['ws://', { to: '*43' }, /is not a WebSocket URL/],
  ]
  for (const [target, options, expected] of mistakes) {
    test(`${target} is refused with a sentence`, () => {
      assert.throws(() => callTarget(target, options), expected)
    })
  }
})

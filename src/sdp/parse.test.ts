import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '../base/index.ts'
import { type MediaSection, parseSdp } from './index.ts'

const SESSION = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0']
const sdp = (lines: readonly string[], session: readonly string[] = SESSION): string =>
  [...session, ...lines, ''].join('\r\n')

/** The first section of an SDP with these lines below `m=audio`. */
function audio(lines: readonly string[], media = 'm=audio 5000 RTP/AVP 0 96'): MediaSection {
  const [section] = parseSdp(sdp([media, ...lines])).media
  assert.ok(section)
  return section
}

const names = (section: MediaSection): string =>
  section.codecs.map(({ payloadType, name, clockRateHz }) => `${payloadType} ${name}/${clockRateHz}`).join(', ')

const refused: readonly (readonly [what: string, text: string, code: string])[] = [
  ['nothing', '', 'SDP_MALFORMED'],
  ['a text that is no SDP', 'hello', 'SDP_MALFORMED'],
  ['no o= line', 'v=0\r\ns=-\r\n', 'SDP_MALFORMED'],
  ['an o= line cut short', 'v=0\r\no=- 1\r\ns=-\r\n', 'SDP_MALFORMED'],
  ['a version that is no number', 'v=0\r\no=- 1 x IN IP4 192.0.2.1\r\n', 'SDP_MALFORMED'],
  ['a port over 65535', sdp(['m=audio 65536 RTP/AVP 0']), 'SDP_MALFORMED'],
  ['a port below 0', sdp(['m=audio -1 RTP/AVP 0']), 'SDP_MALFORMED'],
  ['a port of twenty digits', sdp(['m=audio 99999999999999999999 RTP/AVP 0']), 'SDP_MALFORMED'],
  ['an m= line cut short', sdp(['m=audio']), 'SDP_MALFORMED'],
  ['a megabyte', sdp([`a=${'x'.repeat(1_048_576)}`]), 'SDP_TOO_LARGE'],
  ['too many lines', sdp(Array<string>(LIMITS.sdpLines).fill('a=x')), 'SDP_TOO_LARGE'],
  ['too many sections', sdp(Array<string>(LIMITS.sdpMediaSections + 1).fill('m=audio 1 RTP/AVP 0')), 'SDP_TOO_LARGE'],
  ['too many formats', sdp([`m=audio 1 RTP/AVP${' 0'.repeat(LIMITS.sdpCodecsPerSection + 1)}`]), 'SDP_TOO_LARGE'],
]

for (const [what, text, code] of refused) {
  test(`${what} is ${code}`, () => assert.throws(() => parseSdp(text), { code }))
}

const codecs: readonly (readonly [why: string, lines: readonly string[], codecs: string])[] = [
  ['a static number needs no rtpmap', [], '0 PCMU/8000'],
  ['a dynamic one does', ['a=rtpmap:96 opus/48000/2'], '0 PCMU/8000, 96 opus/48000'],
  ['a name of digits is a name', ['a=rtpmap:96 123/8000'], '0 PCMU/8000, 96 123/8000'],
  ['a clock of 0 is none', ['a=rtpmap:96 opus/0'], '0 PCMU/8000'],
  ['a clock nobody has is none', ['a=rtpmap:96 opus/4294967296'], '0 PCMU/8000'],
  ['the first rtpmap of a number counts', ['a=rtpmap:96 a/8000', 'a=rtpmap:96 b/8000'], '0 PCMU/8000, 96 a/8000'],
  ['a rtpmap that is not listed is nothing', ['a=rtpmap:97 opus/48000'], '0 PCMU/8000'],
]

for (const [why, lines, expected] of codecs) test(why, () => assert.equal(names(audio(lines)), expected))

test('payload types that cannot be are passed over', () => {
  assert.equal(names(audio([], 'm=audio 5000 RTP/AVP 128 0 0 999 x 8')), '0 PCMU/8000, 8 PCMA/8000')
})

test('line ends of any kind, and empty lines, are taken', () => {
  for (const end of ['\n', '\r', '\r\n\r\n']) assert.equal(parseSdp(SESSION.join(end)).origin.address, '192.0.2.1')
})

test('a session id of twenty digits keeps each of them', () => {
  const text = 'v=0\r\no=- 18446744073709551615 3 IN IP4 192.0.2.1\r\n'
  assert.equal(parseSdp(text).origin.sessionId, '18446744073709551615')
})

test('what stands for the whole session holds for each section that says nothing else', () => {
  const session = [...SESSION, 'a=sendonly', 'a=ice-ufrag:u', 'a=ice-pwd:p', 'a=setup:actpass']
  const [first, second] = parseSdp(
    sdp(['m=audio 1 RTP/AVP 0', 'm=video 2 RTP/AVP 96', 'c=IN IP4 192.0.2.7', 'a=recvonly'], session),
  ).media
  assert.deepEqual(
    [first, second].map((section) => [section?.address, section?.direction, section?.ice?.ufrag, section?.setup]),
    [
      ['192.0.2.1', 'sendonly', 'u', 'actpass'],
      ['192.0.2.7', 'recvonly', 'u', 'actpass'],
    ],
  )
})

test('a=rtcp may name an address, which must be one', () => {
  assert.deepEqual(audio(['a=rtcp:5003 IN IP4 192.0.2.8']).rtcp, { port: 5_003, address: '192.0.2.8' })
  assert.deepEqual(audio(['a=rtcp:5003 IN IP4 evil.test']).rtcp, { port: 5_003 })
  assert.equal(audio(['a=rtcp:0']).rtcp, undefined)
})

test('a section that shares its port from the beginning (bundle-only) is not a refused one', () => {
  const section = ['m=video 0 UDP/TLS/RTP/SAVPF 96', 'a=mid:1', 'a=bundle-only']
  const port = (lines: readonly string[]) => parseSdp(sdp(lines)).media[0]?.port
  assert.equal(port(section), 0, 'in no group it shares nothing')
  const [bundled] = parseSdp(sdp(section, [...SESSION, 'a=group:BUNDLE 0 1'])).media
  assert.equal(bundled?.port, 9)
})

test('numbers where text belongs are text', () => {
  const section = audio([
    'a=mid:5',
    'a=setup:5',
    'a=fingerprint:1 2',
    'a=candidate:1 1 5 1 1 1 typ 1',
    'a=extmap:1 5',
    'a=crypto:1 5 inline:5',
    'a=ssrc:1 cname:5',
  ])
  assert.deepEqual([section.mid, section.setup, section.cname], ['5', undefined, '5'])
  assert.deepEqual([section.fingerprints, section.crypto], [[], []])
  assert.equal(typeof section.candidates[0]?.protocol, 'string')
  assert.equal(typeof section.extensions[0]?.uri, 'string')
})

test('kinds and protocols of any name are read, whatever they are', () => {
  const section = audio([], 'm=x-foo 5000 SOME-THING/2.0 a b')
  assert.deepEqual([section.kind, section.protocol, section.formats], ['x-foo', 'SOME-THING/2.0', ['a', 'b']])
})

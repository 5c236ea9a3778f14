import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  answerLocally,
  createOffer,
  type LocalFacts,
  negotiated,
  parseSdp,
  type SessionDescription,
  type TranslationPolicy,
  translateOffer,
} from '../index.ts'

const POLICY: TranslationPolicy = { audioCodecs: ['opus/48000'], video: true, srtp: 'accept' }
const IDENTITY = { sessionId: '7', version: 3 }
const PLAIN: LocalFacts = {
  kind: 'webrtc',
  ice: { ufrag: 'ours', pwd: 'our-password-of-enough-length', lite: true },
  candidates: [{ foundation: '1', protocol: 'udp', priority: 2_130_706_431, address: '192.0.2.1', port: 3480 }],
  fingerprint: { algorithm: 'sha-256', value: 'AA:BB' },
  media: [
    { kind: 'audio', ssrc: 11, cname: 'ours' },
    { kind: 'video', ssrc: 12, cname: 'ours' },
  ],
}
const ANSWERING: LocalFacts = { ...PLAIN, feedback: ['nack', 'transport-cc'] }
const TRANSPORT_CC = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'

const SECTION = [
  'c=IN IP4 198.51.100.9',
  'a=ice-ufrag:them',
  'a=ice-pwd:their-password-of-enough-length',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'CD').join(':')}`,
  'a=setup:actpass',
  'a=rtcp-mux',
  'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
  `a=extmap:5 ${TRANSPORT_CC}`,
  'a=extmap:6 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
]
const BROWSER = sdp([
  'a=group:BUNDLE 0 1',
  'm=audio 54400 UDP/TLS/RTP/SAVPF 111 110',
  ...SECTION,
  'a=mid:0',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  'a=rtpmap:110 telephone-event/48000',
  'm=video 54400 UDP/TLS/RTP/SAVPF 96',
  ...SECTION,
  'a=mid:1',
  'a=rtpmap:96 VP8/90000',
  ...['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'].map((name) => `a=rtcp-fb:96 ${name}`),
])

function sdp(lines: readonly string[]): SessionDescription {
  return parseSdp(['v=0', 'o=- 1 1 IN IP4 198.51.100.9', 's=-', 't=0 0', ...lines, ''].join('\r\n'))
}

function feedbackOf(description: SessionDescription): readonly (readonly string[] | undefined)[] {
  return description.media.flatMap(({ codecs }) => codecs.map(({ rtcpFeedback }) => rtcpFeedback?.toSorted()))
}

function uris(description: SessionDescription): readonly (readonly string[])[] {
  return description.media.map(({ extensions }) => extensions.map(({ id, uri }) => `${id} ${uri}`))
}

describe('RTCP feedback toward a browser', () => {
  const answer = (local: LocalFacts) =>
    answerLocally({ offer: BROWSER, local, policy: POLICY, identity: IDENTITY, willing: 'sendrecv' }).description

  test('an engine that only passes requests for pictures on promises nothing else', () => {
    assert.deepEqual(feedbackOf(answer(PLAIN)), [undefined, undefined, ['ccm fir', 'nack pli']])
    assert.deepEqual(uris(answer(PLAIN)), [
      ['4 urn:ietf:params:rtp-hdrext:sdes:mid'],
      ['4 urn:ietf:params:rtp-hdrext:sdes:mid'],
    ])
  })

  test('what the engine answers is agreed, with the browser’s numbers', () => {
    const ours = answer(ANSWERING)
    assert.deepEqual(feedbackOf(ours), [['transport-cc'], undefined, ['ccm fir', 'nack', 'nack pli', 'transport-cc']])
    const extensions = ['4 urn:ietf:params:rtp-hdrext:sdes:mid', `5 ${TRANSPORT_CC}`]
    assert.deepEqual(uris(ours), [extensions, extensions])
    const side = negotiated({ ours, theirs: BROWSER, local: ANSWERING })
    assert.deepEqual(
      side.media.map(({ nack, transportCcExtensionId }) => [nack, transportCcExtensionId]),
      [
        [undefined, 5],
        [true, 5],
      ],
    )
  })

  test('an offer of ours names it too, and a phone is never told', () => {
    const ours = translateOffer({ offer: BROWSER, to: 'webrtc', local: ANSWERING, policy: POLICY, identity: IDENTITY })
    assert.deepEqual(feedbackOf(ours.description)[2], ['ccm fir', 'nack', 'nack pli', 'transport-cc'])
    assert.deepEqual(uris(ours.description)[0], ['1 urn:ietf:params:rtp-hdrext:sdes:mid', `2 ${TRANSPORT_CC}`])
    const phone: LocalFacts = {
      kind: 'rtp',
      media: [
        { kind: 'audio', ssrc: 1, cname: 'c', address: '192.0.2.1', port: 20_000, rtcpPort: 20_001, crypto: [] },
        { kind: 'video', ssrc: 2, cname: 'c', address: '192.0.2.1', port: 20_002, rtcpPort: 20_003, crypto: [] },
      ],
    }
    const toPhone = translateOffer({ offer: BROWSER, to: 'rtp', local: phone, policy: POLICY, identity: IDENTITY })
    assert.ok(feedbackOf(toPhone.description).every((each) => each === undefined))
    assert.deepEqual(uris(toPhone.description).flat(), [])
  })

  test('an extension keeps its number in a later offer of ours', () => {
    const ours = answer(ANSWERING)
    const later = createOffer({
      to: 'webrtc',
      local: ANSWERING,
      policy: POLICY,
      identity: IDENTITY,
      before: { ours, theirs: BROWSER },
    })
    assert.deepEqual(uris(later), uris(ours))
  })
})

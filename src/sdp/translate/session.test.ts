import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  answerLocally,
  createOffer,
  type LocalFacts,
  type MediaSection,
  negotiated,
  parseSdp,
  type SessionDescription,
  type TranslationPolicy,
  translateAnswer,
  translateOffer,
} from '../index.ts'

const POLICY: TranslationPolicy = {
  audioCodecs: ['opus/48000', 'G722/8000', 'PCMU/8000', 'PCMA/8000'],
  video: true,
  srtp: 'accept',
}
const COMMON = { policy: POLICY, identity: { sessionId: '7', version: 3 } }
const KINDS = ['audio', 'video']
const WEB: LocalFacts = {
  kind: 'webrtc',
  ice: { ufrag: 'ours', pwd: 'our-password-of-enough-length', lite: true },
  candidates: [{ foundation: '1', protocol: 'udp', priority: 1, address: '192.0.2.1', port: 3480 }],
  fingerprint: { algorithm: 'sha-256', value: Array(32).fill('AB').join(':') },
  media: KINDS.map((kind, n) => ({ kind, ssrc: 10 + n, cname: 'ours' })),
}
const RTP: LocalFacts = {
  kind: 'rtp',
  media: KINDS.map((kind, n) => {
    const port = 20_000 + 2 * n
    return { kind, ssrc: 20 + n, cname: 'ours', address: '192.0.2.1', port, rtcpPort: port + 1, crypto: [] }
  }),
}

const sdp = (lines: readonly string[]): SessionDescription =>
  parseSdp(
    ['v=0', 'o=them 1 1 IN IP4 198.51.100.9', 's=-', 'c=IN IP4 198.51.100.9', 't=0 0', ...lines, ''].join('\r\n'),
  )

const ICE = [
  'a=ice-ufrag:them',
  'a=ice-pwd:their-password-of-enough-length',
  `a=fingerprint:sha-256 ${Array(32).fill('CD').join(':')}`,
]
const browserAudio = (mid: string, setup = 'actpass'): readonly string[] => [
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0',
  'a=rtpmap:111 opus/48000/2',
  `a=mid:${mid}`,
  `a=setup:${setup}`,
  'a=rtcp-mux',
  'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
  ...ICE,
]
const browserVideo = (mid: string, port = 9): readonly string[] => [
  `m=video ${port} UDP/TLS/RTP/SAVPF 96`,
  'a=rtpmap:96 VP8/90000',
  `a=mid:${mid}`,
  'a=setup:actpass',
  'a=rtcp-mux',
  ...ICE,
]
const phone = (...lines: readonly string[]): SessionDescription => sdp(['m=audio 6000 RTP/AVP 0 8', ...lines])

const toPhone = (offer: SessionDescription) => translateOffer({ offer, to: 'rtp', local: RTP, ...COMMON }).description
const toBrowser = (offer: SessionDescription) =>
  translateOffer({ offer, to: 'webrtc', local: WEB, ...COMMON }).description
const answered = (offer: SessionDescription) =>
  answerLocally({ offer, local: WEB, willing: 'sendrecv', ...COMMON }).description
const shape = ({ media }: SessionDescription) => media.map(({ kind, port, mid }) => [kind, port !== 0, mid])

describe('BUNDLE (RFC 9143)', () => {
  test('payload types are unique over all sections of one port', () => {
    const offer = sdp([
      'm=audio 6000 RTP/AVP 96 0',
      'a=rtpmap:96 opus/48000/2',
      'm=video 6002 RTP/AVP 96 97',
      'a=rtpmap:96 VP8/90000',
      'a=rtpmap:97 H264/90000',
    ])
    const numbers = toBrowser(offer).media.flatMap(({ codecs }) => codecs.map(({ payloadType }) => payloadType))
    assert.equal(new Set(numbers).size, numbers.length)
    assert.equal(numbers.length, 4)
  })

  test('an answer has no group that was not offered', () => {
    assert.deepEqual(answered(sdp(browserAudio('0'))).bundle, [])
    assert.deepEqual(answered(sdp(['a=group:BUNDLE 0', ...browserAudio('0')])).bundle, [['0']])
  })

  test('media on a port of its own is refused: we have one port for a browser', () => {
    const offer = sdp(['a=group:BUNDLE 0', ...browserAudio('0'), ...browserVideo('1')])
    assert.deepEqual(shape(answered(offer)), [
      ['audio', true, '0'],
      ['video', false, '1'],
    ])
  })

  test('a section that has only the shared port (bundle-only) is answered like any other', () => {
    const offer = sdp(['a=group:BUNDLE 0 1', ...browserAudio('0'), ...browserVideo('1', 0), 'a=bundle-only'])
    assert.deepEqual(shape(answered(offer)), [
      ['audio', true, '0'],
      ['video', true, '1'],
    ])
  })

  test('rtcp-mux is answered only where it was offered (RFC 5761 §5.1.1)', () => {
    const offer = sdp(browserAudio('0').filter((line) => line !== 'a=rtcp-mux'))
    assert.equal(answered(offer).media[0]?.rtcpMux, false)
  })
})

describe('what cannot be relayed', () => {
  const cases: readonly (readonly [what: string, offer: SessionDescription, code: string])[] = [
    ['an address that is a name', phone('c=IN IP4 phone.example.test'), 'SDP_UNSUPPORTED'],
    ['an address that is a group of receivers', phone('c=IN IP4 224.2.1.1/127'), 'SDP_UNSUPPORTED'],
    ['RTP over TCP', sdp(['m=audio 6000 TCP/RTP/AVP 0']), 'SDP_UNSUPPORTED'],
    ['a data channel alone', sdp(['m=application 9 UDP/DTLS/SCTP webrtc-datachannel']), 'SDP_UNSUPPORTED'],
    ['fax alone', sdp(['m=image 6000 udptl t38']), 'SDP_UNSUPPORTED'],
    ['only codecs we do not carry', sdp(['m=audio 6000 RTP/AVP 18 101']), 'SDP_NO_COMMON_CODEC'],
    ['no media at all', sdp([]), 'SDP_UNSUPPORTED'],
  ]
  for (const [what, offer, code] of cases) {
    test(`${what} is ${code}`, () => {
      assert.throws(() => toBrowser(offer), { code })
      assert.throws(() => answerLocally({ offer, local: RTP, willing: 'sendrecv', ...COMMON }), { code })
    })
  }

  test('beside audio it is refused in its place', () => {
    const offer = sdp(['m=image 6004 udptl t38', 'm=audio 6000 RTP/AVP 0', 'm=audio 6002 RTP/AVP 8'])
    const answer = answerLocally({ offer, local: RTP, willing: 'sendrecv', ...COMMON })
    assert.deepEqual(shape(answer.description), [
      ['image', false, undefined],
      ['audio', true, undefined],
      ['audio', false, undefined],
    ])
    assert.deepEqual(
      answer.dropped.map(({ what }) => what),
      ['medium image', 'medium audio'],
    )
  })

  test('of two audio sections the first with a codec of ours is taken', () => {
    const offer = sdp(['m=audio 6000 RTP/AVP 18', 'm=audio 6002 RTP/AVP 8'])
    const offered = toBrowser(offer)
    assert.deepEqual(shape(offered), [['audio', true, '0']])
    const answer = {
      ...offered,
      media: offered.media.map((section): MediaSection => ({ ...section, setup: 'active' })),
    }
    const { description } = translateAnswer({ offer, offered, answer, local: RTP, ...COMMON })
    assert.deepEqual(shape(description), [
      ['audio', false, undefined],
      ['audio', true, undefined],
    ])
  })
})

describe('answers of odd peers', () => {
  const offer = sdp(['a=group:BUNDLE 0 1', ...browserAudio('0'), ...browserVideo('1')])
  const answerOf = (answer: SessionDescription) =>
    translateAnswer({ offer, offered: toPhone(offer), answer, local: WEB, ...COMMON }).description

  test('sections that are missing at the end count as refused', () => {
    assert.deepEqual(shape(answerOf(phone())), [
      ['audio', true, '0'],
      ['video', false, '1'],
    ])
  })

  test('sections of another kind do not belong to the offer', () => {
    const answer = sdp(['m=video 6000 RTP/AVP 96', 'a=rtpmap:96 VP8/90000'])
    assert.throws(() => answerOf(answer), { code: 'SDP_ANSWER_MISMATCH' })
    assert.throws(() => negotiated({ ours: toPhone(offer), theirs: answer, local: RTP }), {
      code: 'SDP_ANSWER_MISMATCH',
    })
  })

  test('Opus with one channel is Opus (RFC 7587 §7), and is written with two', () => {
    const answer = sdp(['m=audio 6000 RTP/AVP 111', 'a=rtpmap:111 opus/48000'])
    assert.deepEqual(answerOf(answer).media[0]?.codecs, [
      { payloadType: 111, name: 'opus', clockRateHz: 48_000, channels: 2 },
    ])
  })

  test('numbers of their own: we send theirs and receive ours (RFC 3264 §5.1)', () => {
    const answer = sdp(['m=audio 6000 RTP/AVP 96', 'a=rtpmap:96 opus/48000/2'])
    const [medium] = negotiated({ ours: toPhone(offer), theirs: answer, local: RTP }).media
    assert.equal(medium?.sendCodecs[0]?.payloadType, 96)
    assert.equal(medium?.receiveCodecs[0]?.payloadType, 111)
  })

  test('RTCP beside the last port there is stays in range', () => {
    const theirs = sdp(['m=audio 65535 RTP/AVP 0'])
    const side = negotiated({ ours: toPhone(offer), theirs, local: RTP })
    assert.equal(side.kind === 'rtp' && side.media[0]?.rtcpPort, 65_535)
  })

  test('an answer that sends our media to a name or a group is not used', () => {
    for (const address of ['phone.example.test', '239.1.1.1', '255.255.255.255']) {
      const theirs = sdp([`m=audio 6000 RTP/AVP 0`, `c=IN IP4 ${address}`])
      assert.throws(() => negotiated({ ours: toPhone(offer), theirs, local: RTP }), { code: 'SDP_UNSUPPORTED' })
    }
  })
})

describe('a session that is up (RFC 3264 §8, RFC 8829 §5.2.2)', () => {
  const offer = sdp(['a=group:BUNDLE a v', ...browserAudio('a'), ...browserVideo('v')])
  const before = { ours: answered(offer), theirs: offer }

  test('an offer to a browser keeps the number of the mid extension, the mids and the payload types', () => {
    const { description } = translateOffer({ offer: phone(), to: 'webrtc', local: WEB, before, ...COMMON })
    assert.deepEqual(shape(description), [
      ['audio', true, 'a'],
      ['video', false, 'v'],
    ])
    assert.deepEqual(
      description.media[0]?.extensions.map(({ id }) => id),
      [4],
    )
  })

  test('a new codec does not get a number that another section has', () => {
    const more = sdp([
      'm=audio 6000 RTP/AVP 0 96',
      'a=rtpmap:96 G722/8000',
      'm=video 6002 RTP/AVP 97',
      'a=rtpmap:97 VP8/90000',
    ])
    const { media } = translateOffer({ offer: more, to: 'webrtc', local: WEB, before, ...COMMON }).description
    assert.deepEqual(
      media.map(({ codecs }) => codecs.map(({ name, payloadType }) => `${name}/${payloadType}`)),
      [['PCMU/0', 'G722/9'], ['VP8/96']],
    )
  })

  test('an offer of our own says the session again, every section in its place', () => {
    const again = createOffer({ to: 'webrtc', local: WEB, before, ...COMMON })
    assert.deepEqual(shape(again), shape(before.ours))
    assert.deepEqual(
      again.media.map(({ codecs }) => codecs),
      before.ours.media.map(({ codecs }) => codecs),
    )
    assert.deepEqual(
      again.media.map(({ setup }) => setup),
      ['actpass', 'actpass'],
    )
  })

  test('the DTLS role stays, also for a browser that leaves it open', () => {
    const server = sdp(browserAudio('0', 'passive'))
    const ours = answered(server)
    assert.equal(ours.media[0]?.setup, 'active')
    const again = answerLocally({
      offer: sdp(browserAudio('0')),
      local: WEB,
      willing: 'sendrecv',
      before: { ours, theirs: server },
      ...COMMON,
    })
    assert.equal(again.description.media[0]?.setup, 'active')
  })

  test('an offer of our own to a phone has nothing of a browser', () => {
    const own = createOffer({ to: 'rtp', local: RTP, ...COMMON })
    assert.deepEqual([own.bundle, own.media[0]?.mid, own.media[0]?.ice], [[], undefined, undefined])
  })
})

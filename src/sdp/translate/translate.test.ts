import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  answerLocally,
  createOffer,
  type LocalFacts,
  negotiated,
  parseSdp,
  type SessionDescription,
  type TranslationPolicy,
  translateAnswer,
  translateOffer,
  writeSdp,
} from '../index.ts'

const POLICY: TranslationPolicy = {
  audioCodecs: ['opus/48000', 'G722/8000', 'PCMU/8000', 'PCMA/8000'],
  video: false,
  srtp: 'accept',
}
const IDENTITY = { sessionId: '7', version: 3 }
const WEB: LocalFacts = {
  kind: 'webrtc',
  ice: { ufrag: 'ours', pwd: 'our-password-of-enough-length', lite: true },
  candidates: [{ foundation: '1', protocol: 'udp', priority: 2_130_706_431, address: '192.0.2.1', port: 3480 }],
  fingerprint: { algorithm: 'sha-256', value: 'AA:BB' },
  media: [
    { kind: 'audio', ssrc: 11, cname: 'ours' },
    { kind: 'video', ssrc: 12, cname: 'ours' },
  ],
}
const SUITE = 'AES_CM_128_HMAC_SHA1_80'
const KEY = { tag: 1, suite: SUITE, key: 'b3VycyBvdXJzIG91cnMgb3VycyBvdXJzIG91cnM=' }
const RTP: LocalFacts = {
  kind: 'rtp',
  media: [
    { kind: 'audio', ssrc: 21, cname: 'ours', address: '192.0.2.1', port: 20_000, rtcpPort: 20_001, crypto: [KEY] },
    { kind: 'video', ssrc: 22, cname: 'ours', address: '192.0.2.1', port: 20_002, rtcpPort: 20_003, crypto: [] },
  ],
}

/** Codecs by their short names, as `rtpmap` lines. */
const MAPS: Readonly<Record<string, string>> = {
  opus: '111 opus/48000/2',
  g722: '9 G722/8000',
  pcmu: '0 PCMU/8000',
  pcma: '8 PCMA/8000',
  cn: '13 CN/8000',
  te8: '126 telephone-event/8000',
  te48: '110 telephone-event/48000',
  red: '63 red/48000/2',
  vp8: '96 VP8/90000',
  h264: '102 H264/90000',
}

const numberOf = (name: string): string => (MAPS[name] ?? '').split(' ')[0] ?? ''

function browser(
  codecs: readonly string[],
  more: { direction?: string; setup?: string; video?: readonly string[] } = {},
): SessionDescription {
  const section = (kind: string, mid: number, names: readonly string[]): string[] => [
    `m=${kind} 54400 UDP/TLS/RTP/SAVPF ${names.map(numberOf).join(' ')}`,
    'c=IN IP4 198.51.100.9',
    `a=mid:${mid}`,
    'a=ice-ufrag:them',
    'a=ice-pwd:their-password-of-enough-length',
    'a=fingerprint:sha-256 CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD:CD',
    `a=setup:${more.setup ?? 'actpass'}`,
    'a=rtcp-mux',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    `a=${more.direction ?? 'sendrecv'}`,
    ...names.map((name) => `a=rtpmap:${MAPS[name]}`),
  ]
  const video = more.video === undefined ? [] : section('video', 1, more.video)
  return sdp([`a=group:BUNDLE 0${more.video === undefined ? '' : ' 1'}`, ...section('audio', 0, codecs), ...video])
}

function phone(
  codecs: readonly string[],
  more: { direction?: string; protocol?: string; lines?: readonly string[]; address?: string } = {},
): SessionDescription {
  return sdp([
    `m=audio 6000 ${more.protocol ?? 'RTP/AVP'} ${codecs.map(numberOf).join(' ')}`,
    `c=IN IP4 ${more.address ?? '198.51.100.7'}`,
    ...codecs.map((name) => `a=rtpmap:${MAPS[name]}`),
    `a=${more.direction ?? 'sendrecv'}`,
    ...(more.lines ?? []),
  ])
}

function sdp(lines: readonly string[]): SessionDescription {
  return parseSdp(['v=0', 'o=them 1 1 IN IP4 198.51.100.9', 's=-', 't=0 0', ...lines, ''].join('\r\n'))
}

const toPhone = (offer: SessionDescription, policy = POLICY) =>
  translateOffer({ offer, to: 'rtp', local: RTP, policy, identity: IDENTITY })
const toBrowser = (offer: SessionDescription) =>
  translateOffer({ offer, to: 'webrtc', local: WEB, policy: POLICY, identity: IDENTITY })

/** `opus/111 PCMU/0 …` of a section. */
function codecsOf(description: SessionDescription, at = 0): string {
  return (description.media[at]?.codecs ?? [])
    .map(({ name, clockRateHz, payloadType }) => {
      return `${name}${name === 'telephone-event' ? `@${clockRateHz}` : ''}/${payloadType}`
    })
    .join(' ')
}

describe('an offer goes on', () => {
  const cases: readonly (readonly [why: string, made: () => SessionDescription, codecs: string])[] = [
    [
      'browser to phone: one clock of telephone-event',
      () => toPhone(browser(['opus', 'red', 'pcmu', 'te48', 'te8'])).description,
      'opus/111 PCMU/0 telephone-event@8000/126',
    ],
    [
      'browser to phone: 8,000 Hz even if only 48,000 was offered',
      () => toPhone(browser(['opus', 'te48'])).description,
      'opus/111 telephone-event@8000/101',
    ],
    [
      'phone to browser: an event clock for each codec clock',
      () => toBrowser(phone(['pcmu', 'opus', 'te8'])).description,
      'PCMU/0 opus/111 telephone-event@8000/126 telephone-event@48000/110',
    ],
    [
      'phone to browser: G.711 steers',
      () => toBrowser(phone(['pcma', 'te8'])).description,
      'PCMA/8 telephone-event@8000/126',
    ],
    ['without events there are none', () => toBrowser(phone(['pcma'])).description, 'PCMA/8'],
  ]
  for (const [why, made, codecs] of cases) test(why, () => assert.equal(codecsOf(made()), codecs))

  test('what was left out is named', () => {
    assert.deepEqual(
      toPhone(browser(['opus', 'red', 'te48'], { video: ['vp8'] })).dropped.map(({ what }) => what),
      ['medium video', 'codec red/48000', 'codec telephone-event/48000'],
    )
  })

  test('nothing that we carry: refused with 488 in mind', () => {
    assert.throws(() => toPhone(browser(['red'])), { code: 'SDP_NO_COMMON_CODEC' })
  })

  test('video goes through where it is allowed', () => {
    const policy = { ...POLICY, video: true }
    const { description } = toPhone(browser(['pcmu'], { video: ['vp8', 'h264'] }), policy)
    assert.equal(codecsOf(description, 1), 'VP8/96 H264/102')
  })

  test('hold of the old kind (0.0.0.0) reaches a browser as sendonly', () => {
    assert.equal(toBrowser(phone(['pcmu'], { address: '0.0.0.0' })).description.media[0]?.direction, 'sendonly')
  })

  test('SRTP with keys is offered to a trunk that wants it', () => {
    const text = writeSdp(toPhone(browser(['pcmu']), { ...POLICY, srtp: 'offer' }).description)
    assert.match(text, /m=audio 20000 RTP\/SAVP 0\r\n/)
    assert.match(text, new RegExp(`a=crypto:1 ${SUITE} inline:`))
  })
})

describe('an offer is renewed (RFC 3264 §8)', () => {
  test('numbers stay with their codec, sections with their place', () => {
    const before = { ours: toPhone(browser(['opus', 'pcmu', 'te8'])).description, theirs: phone(['pcmu', 'te8']) }
    const renumbered = parseSdp(
      writeSdp(browser(['opus', 'pcmu', 'te8']))
        .replaceAll('111', '109')
        .replaceAll('126', '101'),
    )
    const { description } = translateOffer({
      offer: renumbered,
      to: 'rtp',
      local: RTP,
      policy: POLICY,
      identity: IDENTITY,
      before,
    })
    assert.equal(codecsOf(description), 'opus/111 PCMU/0 telephone-event@8000/126')
  })

  test('a medium that is gone keeps its line with port 0', () => {
    const policy = { ...POLICY, video: true }
    const before = { ours: toPhone(browser(['pcmu'], { video: ['vp8'] }), policy).description, theirs: phone(['pcmu']) }
    const { description } = translateOffer({
      offer: browser(['pcmu']),
      to: 'rtp',
      local: RTP,
      policy,
      identity: IDENTITY,
      before,
    })
    assert.deepEqual(
      description.media.map(({ kind, port }) => [kind, port === 0]),
      [
        ['audio', false],
        ['video', true],
      ],
    )
  })
})

describe('an answer comes back', () => {
  const answered = (offer: SessionDescription, answer: SessionDescription): SessionDescription =>
    translateAnswer({
      offer,
      offered: toPhone(offer).description,
      answer,
      local: WEB,
      policy: POLICY,
      identity: IDENTITY,
    }).description

  const cases: readonly (readonly [
    why: string,
    offered: readonly string[],
    taken: readonly string[],
    codecs: string,
  ])[] = [
    [
      'G.711 steers the browser',
      ['opus', 'pcmu', 'pcma', 'te48', 'te8'],
      ['pcma', 'te8'],
      'PCMA/8 telephone-event@8000/126',
    ],
    [
      'Opus end to end has events at 48,000 Hz',
      ['opus', 'pcmu', 'te48', 'te8'],
      ['opus', 'te8'],
      'opus/111 telephone-event@48000/110',
    ],
    ['events the phone did not take are not promised', ['pcmu', 'te8'], ['pcmu'], 'PCMU/0'],
    ['comfort noise only if both have it', ['pcmu', 'cn'], ['pcmu', 'cn'], 'PCMU/0 CN/13'],
    ["the order is the answerer's", ['pcmu', 'pcma'], ['pcma', 'pcmu'], 'PCMA/8 PCMU/0'],
  ]
  for (const [why, offered, taken, codecs] of cases) {
    test(why, () => assert.equal(codecsOf(answered(browser(offered), phone(taken))), codecs))
  }

  test('an answer with another number of sections does not belong to the offer', () => {
    const answer = phone(['pcmu'], { lines: ['m=audio 6002 RTP/AVP 0'] })
    assert.throws(() => answered(browser(['pcmu']), answer), { code: 'SDP_ANSWER_MISMATCH' })
  })

  test('an answer that took nothing we know is refused', () => {
    assert.throws(() => answered(browser(['pcmu']), phone(['opus'])), { code: 'SDP_NO_COMMON_CODEC' })
  })

  test('a browser that will be DTLS server gets us as client', () => {
    assert.equal(answered(browser(['pcmu'], { setup: 'passive' }), phone(['pcmu'])).media[0]?.setup, 'active')
  })

  test('video nobody takes is refused in its place', () => {
    const { media, bundle } = answered(browser(['pcmu'], { video: ['vp8'] }), phone(['pcmu']))
    assert.deepEqual(
      media.map(({ kind, port, mid }) => [kind, port === 0, mid]),
      [
        ['audio', false, '0'],
        ['video', true, '1'],
      ],
    )
    assert.deepEqual(bundle, [['0']])
  })
})

describe('SDES (RFC 4568)', () => {
  const offer = phone(['pcmu'], {
    protocol: 'RTP/SAVP',
    lines: [`a=crypto:5 ${SUITE} inline:dGhlaXJzIHRoZWlycyB0aGVpcnMgdGhlaXJzIHRo|2^31`],
  })
  const answer = (policy: TranslationPolicy) =>
    answerLocally({ offer, local: RTP, policy, identity: IDENTITY, willing: 'sendrecv' }).description

  test('an offered key is answered with ours under its tag, and both reach the engine', () => {
    const ours = answer(POLICY)
    assert.deepEqual(ours.media[0]?.crypto, [{ ...KEY, tag: 5 }])
    const side = negotiated({ ours, theirs: offer, local: RTP })
    const srtp = side.kind === 'rtp' ? side.media[0]?.srtp : undefined
    assert.equal(srtp?.local.key.reveal(), KEY.key)
    assert.match(srtp?.remote.key.reveal() ?? '', /^dGhlaXJz/)
  })

  test('where SRTP is forbidden, a secure offer is refused and never answered in the clear', () => {
    assert.throws(() => answer({ ...POLICY, srtp: 'never' }), { code: 'SDP_UNSUPPORTED' })
  })
})

describe('what the engine is told', () => {
  test('numbers of both sides, who may send, and the DTLS role', () => {
    const offer = browser(['opus', 'pcmu', 'te48', 'te8'], { direction: 'sendonly' })
    const ours = answerLocally({
      offer,
      local: WEB,
      policy: POLICY,
      identity: IDENTITY,
      willing: 'sendrecv',
    }).description
    const side = negotiated({ ours, theirs: offer, local: WEB })
    assert.equal(side.kind === 'webrtc' && side.dtls.role, 'active')
    const [audio] = side.media
    assert.deepEqual([audio?.send, audio?.receive, audio?.midExtensionId], [false, true, 4])
    assert.deepEqual(side.media[1]?.active, false)
  })

  test('RTCP goes to the next port, to a=rtcp, or with rtcp-mux to the same', () => {
    const ports = ([] as string[][]).concat([[]], [['a=rtcp:7001']], [['a=rtcp-mux']]).map((lines) => {
      const offer = phone(['pcmu'], { lines })
      const ours = answerLocally({
        offer,
        local: RTP,
        policy: POLICY,
        identity: IDENTITY,
        willing: 'sendrecv',
      }).description
      const side = negotiated({ ours, theirs: offer, local: RTP })
      return side.kind === 'rtp' ? side.media[0]?.rtcpPort : undefined
    })
    assert.deepEqual(ports, [6001, 7001, 6000])
  })

  test('a browser without fingerprint cannot be talked to', () => {
    const offer = browser(['pcmu'])
    const bare = { ...offer, media: offer.media.map((section) => ({ ...section, fingerprints: [] })) }
    assert.throws(() => negotiated({ ours: offer, theirs: bare, local: WEB }), { code: 'SDP_ANSWER_MISMATCH' })
  })
})

test('an offer of our own has every codec, and one event clock toward a phone', () => {
  const own = createOffer({ to: 'rtp', local: RTP, policy: POLICY, identity: IDENTITY })
  assert.equal(codecsOf(own), 'opus/111 G722/9 PCMU/0 PCMA/8 CN/13 telephone-event@8000/101')
})

const names = fc.uniqueArray(fc.constantFrom('opus', 'g722', 'pcmu', 'pcma', 'cn', 'te8', 'te48', 'red'), {
  minLength: 1,
})
const directions = fc.constantFrom('sendrecv', 'sendonly', 'recvonly', 'inactive')

test('law: whatever a browser offers and a phone takes, the answer fits the offer and never widens it', () => {
  fc.assert(
    fc.property(names, names, directions, directions, (offeredNames, takenNames, offeredDirection, takenDirection) => {
      const offer = browser(offeredNames, { direction: offeredDirection })
      const answer = phone(takenNames, { direction: takenDirection })
      const run = () => {
        const offered = toPhone(offer).description
        return translateAnswer({ offer, offered, answer, local: WEB, policy: POLICY, identity: IDENTITY }).description
      }
      const made = refusedOr(run)
      if (made === undefined) return
      const [section, asked] = [made.media[0], offer.media[0]]
      assert.equal(made.media.length, offer.media.length)
      const numbers = asked?.codecs.map(({ payloadType }) => payloadType) ?? []
      assert.ok(section?.codecs.every(({ payloadType }) => numbers.includes(payloadType)))
      assert.ok(section?.codecs.some(({ name }) => !/telephone-event|CN/.test(name)))
      const sendsTo = /send/.test(section?.direction ?? '')
      assert.ok(!sendsTo || /recv/.test(offeredDirection), 'never sends to one who does not listen')
      assert.deepEqual(
        parseSdp(writeSdp(made)).media.map(({ port }) => port),
        made.media.map(({ port }) => port),
      )
    }),
  )
})

function refusedOr<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'SDP_NO_COMMON_CODEC')
    return undefined
  }
}

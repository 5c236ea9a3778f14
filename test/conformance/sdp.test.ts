import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  answerLocally,
  type LocalFacts,
  type MediaSection,
  parseSdp,
  profileOf,
  type SdpCodec,
  type SessionDescription,
  type TranslationPolicy,
  translateAnswer,
  translateOffer,
  writeSdp,
} from '../../src/sdp/index.ts'
import { corpus, corpusFile } from '../support/corpora.ts'

interface Parsed {
  readonly media: readonly {
    readonly type: string
    readonly port: string
    readonly proto: string
    readonly formats: readonly string[]
    readonly direction: string
    readonly rtpmap?: Readonly<Record<string, string>>
    readonly setup?: string
    readonly mid?: string
    readonly ice_ufrag?: string
    readonly ice_pwd?: string
    readonly rtcp_mux: boolean
    readonly bundle_only?: boolean
    readonly connection?: string
    readonly candidates: number
    readonly fmtp?: Readonly<Record<string, string>>
  }[]
}

interface RealFile {
  readonly files: readonly { readonly file: string; readonly expect: string; readonly parsed: Parsed }[]
}

interface Rfc4317 {
  readonly sections: readonly {
    readonly section: string
    readonly exchanges: readonly {
      readonly offer: string
      readonly answer: string
      readonly result: {
        readonly m_lines_answer: number
        readonly media: readonly {
          readonly index: number
          readonly type: string
          readonly accepted: boolean
          readonly codecs_after: readonly string[]
        }[]
      }
    }[]
  }[]
}

const POLICY: TranslationPolicy = {
  audioCodecs: ['opus/48000', 'G722/8000', 'PCMU/8000', 'PCMA/8000'],
  video: true,
  srtp: 'accept',
}
const IDENTITY = { sessionId: '1', version: 1 }
const KINDS = ['audio', 'video']
const WEB: LocalFacts = {
  kind: 'webrtc',
  ice: { ufrag: 'ours', pwd: 'our-password-of-enough-length', lite: true },
  candidates: [{ foundation: '1', protocol: 'udp', priority: 1, address: '192.0.2.200', port: 3480 }],
  fingerprint: { algorithm: 'sha-256', value: 'AA:BB' },
  media: KINDS.map((kind, n) => ({ kind, ssrc: 100 + n, cname: 'ours' })),
}
const RTP: LocalFacts = {
  kind: 'rtp',
  media: KINDS.map((kind, n) => ({
    kind,
    ssrc: 200 + n,
    cname: 'ours',
    address: '192.0.2.201',
    port: 20_000 + 2 * n,
    rtcpPort: 20_001 + 2 * n,
    crypto: [],
  })),
}

/** Where we read a file otherwise than the other parser, and why. */
const exceptions = JSON.parse(readFileSync(new URL('sdp.exceptions.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, { readonly fields: readonly string[]; readonly reason: string }>
>

/** They say no address (`invalid.ip`, `X.X.X.X`, of network FOO, no `c=` at all): refused, each with a clear error. */
const NOWHERE = new Set([
  'real/livekit-media-sdk-offer_test-l517.sdp',
  'real/livekit-media-sdk-offer_test-l552.sdp',
  'real/livekit-media-sdk-offer_test-l569.sdp',
  'real/livekit-media-sdk-TestParseOffer-l499.sdp',
  'real/heplify-parser_test-l17.sdp',
])

const folder = corpus('sdp-offer-answer')
const read = (file: string): string => readFileSync(join(folder ?? '', file), 'latin1')
const real = corpusFile<RealFile>('sdp-offer-answer', 'real.json')?.files ?? []

describe('real SDPs of browsers, phones and servers', { skip: folder === undefined }, () => {
  for (const { file, expect, parsed } of real) {
    if (expect !== 'parse') {
      test(`${file}: ${expect}: never more than a clear refusal`, () => {
        try {
          writeSdp(parseSdp(read(file)))
        } catch (error) {
          assert.match(String((error as { code?: string }).code), /^SDP_/)
        }
      })
      continue
    }
    test(`${file}: is read as an independent parser reads it, and written as it was read`, () => {
      const description = parseSdp(read(file))
      const { fields = [] } = exceptions[file] ?? {}
      assert.deepEqual(
        description.media.map((section) => without(fields, inShort(section))),
        parsed.media.map((media) => without(fields, expected(media))),
      )
      const again = parseSdp(writeSdp(description))
      assert.equal(writeSdp(again), writeSdp(description))
    })
  }
})

describe('offers of real browsers', { skip: folder === undefined }, () => {
  for (const { file, offer } of offers('webrtc')) {
    test(`${file}: the carrier sees our addresses and nothing of ICE, DTLS or the browser`, () => {
      const text = writeSdp(
        translateOffer({ offer, to: 'rtp', local: RTP, policy: POLICY, identity: IDENTITY }).description,
      )
      assert.doesNotMatch(text, /ice-|candidate|fingerprint|setup|BUNDLE|extmap|msid|ssrc/)
      for (const [, address] of text.matchAll(/IN IP[46] (\S+)/g))
        assert.equal(address, address === '0.0.0.0' ? address : '192.0.2.201')
      assert.ok(
        [...text.matchAll(/telephone-event\/(\d+)/g)].every(([, rate]) => rate === '8000'),
        'one clock of telephone-event',
      )
    })

    test(`${file}: our answer keeps the order, the mids and the numbers of the offer`, () => {
      const { description } = answerLocally({
        offer,
        local: WEB,
        policy: POLICY,
        identity: IDENTITY,
        willing: 'sendrecv',
      })
      assert.deepEqual(
        description.media.map(({ kind, mid }) => [kind, mid]),
        offer.media.map(({ kind, mid }) => [kind, mid]),
      )
      for (const [at, section] of description.media.entries()) assertAnswers(offer.media[at], section)
      const grouped = new Set(offer.bundle.flat())
      const live = description.media.filter(({ port }) => port !== 0).flatMap(({ mid }) => mid ?? [])
      assert.deepEqual(
        description.bundle.flat(),
        live.filter((mid) => grouped.has(mid)),
        'only what was grouped is grouped',
      )
    })
  }
})

describe('offers of real SIP devices', { skip: folder === undefined }, () => {
  for (const { file, offer } of offers('rtp')) {
    test(`${file}: the browser gets BUNDLE, ICE and DTLS of ours; its answer comes back with the device's numbers`, () => {
      const offered = translateOffer({
        offer,
        to: 'webrtc',
        local: WEB,
        policy: POLICY,
        identity: IDENTITY,
      }).description
      const browser = parseSdp(writeSdp(answerAsBrowser(offered)))
      const { description } = translateAnswer({
        offer,
        offered,
        answer: browser,
        local: RTP,
        policy: POLICY,
        identity: IDENTITY,
      })
      assert.equal(description.media.length, offer.media.length)
      for (const [at, section] of description.media.entries()) {
        const numbers = new Map(
          offer.media[at]?.codecs.map(({ payloadType, name }) => [payloadType, name.toLowerCase()]),
        )
        for (const codec of section.codecs) assert.equal(codec.name.toLowerCase(), numbers.get(codec.payloadType))
      }
      assert.doesNotMatch(writeSdp(description), /ice-|candidate|fingerprint|setup|BUNDLE/)
    })
  }
})

describe('offers without an address', { skip: folder === undefined }, () => {
  for (const file of NOWHERE) {
    test(`${file}: refused, for nothing could be heard`, () => {
      const offer = parseSdp(read(file))
      assert.throws(() => translateOffer({ offer, to: 'webrtc', local: WEB, policy: POLICY, identity: IDENTITY }), {
        code: 'SDP_UNSUPPORTED',
      })
    })
  }
})

describe('RFC 4317', { skip: folder === undefined }, () => {
  const sections = corpusFile<Rfc4317>('sdp-offer-answer', 'rfc4317.json')?.sections ?? []
  for (const { section, exchanges } of sections) {
    for (const [n, { offer, answer, result }] of exchanges.entries()) {
      test(`${section}, exchange ${n + 1}: offer and answer have the sections and codecs that the RFC names`, () => {
        const [offered, answered] = [parseSdp(read(offer)), parseSdp(read(answer))]
        assert.equal(answered.media.length, result.m_lines_answer)
        assert.equal(offered.media.length, answered.media.length)
        for (const medium of result.media) {
          const found = answered.media[medium.index]
          assert.equal(found?.kind, medium.type)
          assert.equal(found?.port !== 0 && offered.media[medium.index]?.port !== 0, medium.accepted)
          if (!medium.accepted) continue
          const names = found?.codecs.map(({ name }) => name.toLowerCase()) ?? []
          for (const codec of medium.codecs_after)
            assert.ok(names.includes(codec.toLowerCase()), `${codec} of ${names}`)
        }
      })
    }
  }
})

function offers(profile: 'webrtc' | 'rtp'): readonly { readonly file: string; readonly offer: SessionDescription }[] {
  if (folder === undefined) return []
  return real
    .filter(({ expect }) => expect === 'parse')
    .map(({ file }) => ({ file, offer: parseSdp(read(file)) }))
    .filter(
      ({ file, offer }) => profileOf(offer) === profile && hasOurAudio(offer) && isOffer(offer) && !NOWHERE.has(file),
    )
}

function hasOurAudio(offer: SessionDescription): boolean {
  const first = offer.media.find(({ kind, port }) => kind === 'audio' && port !== 0)
  const plain = first?.fingerprints.length !== 0 || (first.crypto.length === 0 && !/SAVP/i.test(first.protocol))
  const codecs = first?.codecs.map(({ name, clockRateHz }) => `${name}/${clockRateHz}`.toLowerCase()) ?? []
  return plain && POLICY.audioCodecs.some((label) => codecs.includes(label.toLowerCase()))
}

function isOffer(description: SessionDescription): boolean {
  return description.media.every(({ setup }) => setup === undefined || setup === 'actpass')
}

/** A browser that takes everything it is offered. */
function answerAsBrowser(offered: SessionDescription): SessionDescription {
  const media = offered.media.map((section): MediaSection => ({ ...section, setup: 'active' }))
  return { ...offered, media }
}

function assertAnswers(offered: MediaSection | undefined, answer: MediaSection): void {
  if (answer.port === 0) return
  const numbers = new Map(offered?.codecs.map(({ payloadType, name }) => [payloadType, name.toLowerCase()]))
  for (const { payloadType, name } of answer.codecs) assert.equal(numbers.get(payloadType), name.toLowerCase())
  assert.equal(answer.setup, 'passive')
  assert.equal(answer.rtcpMux, offered?.rtcpMux, 'rtcp-mux only where it was offered')
}

function inShort(section: MediaSection) {
  const { kind, protocol, formats, direction, setup, mid, ice, rtcpMux, candidates } = section
  return {
    kind,
    port: section.port,
    protocol,
    formats: [...formats],
    address: section.address,
    direction,
    setup,
    mid,
    ufrag: ice?.ufrag,
    pwd: ice?.pwd,
    rtcpMux,
    candidates: candidates.length,
    maps: Object.fromEntries(section.codecs.map((codec) => [codec.payloadType, label(codec)])),
    fmtp: Object.fromEntries(section.codecs.flatMap(({ payloadType, fmtp }) => (fmtp ? [[payloadType, fmtp]] : []))),
  }
}

function without(fields: readonly string[], from: object): object {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !fields.includes(name)))
}

function label({ name, clockRateHz, channels }: SdpCodec): string {
  return `${name}/${clockRateHz}${channels === undefined ? '' : `/${channels}`}`
}

function expected(media: Parsed['media'][number]): ReturnType<typeof inShort> {
  const isRtp = /RTP/i.test(media.proto)
  const port = Number(media.port.split('/')[0])
  const written = Object.entries(media.rtpmap ?? {}).map(([format, map]) => [format, map.replace(/\/1$/, '')])
  const known = isRtp ? [...media.formats.flatMap(staticMap), ...written] : []
  const maps = Object.fromEntries(known.filter(([format = '']) => media.formats.includes(format)))
  return {
    kind: media.type,
    port: media.bundle_only && port === 0 ? 9 : port,
    protocol: media.proto,
    formats: [...media.formats],
    address: media.connection?.split(' ')[2]?.split('/')[0] ?? '',
    direction: media.direction as MediaSection['direction'],
    setup: media.setup as MediaSection['setup'],
    mid: media.mid,
    ufrag: media.ice_ufrag,
    pwd: media.ice_pwd,
    rtcpMux: media.rtcp_mux,
    candidates: media.candidates,
    maps,
    fmtp: Object.fromEntries(Object.entries(media.fmtp ?? {}).filter(([format]) => format in maps)),
  }
}

/** RFC 3551 §6, of the formats that occur without an `rtpmap`. */
function staticMap(format: string): readonly string[][] {
  const map = { 0: 'PCMU/8000', 3: 'GSM/8000', 4: 'G723/8000', 8: 'PCMA/8000', 9: 'G722/8000', 13: 'CN/8000' }[format]
  const other = { 15: 'G728/8000', 18: 'G729/8000', 31: 'H261/90000', 34: 'H263/90000' }[format]
  const found = map ?? other
  return found === undefined ? [] : [[format, found]]
}

import { GatewayError } from '../../base/index.ts'
import { isPrimary } from '../codec.ts'
import type { Direction, MediaSection, SdpCodec, SdpCrypto, SessionDescription } from '../model.ts'
import { answerDirection, askedDirection } from '../offer-answer/direction.ts'
import { assemble, profileOf } from '../profile/profile.ts'
import { liveSection, MID_EXTENSION, refusedSection, type SectionPlan } from '../profile/section.ts'
import { answerCodecs, permitted } from './codecs.ts'
import type { AnswerTranslation, Dropped, LocalAnswer, LocalFacts, Translation, TranslationPolicy } from './model.ts'

/**
 * The answer for the leg that offered, made out of the other leg's answer: what both sides take, nothing else.
 *
 * @throws GatewayError `SDP_ANSWER_MISMATCH`: the answer does not belong to what we offered (RFC 3264 §6).
 * @throws GatewayError `SDP_NO_COMMON_CODEC`: the answer refused everything, or nothing that it took was offered.
 */
export function translateAnswer(t: AnswerTranslation): Translation {
  if (t.answer.media.length !== t.offered.media.length) {
    throw new GatewayError(
      'SDP_ANSWER_MISMATCH',
      `the answer has ${t.answer.media.length} media sections, the offer had ${t.offered.media.length}`,
    )
  }
  return answerEach(t, (section) => {
    const at = t.offered.media.findIndex((each) => each.kind === section.kind && each.port !== 0)
    const answered = t.answer.media[at]
    if (answered === undefined || answered.port === 0) return undefined
    return {
      accepted: answered.codecs,
      willing: askedDirection(answered),
      ptimeMs: answered.ptimeMs ?? section.ptimeMs,
    }
  })
}

/**
 * An answer of our own: every codec of the offer that the policy permits.
 *
 * @throws GatewayError `SDP_NO_COMMON_CODEC`.
 */
export function answerLocally(t: LocalAnswer): Translation {
  return answerEach(t, (section) => {
    if (section.kind === 'video' && !t.policy.video) return undefined
    const accepted = section.codecs.filter((codec) => permitted(codec, section.kind, t.policy))
    return { accepted: byPolicy(accepted, t.policy), willing: t.willing, ptimeMs: section.ptimeMs }
  })
}

interface Taken {
  readonly accepted: readonly SdpCodec[]
  readonly willing: Direction
  readonly ptimeMs: number | undefined
}

interface AnswerParts {
  readonly offer: SessionDescription
  readonly local: LocalFacts
  readonly policy: TranslationPolicy
  readonly identity: LocalAnswer['identity']
}

function answerEach(t: AnswerParts, taken: (section: MediaSection) => Taken | undefined): Translation {
  const dropped: Dropped[] = []
  const kinds = new Set<string>()
  const media = t.offer.media.map((section) => {
    const repeated = kinds.has(section.kind)
    const answer = section.port === 0 || repeated ? undefined : taken(section)
    const made = answer && answeredSection(t, section, answer, dropped)
    if (made) kinds.add(section.kind)
    else if (section.port !== 0)
      dropped.push({ what: `medium ${section.kind}`, why: repeated ? 'only one is relayed' : 'not taken' })
    return made ?? refusedSection(section)
  })
  if (!media.some((section) => section.port !== 0)) {
    throw new GatewayError('SDP_NO_COMMON_CODEC', 'no medium of the offer can be taken')
  }
  return { description: assemble(media, t.local, t.identity), dropped }
}

function answeredSection(
  t: AnswerParts,
  section: MediaSection,
  taken: Taken,
  dropped: Dropped[],
): MediaSection | undefined {
  const chosen = answerCodecs(section, taken.accepted, profileOf(t.offer))
  if (!chosen.codecs.some(isPrimary)) return undefined
  const security = answerSecurity(section, t.local, t.policy)
  if (security === undefined) {
    dropped.push({ what: `medium ${section.kind}`, why: 'no common SRTP suite, or SRTP is not allowed' })
    return undefined
  }
  dropped.push(...chosen.dropped)
  return liveSection(
    {
      kind: section.kind,
      protocol: section.protocol,
      codecs: chosen.codecs,
      direction: answerDirection(askedDirection(section), taken.willing),
      rtcpMux: section.rtcpMux,
      ...(section.mid === undefined ? {} : { mid: section.mid }),
      ...(taken.ptimeMs === undefined ? {} : { ptimeMs: taken.ptimeMs }),
      ...security,
    },
    t.local,
  )
}

/** How media is protected in an answer; undefined: it cannot be as the offer wants it. */
function answerSecurity(
  section: MediaSection,
  local: LocalFacts,
  policy: TranslationPolicy,
): Pick<SectionPlan, 'setup' | 'extensions' | 'crypto'> | undefined {
  if (local.kind === 'webrtc') {
    // We answer as DTLS server: the browser begins as soon as its checks work (RFC 8842 §5.3).
    const setup = section.setup === 'passive' ? 'active' : 'passive'
    return { setup, extensions: section.extensions.filter(({ uri }) => uri === MID_EXTENSION) }
  }
  const secure = /SAVP/i.test(section.protocol)
  if (section.crypto.length === 0 || policy.srtp === 'never') return secure ? undefined : {}
  const crypto = chosenCrypto(section, local)
  if (crypto === undefined) return secure ? undefined : {}
  return { crypto: [crypto] }
}

/** The first offered suite that we have, under the offerer's tag and our key (RFC 4568 §5.1.2). */
function chosenCrypto(section: MediaSection, local: LocalFacts): SdpCrypto | undefined {
  if (local.kind !== 'rtp') return undefined
  const ours = local.media.find((each) => each.kind === section.kind)?.crypto ?? []
  for (const { tag, suite } of section.crypto) {
    const own = ours.find((each) => each.suite === suite)
    if (own) return { tag, suite, key: own.key }
  }
  return undefined
}

/** In the order of the policy; what it does not name (video, events) keeps its place behind. */
function byPolicy(codecs: readonly SdpCodec[], policy: TranslationPolicy): readonly SdpCodec[] {
  const rank = (codec: SdpCodec): number => {
    const at = policy.audioCodecs.findIndex(
      (label) => label.toLowerCase() === `${codec.name}/${codec.clockRateHz}`.toLowerCase(),
    )
    return at < 0 ? policy.audioCodecs.length : at
  }
  return codecs.toSorted((a, b) => rank(a) - rank(b))
}

import { isPrimary } from '../codec.ts'
import { isKeyOf } from '../keys.ts'
import type { Direction, MediaSection, SdpCodec, SdpCrypto, SessionDescription } from '../model.ts'
import { checkAnswer, roleOfPeer } from '../offer-answer/answer.ts'
import { answerDirection, askedDirection } from '../offer-answer/direction.ts'
import { answeredExtensions, feedbackToward } from '../profile/feedback.ts'
import { assemble } from '../profile/profile.ts'
import { liveSection, refusedSection, type SectionPlan } from '../profile/section.ts'
import { answerCodecs, permitted } from './codecs.ts'
import type { AnswerTranslation, Before, LocalAnswer, LocalFacts, Translation, TranslationPolicy } from './model.ts'
import { LeftOut, type Unusable, unusable } from './usable.ts'

/**
 * The answer for the leg that offered, made out of the other leg's answer: what both sides take, nothing else.
 *
 * @throws GatewayError `SDP_ANSWER_MISMATCH`: the answer does not belong to what we offered (RFC 3264 §6).
 * @throws GatewayError `SDP_NO_COMMON_CODEC`, `SDP_UNSUPPORTED`: nothing is left that both sides take.
 */
export function translateAnswer(t: AnswerTranslation): Translation {
  checkAnswer(t.offered, t.answer)
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
 * @throws GatewayError `SDP_NO_COMMON_CODEC`, `SDP_UNSUPPORTED`.
 */
export function answerLocally(t: LocalAnswer): Translation {
  return answerEach(t, (section) => {
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
  readonly before?: Before
}

const NO_COMMON: Unusable = { why: 'the two sides have no codec in common', code: 'SDP_NO_COMMON_CODEC' }
const NOT_TAKEN: Unusable = { why: 'the other side does not take it', code: 'SDP_NO_COMMON_CODEC' }
const NO_KEYS: Unusable = { why: 'there is no common way to encrypt it, or none is allowed', code: 'SDP_UNSUPPORTED' }
const NO_STREAM: Unusable = { why: 'the session has no stream of this kind', code: 'SDP_UNSUPPORTED' }

function answerEach(t: AnswerParts, takenOf: (section: MediaSection) => Taken | undefined): Translation {
  const left = new LeftOut()
  const live: MediaSection[] = []
  const media = t.offer.media.map((section) => {
    const reason = unusable(section, t.offer, t.policy, live)
    const taken = reason === undefined ? takenOf(section) : undefined
    const made = taken === undefined ? (reason ?? NOT_TAKEN) : answered(t, section, taken, left)
    if ('port' in made) {
      live.push(section)
      return made
    }
    left.medium(section, made)
    return refusedSection(section)
  })
  left.requireLive(media)
  return { description: assemble(media, t.local, t.identity, t.offer), dropped: left.dropped }
}

function answered(t: AnswerParts, section: MediaSection, taken: Taken, left: LeftOut): MediaSection | Unusable {
  const feedback = feedbackToward(section.kind, t.local)
  const chosen = answerCodecs(section, taken.accepted, { to: t.local.kind, feedback })
  if (!chosen.codecs.some(isPrimary)) return NO_COMMON
  const security = answerSecurity(section, t)
  if (security === undefined) return NO_KEYS
  const made = liveSection(
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
  if (made === undefined) return NO_STREAM
  left.dropped.push(...chosen.dropped)
  return made
}

/** How media is protected in an answer; undefined: it cannot be as the offer wants it. */
function answerSecurity(
  section: MediaSection,
  { local, policy, before }: AnswerParts,
): Pick<SectionPlan, 'setup' | 'extensions' | 'crypto'> | undefined {
  if (local.kind === 'webrtc') {
    if (section.ice === undefined || section.fingerprints.length === 0) return undefined
    return { setup: answerSetup(section, before), extensions: answeredExtensions(local, section.extensions) }
  }
  const secure = /SAVP/i.test(section.protocol)
  if (section.crypto.length === 0 || policy.srtp === 'never') return secure ? undefined : {}
  const crypto = chosenCrypto(section, local)
  if (crypto === undefined) return secure ? undefined : {}
  return { crypto: [crypto] }
}

/**
 * We answer as DTLS server: the browser begins as soon as its checks work (RFC 8842 §5.3). A role once taken stays
 * (§5.5): a new one would mean a new association.
 */
function answerSetup({ setup }: MediaSection, before: Before | undefined): 'active' | 'passive' {
  if (setup === 'passive') return 'active'
  if (setup === 'active') return 'passive'
  return before !== undefined && roleOfPeer(before) === 'passive' ? 'active' : 'passive'
}

/** The first offered suite that we have, under the offerer's tag and our key (RFC 4568 §5.1.2). */
function chosenCrypto(section: MediaSection, local: LocalFacts): SdpCrypto | undefined {
  if (local.kind !== 'rtp') return undefined
  const ours = local.media.find((each) => each.kind === section.kind)?.crypto ?? []
  for (const { tag, suite, key } of section.crypto) {
    const own = ours.find((each) => each.suite === suite)
    if (own && isKeyOf(suite, key)) return { tag, suite, key: own.key }
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

import type { Millis } from '../base/index.ts'
import type { Leg } from './leg-state.ts'
import type { LegId, Party } from './model.ts'
import type { CallState } from './state.ts'

/** What an outsider may see of a call. */
export interface CallSnapshot {
  readonly id: string
  readonly tenant: string
  readonly state: string
  readonly from: string
  readonly to: string
  readonly startedAt: Millis
  readonly answeredAt?: Millis
  readonly endedAt?: Millis
  readonly outcome?: { readonly status: number; readonly endedBy: string; readonly reason: string }
  readonly legs: readonly LegSnapshot[]
}

export interface LegSnapshot {
  readonly id: LegId
  /** `user:alice`, `trunk:carrier`, `builtin:echo`. */
  readonly party: string
  readonly profile: 'webrtc' | 'rtp' | 'builtin'
  readonly transport?: string
  readonly state: string
  /** This peer has put the other one on hold. */
  readonly holds: boolean
  readonly sipCallId?: string
  /** Agreed audio codec. */
  readonly codec?: string
}

/** The call as the API shows it; times in the machine's own clock. */
export function callView(call: CallState): CallSnapshot {
  const { asked, ending } = call
  return {
    id: call.id,
    tenant: asked?.tenant ?? '',
    state: call.phase,
    from: asked?.from ?? '',
    to: asked?.to ?? '',
    startedAt: asked?.at ?? 0,
    ...(call.answeredAt !== undefined && { answeredAt: call.answeredAt }),
    ...(ending !== undefined && {
      endedAt: ending.at,
      outcome: { status: ending.status, endedBy: ending.endedBy, reason: ending.reason },
    }),
    legs: [...Object.values(call.legs).map(legView), ...builtinLeg(call)],
  }
}

/** `user:alice`, `trunk:carrier`, `builtin:echo`. */
export function partyName(party: Party): string {
  if (party.kind === 'user') return `user:${party.user}`
  return party.kind === 'trunk' ? `trunk:${party.trunk}` : `builtin:${party.name}`
}

function legView(leg: Leg): LegSnapshot {
  const codec = agreedCodec(leg)
  return {
    id: leg.id,
    party: partyName(leg.party),
    profile: leg.profile,
    transport: leg.transport,
    state: leg.status,
    holds: leg.holds,
    ...(leg.sipCallId !== '' && { sipCallId: leg.sipCallId }),
    ...(codec !== undefined && { codec }),
  }
}

/** The first audio codec of the agreed SDPs that is speech: what the peer hears. */
export function agreedCodec(leg: Leg): string | undefined {
  const { ours, theirs } = leg.sdp
  const own = ours?.media.find((section) => section.kind === 'audio')
  const peer = theirs?.media.find((section) => section.kind === 'audio')
  const codec = peer?.codecs.find(
    ({ name, clockRateHz }) =>
      !/^(telephone-event|CN)$/i.test(name) &&
      own?.codecs.some((ours) => ours.name.toLowerCase() === name.toLowerCase() && ours.clockRateHz === clockRateHz),
  )
  return codec && `${codec.name}/${codec.clockRateHz}`
}

function builtinLeg(call: CallState): LegSnapshot[] {
  if (call.builtin === undefined) return []
  const state = call.ending ? 'gone' : call.answeredAt === undefined ? 'inviting' : 'confirmed'
  return [{ id: 'b1', party: `builtin:${call.builtin}`, profile: 'builtin', state, holds: false }]
}

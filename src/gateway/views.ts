import type { CallView, LegMediaView, LegView } from '../api/index.ts'
import type { Millis } from '../base/index.ts'
import { type CallRecord, type CallSnapshot, callView, type LegSnapshot } from '../call/index.ts'
import type { SideStats } from '../media/index.ts'
import type { LiveCall } from './call-table.ts'

/** Turns a time of the machines' clock into Unix ms. */
export type WallClock = (now: Millis) => Millis

/** A call as the API shows it. */
export function viewOf(call: LiveCall, wall: WallClock): CallView {
  const snapshot: CallSnapshot = callView(call.state)
  const { answeredAt, endedAt } = snapshot
  return {
    ...snapshot,
    tenant: call.tenant,
    startedAt: wall(call.startedAt),
    ...(answeredAt === undefined ? {} : { answeredAt: wall(answeredAt) }),
    ...(endedAt === undefined ? {} : { endedAt: wall(endedAt) }),
    legs: snapshot.legs.map((leg) => legView(leg, call.media.get(leg.id))),
  }
}

/** A record with its times in Unix ms. */
export function recordOnWall(record: CallRecord, wall: WallClock): CallRecord {
  return {
    ...record,
    startedAt: wall(record.startedAt),
    endedAt: wall(record.endedAt),
    ...(record.answeredAt === undefined ? {} : { answeredAt: wall(record.answeredAt) }),
  }
}

function legView(leg: LegSnapshot, stats: SideStats | undefined): LegView {
  return stats === undefined ? leg : { ...leg, media: mediaView(stats) }
}

/** The audio stream's numbers; a call without audio shows its first stream. */
function mediaView({ ice, dtls, srtpSuite, remote, media }: SideStats): LegMediaView {
  const stream = media.find(({ kind }) => kind === 'audio') ?? media[0]
  return {
    ...(ice === undefined ? {} : { ice }),
    ...(dtls === undefined ? {} : { dtls }),
    ...(srtpSuite === undefined ? {} : { srtpSuite }),
    ...(remote === undefined ? {} : { remote }),
    packetsReceived: stream?.packetsReceived ?? 0,
    packetsSent: stream?.packetsSent ?? 0,
    packetsLost: stream?.packetsLost ?? 0,
    packetsDiscarded: stream?.packetsDiscarded ?? 0,
    jitterMs: stream?.jitterMs ?? 0,
    ...(stream?.roundTripMs === undefined ? {} : { roundTripMs: stream.roundTripMs }),
  }
}

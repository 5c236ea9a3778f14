import type { Quality } from '../phone/model.ts'

/** The few fields of WebRTC statistics that are read here. */
export interface StatsLike {
  readonly id: string
  readonly type: string
  readonly [field: string]: unknown
}

/** Reads the quality of the received audio out of `RTCPeerConnection.getStats()`. `undefined` before any media. */
export function readQuality(stats: Iterable<StatsLike>, before: Quality | undefined): Quality | undefined {
  const byId = new Map<string, StatsLike>()
  for (const entry of stats) byId.set(entry.id, entry)
  const inbound = find(byId, (entry) => entry.type === 'inbound-rtp' && entry.kind === 'audio')
  if (inbound === undefined) return undefined
  const packetsReceived = number(inbound.packetsReceived)
  const packetsLost = number(inbound.packetsLost)
  return {
    codec: codecName(byId, inbound),
    packetsReceived,
    packetsLost,
    lossFraction: lossFraction({ packetsReceived, packetsLost }, before),
    jitterMs: number(inbound.jitter) * 1_000,
    ...roundTrip(byId),
  }
}

function codecName(byId: ReadonlyMap<string, StatsLike>, inbound: StatsLike): string {
  const sending = find(byId, (entry) => entry.type === 'outbound-rtp' && entry.kind === 'audio')
  const codec = byId.get(String(inbound.codecId)) ?? byId.get(String(sending?.codecId))
  return typeof codec?.mimeType === 'string' ? codec.mimeType.replace(/^audio\//i, '') : ''
}

type Counts = Pick<Quality, 'packetsReceived' | 'packetsLost'>

/** Smoothed over a few samples, so that one burst is seen for some seconds and then forgotten. */
function lossFraction(now: Counts, before: Quality | undefined): number {
  const lost = Math.max(0, now.packetsLost - (before?.packetsLost ?? 0))
  const received = Math.max(0, now.packetsReceived - (before?.packetsReceived ?? 0))
  const share = lost + received === 0 ? 0 : lost / (lost + received)
  return before === undefined ? share : 0.7 * before.lossFraction + 0.3 * share
}

function roundTrip(byId: ReadonlyMap<string, StatsLike>): { readonly roundTripMs?: number } {
  const pair = find(byId, (entry) => entry.type === 'candidate-pair' && entry.nominated === true)
  const seconds = pair?.currentRoundTripTime
  return typeof seconds === 'number' ? { roundTripMs: seconds * 1_000 } : {}
}

function find(entries: ReadonlyMap<string, StatsLike>, test: (entry: StatsLike) => boolean): StatsLike | undefined {
  for (const entry of entries.values()) if (test(entry)) return entry
  return undefined
}

const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

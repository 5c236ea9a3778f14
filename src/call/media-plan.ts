import { GatewayError } from '../base/index.ts'
import type { LocalSide, MediumKind, SessionChange, SideSpec } from '../media/index.ts'
import type { LocalFacts, SessionDescription } from '../sdp/index.ts'
import type { SendTarget } from '../sip/index.ts'
import type { Leg } from './leg-state.ts'
import type { LegId } from './model.ts'
import type { MediaPurpose, MediaState } from './state.ts'
import type { Turn } from './turn.ts'

/** How long the engine may take to close a session before the call ends without its counters. */
const MEDIA_CLOSE_MS = 10_000

/** Asks the engine for a session with these sides. Nothing is told to anybody before it answers. */
export function openMedia(turn: Turn, sides: readonly SideSpec[]): void {
  const op = begin(turn, { kind: 'open' }, { status: 'opening' })
  turn.emit({ kind: 'media-open', op, spec: { id: turn.call.id, sides } })
}

/** Gives the engine one change. Changes take effect in the order they are given. */
export function changeMedia(turn: Turn, change: SessionChange, purpose: MediaPurpose = { kind: 'apply' }): void {
  const { status } = turn.call.media
  if (status !== 'open') return
  const op = begin(turn, purpose, {})
  turn.emit({ kind: 'media-change', op, session: turn.call.id, change })
}

/** What the engine was asked for with operation `op`; forgets it. `undefined`: nothing, or long settled. */
export function finishOperation(turn: Turn, op: number): MediaPurpose | undefined {
  const { [op]: purpose, ...operations } = turn.call.media.operations
  patch(turn, { operations })
  return purpose
}

/** Remembers our side of a leg as the engine told it. */
export function rememberSides(turn: Turn, sides: readonly LocalSide[]): void {
  const local = { ...turn.call.media.local }
  for (const side of sides) local[side.id] = factsOf(side)
  patch(turn, { local })
}

export function mediaOpened(turn: Turn, sides: readonly LocalSide[]): void {
  patch(turn, { status: 'open' })
  rememberSides(turn, sides)
}

/** Closes the session, at once or as soon as it is open. */
export function closeMedia(turn: Turn): void {
  if (turn.call.media.status !== 'open') return
  patch(turn, { status: 'closing' })
  turn.setDeadline('media-close', turn.now + MEDIA_CLOSE_MS)
  turn.emit({ kind: 'media-close', session: turn.call.id })
}

export function mediaGone(turn: Turn, summary: MediaState['summary']): void {
  patch(turn, { status: 'closed', summary })
  turn.setDeadline('media-close', undefined)
}

/** The side of `leg`: WebRTC sides bundle all media on one port, RTP sides have a port pair for each. */
export function sideSpec(leg: Leg, media: readonly MediumKind[], towards: string | undefined): SideSpec {
  if (leg.profile === 'webrtc') return { kind: 'webrtc', id: leg.id, media }
  const signalledFrom = leg.flow?.remote.host ?? addressOf(leg.target)
  return {
    kind: 'rtp',
    id: leg.id,
    media,
    ...(towards !== undefined && { towards }),
    ...(signalledFrom !== undefined && { signalledFrom }),
  }
}

/** The media of a session: what the offer asks for and we can relay, each kind once, in the order of the sections. */
export function mediaKinds(offer: SessionDescription, video: boolean): readonly MediumKind[] {
  const kinds: MediumKind[] = []
  for (const { kind, port } of offer.media) {
    const relayed = kind === 'audio' || (kind === 'video' && video)
    if (relayed && port !== 0 && !kinds.includes(kind as MediumKind)) kinds.push(kind as MediumKind)
  }
  return kinds
}

/** The IP address behind a target, if it is one: it decides which of our addresses the peer is told. */
export function addressOf(target: SendTarget): string | undefined {
  const { host } = target.kind === 'flow' ? target.flow.remote : target.to
  return isIpAddress(host) ? host : undefined
}

/** Where the peer of an RTP offer wants its media, if it says so with an IP address. */
export function mediaAddressOf(offer: SessionDescription | undefined): string | undefined {
  const address = offer?.media.find((section) => section.port !== 0)?.address
  return address !== undefined && isIpAddress(address) && !isUnspecified(address) ? address : undefined
}

/** Our facts of a leg in the form the SDP writer takes. */
export function localFacts(turn: Turn, leg: LegId): LocalFacts {
  const facts = turn.call.media.local[leg]
  if (facts === undefined) throw new GatewayError('INTERNAL', `The engine told nothing of side ${leg}`)
  return facts
}

/** SDES keys in the open: they are told to the peer, and a state has to be plain data. */
function factsOf(side: LocalSide): LocalFacts {
  if (side.kind === 'webrtc') return side
  return {
    kind: 'rtp',
    media: side.media.map((stream) => ({
      ...stream,
      crypto: stream.crypto.map(({ tag, suite, key }) => ({ tag, suite, key: key.reveal() })),
    })),
  }
}

export function isIpAddress(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host)
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

function begin(turn: Turn, purpose: MediaPurpose, more: Partial<MediaState>): number {
  const op = turn.count('op')
  patch(turn, { ...more, operations: { ...turn.call.media.operations, [op]: purpose } })
  return op
}

function patch(turn: Turn, change: Partial<MediaState>): void {
  turn.update({ media: { ...turn.call.media, ...change } })
}

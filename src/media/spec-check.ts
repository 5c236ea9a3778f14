import { GatewayError, LIMITS } from '../base/index.ts'
import type { RemoteMedium, RemoteSide, SessionChange, SessionSpec, SideId, SideSpec } from './model.ts'

/**
 * Refuses a session that cannot exist, before anything is bound.
 *
 * @throws GatewayError `MEDIA_SPEC_INVALID`.
 */
export function checkSpec(spec: SessionSpec): void {
  if (spec.id === '') invalid('a session needs an id')
  if (spec.sides.length === 0) invalid('a session needs a side')
  if (spec.sides.length > LIMITS.mediaSidesPerSession) invalid(`${spec.sides.length} sides are too many`)
  for (const side of spec.sides) checkSide(side)
  const ids = new Set(spec.sides.map((side) => side.id))
  if (ids.size !== spec.sides.length) invalid('two sides have the same id')
}

/**
 * Refuses a change that makes no sense for the sides there are. Changes may be repeated: adding a side that is there
 * and dropping one that is not are fine.
 *
 * @param sides Sides of the session now, by id.
 * @throws GatewayError `MEDIA_SPEC_INVALID`.
 */
export function checkChange(sides: ReadonlyMap<SideId, SideSpec>, change: SessionChange): void {
  if (change.kind === 'add-side') {
    checkSide(change.side)
    checkAgain(sides.get(change.side.id), change.side)
    if (!sides.has(change.side.id) && sides.size >= LIMITS.mediaSidesPerSession)
      invalid('a further side is one too many')
    return
  }
  const side = sides.get(change.side)
  if (side === undefined && change.kind === 'drop-side') return // Dropped before: nothing is left to do.
  if (side === undefined) invalid(`there is no side ${change.side}`)
  if (change.kind === 'remote') checkRemote(side, change.remote)
  if (change.kind === 'restart-ice' && side.kind !== 'webrtc') invalid(`side ${side.id} has no ICE`)
  if (change.kind === 'connect' && change.to.kind === 'side') checkPartner(sides, side.id, change.to.side)
  if (change.kind === 'connect' && change.to.kind === 'tone') checkTone(change.to.frequencyHz)
  if (change.kind === 'send-dtmf') checkDigits(change)
}

/**
 * Refuses digits for a peer that would not hear them.
 *
 * @throws GatewayError `MEDIA_SPEC_INVALID`.
 */
export function checkTakesEvents(side: SideId, media: readonly (RemoteMedium | undefined)[]): void {
  const codecs = media.flatMap((medium) => (medium?.active === true ? medium.sendCodecs : []))
  if (codecs.some(({ name }) => name.toLowerCase() === 'telephone-event')) return
  invalid(`the peer of side ${side} takes no telephone-event`)
}

function checkSide(side: SideSpec): void {
  if (side.id === '') invalid('a side needs an id')
  if (side.media.length === 0) invalid(`side ${side.id} has no media`)
}

/** Adding a side again is a retry only if it is the same side. */
function checkAgain(known: SideSpec | undefined, side: SideSpec): void {
  if (known === undefined) return
  if (known.kind !== side.kind || known.media.join() !== side.media.join()) {
    invalid(`there is another side ${side.id} already`)
  }
}

function checkRemote(side: SideSpec, remote: RemoteSide): void {
  if (remote.kind !== side.kind) invalid(`side ${side.id} is ${side.kind}, not ${remote.kind}`)
  const kinds = remote.media.map((medium) => medium.kind)
  if (kinds.length !== side.media.length || kinds.some((kind, index) => kind !== side.media[index])) {
    invalid(`side ${side.id} has ${side.media.join(', ')}, not ${kinds.join(', ')}`)
  }
}

function checkPartner(sides: ReadonlyMap<SideId, SideSpec>, side: SideId, partner: SideId): void {
  if (side === partner) invalid(`side ${side} cannot be connected to itself`)
  if (!sides.has(partner)) invalid(`there is no side ${partner}`)
}

function checkTone(frequencyHz: number): void {
  if (!(frequencyHz > 0 && frequencyHz < 4_000)) invalid(`a tone of ${frequencyHz} Hz is not audible in G.711`)
}

function checkDigits({ digits, durationMs = 100, gapMs = 60 }: SessionChange & { kind: 'send-dtmf' }): void {
  if (!/^[\d*#A-D]{1,64}$/.test(digits)) invalid('digits are 1 to 64 of 0-9, *, # and A-D')
  if (!(durationMs >= 40 && durationMs <= 1_000)) invalid(`a digit of ${durationMs} ms is not from 40 to 1000 ms long`)
  if (!(gapMs >= 30 && gapMs <= 1_000)) invalid(`a gap of ${gapMs} ms is not from 30 to 1000 ms long`)
}

function invalid(message: string): never {
  throw new GatewayError('MEDIA_SPEC_INVALID', message)
}

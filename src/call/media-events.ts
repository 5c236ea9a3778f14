import { asGatewayError, FAULTS, type FaultCode } from '../base/index.ts'
import type { MediaEvent } from '../media/index.ts'
import { answerBuiltin } from './answer.ts'
import { branchFailed, inviteBranch, inviteWaiting } from './forking.ts'
import { hangUp } from './hangup.ts'
import { nearLeg } from './leg-state.ts'
import { closeMedia, finishOperation, mediaGone, mediaOpened, rememberSides } from './media-plan.ts'
import type { CallEvent } from './model.ts'
import { onIceRestarted } from './reoffer.ts'
import { answerReplacement, refuseReplacement } from './replacement.ts'
import type { MediaPurpose } from './state.ts'
import { inviteTarget, targetFailed } from './transfer-target.ts'
import type { Turn } from './turn.ts'

type Event<Kind extends CallEvent['kind']> = CallEvent & { readonly kind: Kind }

/** The ports are there: now somebody may be called or answered. */
export function onMediaOpened(turn: Turn, { op, opened }: Event<'media-opened'>): void {
  if (finishOperation(turn, op)?.kind !== 'open') return
  mediaOpened(turn, opened.sides)
  if (turn.call.ending !== undefined) return closeMedia(turn)
  if (turn.call.builtin === undefined) {
    turn.move('opened')
    return inviteWaiting(turn)
  }
  try {
    answerBuiltin(turn)
  } catch (thrown) {
    const { code, message, sipStatus } = asGatewayError(thrown)
    turn.note('error', `The INVITE cannot be answered: ${message}`, { leg: 'a', facts: { code } })
    hangUp(turn, { status: sipStatus, endedBy: 'error', reason: message })
  }
}

export function onMediaChanged(turn: Turn, { op, result }: Event<'media-changed'>): void {
  const purpose = finishOperation(turn, op)
  if (purpose === undefined || turn.call.ending !== undefined) return
  rememberSides(turn, result.sides)
  if (purpose.kind === 'restart-ice') return onIceRestarted(turn, purpose.leg)
  if (purpose.kind === 'add-target') return inviteTarget(turn, purpose.leg)
  if (purpose.kind === 'add-replacement') return answerReplacement(turn, purpose.leg)
  if (purpose.kind === 'add-side' && turn.leg(purpose.leg).status === 'waiting') inviteBranch(turn, purpose.leg)
}

export function onMediaFailed(turn: Turn, { op, code, detail }: Event<'media-failed'>): void {
  const purpose = finishOperation(turn, op)
  if (purpose === undefined) return
  if (purpose.kind === 'open') mediaGone(turn, undefined)
  turn.note('error', `Media: ${detail}`, { facts: { code, operation: purpose.kind } })
  if (turn.call.ending === undefined) fail(turn, purpose, code, detail)
}

export function onMediaClosed(turn: Turn, { summary }: Event<'media-closed'>): void {
  mediaGone(turn, summary)
  if (turn.call.ending === undefined)
    hangUp(turn, { status: 503, endedBy: 'media', reason: 'The media session was closed' })
}

/** What the engine reports. Silence alone never ends a call: it may be a hold, a mute, or a peer without comfort noise. */
export function onMediaEvent(turn: Turn, event: MediaEvent): void {
  if (event.kind === 'engine-lost') {
    mediaGone(turn, undefined)
    return hangUp(turn, {
      status: FAULTS.MEDIA_ENGINE_LOST.sip,
      endedBy: 'media',
      reason: `Engine lost: ${event.detail}`,
    })
  }
  if (event.kind === 'closed') {
    mediaGone(turn, { id: event.session, sides: event.sides })
    return hangUp(turn, { status: 503, endedBy: 'media', reason: `The media engine closed the call: ${event.reason}` })
  }
  const { winner } = turn.call
  if (!('side' in event) || (event.side !== nearLeg(turn.call) && event.side !== winner)) return
  // RFC 7675 §5.1: a browser that is there gives consent, also on hold. One that crashed sends no BYE.
  if (event.kind === 'ice-disconnected') {
    return hangUp(turn, { status: 408, endedBy: 'media', reason: 'The browser gives no consent to media any more' })
  }
  if (event.kind !== 'failed') return
  hangUp(turn, { status: FAULTS[event.code].sip, endedBy: 'media', reason: event.detail })
}

function fail(turn: Turn, purpose: MediaPurpose, code: FaultCode, detail: string): void {
  const status = FAULTS[code].sip
  switch (purpose.kind) {
    case 'drop':
      return
    case 'add-side':
      return branchFailed(turn, purpose.leg, { status, told: [] })
    case 'add-target':
      return targetFailed(turn, purpose.leg, { status, told: [] })
    case 'add-replacement':
      return refuseReplacement(turn, purpose.leg, status)
    case 'restart-ice':
      return onIceRestarted(turn, purpose.leg, status)
    default:
      return hangUp(turn, { status, endedBy: 'media', reason: detail })
  }
}

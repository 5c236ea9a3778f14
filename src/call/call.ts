import { asGatewayError, earliest, type Machine, type Millis } from '../base/index.ts'
import { onAck, onAckMissing } from './acknowledged.ts'
import { onCallerGone, onCancelled } from './cancelled.ts'
import { onWake } from './deadlines.ts'
import { releaseIfSettled } from './ending.ts'
import { onLocated } from './forking.ts'
import { hangUp } from './hangup.ts'
import { onRequest } from './in-dialog.ts'
import { onMediaChanged, onMediaClosed, onMediaEvent, onMediaFailed, onMediaOpened } from './media-events.ts'
import type { CallEffect, CallEvent } from './model.ts'
import { onOffered } from './offered.ts'
import { onRedirected } from './redirect.ts'
import { onReplacing } from './replacement.ts'
import { reply } from './replies.ts'
import { onAuthorized, onFailed, onResponse } from './responses.ts'
import type { CallState } from './state.ts'
import { type CallDeps, Turn } from './turn.ts'

/**
 * The back-to-back user agent of one call: two dialogs and one media session (RFC 7092 §3.2, signalling and media
 * plane). `step` never throws: what cannot be answered otherwise ends the call.
 */
export function callMachine(deps: CallDeps): Machine<CallState, CallEvent, CallEffect> {
  return {
    step(call, event, now) {
      const turn = new Turn(call, now, deps)
      if (call.phase !== 'ended') handle(turn, event)
      return { state: turn.call, effects: turn.effects }
    },
    deadline,
  }
}

function deadline(call: CallState): Millis | undefined {
  return Object.values(call.deadlines).reduce<Millis | undefined>(earliest, undefined)
}

function handle(turn: Turn, event: CallEvent): void {
  if ((turn.call.phase === 'idle') !== (event.kind === 'offered')) return
  try {
    dispatch(turn, event)
  } catch (thrown) {
    onFault(turn, event, thrown)
  }
  releaseIfSettled(turn)
}

function dispatch(turn: Turn, event: CallEvent): void {
  switch (event.kind) {
    case 'offered':
      return onOffered(turn, event)
    case 'request':
      return onRequest(turn, event)
    case 'replacing':
      return onReplacing(turn, event)
    case 'ack':
      return onAck(turn, event.leg, event.request)
    case 'cancelled':
      return onCancelled(turn, event.key, event.request)
    case 'ack-missing':
      return onAckMissing(turn, event.key)
    case 'caller-gone':
      return onCallerGone(turn)
    case 'response':
      return onResponse(turn, event)
    case 'authorized':
      return onAuthorized(turn, event)
    case 'failed':
      return onFailed(turn, event)
    case 'located':
      return onLocated(turn, event)
    case 'redirected':
      return onRedirected(turn, event)
    case 'end':
      return hangUp(turn, { status: 503, endedBy: 'operator', reason: event.reason })
    case 'wake':
      return onWake(turn)
    default:
      return onMedia(turn, event)
  }
}

function onMedia(turn: Turn, event: Extract<CallEvent, { readonly kind: `media${string}` }>): void {
  switch (event.kind) {
    case 'media-opened':
      return onMediaOpened(turn, event)
    case 'media-changed':
      return onMediaChanged(turn, event)
    case 'media-failed':
      return onMediaFailed(turn, event)
    case 'media-closed':
      return onMediaClosed(turn, event)
    case 'media':
      return onMediaEvent(turn, event.event)
  }
}

/** A message that cannot be read gets its error; a fault of ours ends the call, and nothing else. */
function onFault(turn: Turn, event: CallEvent, thrown: unknown): void {
  const { code, message, sipStatus } = asGatewayError(thrown)
  turn.note('error', message, { facts: { code } })
  if ((event.kind === 'request' || event.kind === 'replacing') && turn.waiting(event.key) !== undefined)
    return reply(turn, event.key, sipStatus)
  if (turn.call.phase !== 'idle') hangUp(turn, { status: sipStatus, endedBy: 'error', reason: message })
}

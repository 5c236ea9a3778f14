import { earliest, type Machine, type Millis } from '../base/index.ts'
import type { CallEffect, CallEvent } from './model.ts'
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
      handle(turn, event)
      return { state: turn.call, effects: turn.effects }
    },
    deadline,
  }
}

function deadline(call: CallState): Millis | undefined {
  return Object.values(call.deadlines).reduce<Millis | undefined>(earliest, undefined)
}

function handle(_turn: Turn, _event: CallEvent): void {}

import { giveUp } from './ending.ts'
import { ringTimeout, targetSilent } from './forking.ts'
import { hangUp } from './hangup.ts'
import { mediaGone } from './media-plan.ts'
import { onSessionDue } from './refresh.ts'
import { repeatReliably } from './reliable.ts'
import { abandonReoffer, retryReoffer } from './reoffer.ts'
import { transferFailed } from './transfer-target.ts'
import type { Turn } from './turn.ts'

/** Lets every deadline that has passed do its work, once. */
export function onWake(turn: Turn): void {
  for (const [name, at] of Object.entries(turn.call.deadlines)) {
    // An earlier one may have ended the call and with it the others.
    if (at > turn.now || turn.call.deadlines[name] === undefined) continue
    turn.setDeadline(name, undefined)
    passed(turn, name)
  }
}

function passed(turn: Turn, name: string): void {
  if (name.startsWith('prack:')) return repeatReliably(turn, name.slice('prack:'.length))
  switch (name) {
    case 'ring':
      return ringTimeout(turn)
    case 'silence':
      return targetSilent(turn)
    case 'duration':
      return hangUp(turn, { status: 200, endedBy: 'timer', reason: 'The longest allowed duration is over' })
    case 'reoffer':
      return abandonReoffer(turn, 504)
    case 'transfer':
      return transferFailed(turn, 408)
    case 'retry':
      return retryReoffer(turn)
    case 'media-close':
      return mediaGone(turn, undefined)
    case 'ending':
      return giveUp(turn)
    default: // `session:LEG`
      return onSessionDue(turn, name.slice('session:'.length))
  }
}

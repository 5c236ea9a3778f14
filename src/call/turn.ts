import { GatewayError, type IdSource, type Millis } from '../base/index.ts'
import type { ClientKey, ServerKey } from '../sip/index.ts'
import type { CallConfig } from './config.ts'
import type { Leg } from './leg-state.ts'
import type { CallEffect, CallNote, LegId } from './model.ts'
import { CALL, type Trigger } from './phases.ts'
import type { Asked, CallState, Sent, Waiting } from './state.ts'

export interface CallDeps {
  readonly config: CallConfig
  readonly ids: IdSource
}

/**
 * One step in the making: the state so far and the effects so far. It lives for one `step` and works on a copy of the
 * state, in which it replaces whole fields; so the machine is pure from outside.
 */
export class Turn {
  readonly call: CallState
  readonly effects: CallEffect[] = []
  readonly now: Millis
  readonly deps: CallDeps

  constructor(call: CallState, now: Millis, deps: CallDeps) {
    this.call = { ...call }
    this.now = now
    this.deps = deps
  }

  emit(effect: CallEffect): void {
    this.effects.push(effect)
  }

  note(topic: string, text: string, more: Pick<CallNote, 'leg' | 'facts'> = {}): void {
    this.emit({ kind: 'note', note: { topic, text, ...more } })
  }

  update(patch: Partial<CallState>): void {
    Object.assign(this.call, patch)
  }

  /** Follows the table of phases. @throws GatewayError `INTERNAL` if it knows no such way. */
  move(trigger: Trigger): void {
    const from = this.call.phase
    const to = CALL[from][trigger]
    if (to === undefined) throw new GatewayError('INTERNAL', `A call in ${from} cannot be ${trigger}`)
    this.update({ phase: to })
    this.note('state', `${from} → ${to}`, { facts: { trigger } })
    this.emit({ kind: 'changed' })
  }

  /** What the caller asked for. Only after `offered`. */
  get asked(): Asked {
    const { asked } = this.call
    if (asked === undefined) throw new GatewayError('INTERNAL', 'The call was not offered yet')
    return asked
  }

  leg(id: LegId): Leg {
    const leg = this.call.legs[id]
    if (leg === undefined) throw new GatewayError('INTERNAL', `The call has no leg ${id}`)
    return leg
  }

  /** The request of a peer that waits for our final answer. */
  waiting(key: ServerKey): Waiting | undefined {
    return this.call.waiting.find((waiting) => waiting.key === key)
  }

  /** The request of ours that waits for a final answer. */
  sent(key: ClientKey): Sent | undefined {
    return this.call.sent.find((sent) => sent.key === key)
  }

  get legs(): readonly Leg[] {
    return Object.values(this.call.legs)
  }

  updateLeg(id: LegId, patch: Partial<Leg>): void {
    this.update({ legs: { ...this.call.legs, [id]: { ...this.leg(id), ...patch } } })
  }

  /** `undefined` forgets the deadline. */
  setDeadline(name: string, at: Millis | undefined): void {
    const { [name]: _, ...others } = this.call.deadlines
    this.update({ deadlines: at === undefined ? others : { ...others, [name]: at } })
  }

  /** The next number of a counter; the state remembers it. */
  count(counter: keyof CallState['counters']): number {
    const next = this.call.counters[counter] + 1
    this.update({ counters: { ...this.call.counters, [counter]: next } })
    return next
  }
}

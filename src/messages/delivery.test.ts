import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createDelivery, type DeliveryEvent, step } from './index.ts'

const answered = (key: string, status: number): DeliveryEvent => ({ kind: 'answered', key, status })
const silent = (key: string): DeliveryEvent => ({ kind: 'unanswered', key })
const late: DeliveryEvent = { kind: 'wake' }

/** Effects in words; the wake-up comes when the sender’s wait is over. */
function outcomes(keys: readonly string[], events: readonly DeliveryEvent[]): readonly string[] {
  let state = createDelivery(keys, 10_000)
  return events.flatMap((event) => {
    const next = step(state, event, event.kind === 'wake' ? 10_000 : 1)
    state = next.state
    return next.effects.map((effect) => (effect.kind === 'refused' ? `refused ${effect.status}` : effect.kind))
  })
}

describe('a message to every contact of a user', () => {
  const cases: readonly (readonly [what: string, events: readonly DeliveryEvent[], outcomes: readonly string[]])[] = [
    ['the first who takes it', [answered('a', 200)], ['taken', 'done']],
    ['one refuses, the other takes it', [answered('a', 415), answered('b', 200)], ['taken', 'done']],
    ['both take it', [answered('a', 200), answered('b', 202)], ['taken', 'done']],
    ['both refuse: the lower status', [answered('a', 488), answered('b', 415)], ['refused 415', 'done']],
    ['one refuses for all', [answered('a', 415), answered('b', 603)], ['refused 603', 'done']],
    ['one refuses, the other is not there', [answered('a', 415), answered('b', 480)], ['unreached', 'done']],
    ['one refuses, the other is silent', [answered('a', 415), silent('b')], ['unreached', 'done']],
    ['nobody answered in time', [late], ['unreached']],
    ['nobody in time, then one does', [late, answered('a', 200)], ['unreached', 'taken', 'done']],
    ['nobody in time, then all refuse', [late, answered('a', 415), answered('b', 415)], ['unreached', 'done']],
    ['one answer counts once', [answered('a', 415), answered('a', 415)], []],
    ['an answer of nobody', [answered('x', 200)], []],
  ]
  for (const [what, events, expected] of cases) {
    test(what, () => assert.deepEqual(outcomes(['a', 'b'], events), expected))
  }
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Step } from '../base/index.ts'
import type { Dialog } from '../sip/index.ts'
import {
  createSubscription,
  deadline,
  type Subscription,
  type SubscriptionEffect,
  type SubscriptionEvent,
  step,
} from './index.ts'

const DIALOG: Dialog = {
  callId: 'c',
  localTag: 'ours',
  remoteTag: 'theirs',
  localUri: '<sip:bob@example.test>',
  remoteUri: '<sip:carol@example.test>',
  remoteTarget: 'sip:carol@192.0.2.8',
  routeSet: [],
  localSequence: 0,
  secure: false,
  state: 'confirmed',
}

function subscribed(expiresMs = 60_000): Step<Subscription, SubscriptionEffect> {
  const watcher = { tenant: 'example.test', user: 'carol' }
  const resource = { tenant: 'example.test', user: 'bob' }
  return createSubscription({ event: { name: 'dialog' }, watcher, resource, dialog: DIALOG, expiresMs }, 0)
}

/** Runs events and tells what was sent, as `everything 0 active;expires=60`. */
function run(from: Step<Subscription, SubscriptionEffect>, ...events: (SubscriptionEvent | number)[]) {
  let { state, effects } = from
  let now = 0
  for (const event of events) {
    if (typeof event === 'number') now = event
    else ({ state, effects } = step(state, event, now))
  }
  const told = effects.map((effect) =>
    effect.kind === 'ended' ? 'ended' : `${effect.tells} ${effect.version} ${effect.state}`,
  )
  return { state, told }
}

const answered = (n: number, status = 200, mayRetry = false): SubscriptionEvent => {
  return { kind: 'answered', key: `notify ours ${n}`, status, mayRetry }
}
const refreshed = (expiresMs: number): SubscriptionEvent => ({ kind: 'refreshed', expiresMs, dialog: DIALOG })
const NEWS: SubscriptionEvent = { kind: 'news' }
const FAREWELL: SubscriptionEvent = { kind: 'farewell' }
const WAKE: SubscriptionEvent = { kind: 'wake' }

describe('RFC 6665 §4.2: a subscription as its notifier has it', () => {
  const cases: readonly (readonly [what: string, events: (SubscriptionEvent | number)[], told: string[]])[] = [
    ['the first NOTIFY tells everything', [], ['everything 0 active;expires=60']],
    ['news while a NOTIFY is under way waits', [NEWS], []],
    ['and follows it', [NEWS, 1_000, answered(0)], ['news 1 active;expires=59']],
    ['several news are one', [NEWS, NEWS, answered(0)], ['news 1 active;expires=60']],
    ['nothing new, nothing sent', [answered(0)], []],
    ['a refresh tells everything', [answered(0), 10_000, refreshed(90_000)], ['everything 1 active;expires=90']],
    ['a refresh makes news superfluous', [NEWS, refreshed(90_000), answered(0)], ['everything 1 active;expires=90']],
    ['too early to expire', [answered(0), 59_999, WAKE], []],
    ['expired', [answered(0), 60_000, WAKE], ['everything 1 terminated;reason=timeout']],
    ['unsubscribed', [answered(0), refreshed(0)], ['everything 1 terminated;reason=timeout']],
    ['its last NOTIFY is answered', [answered(0), refreshed(0), answered(1)], ['ended']],
    [
      'unsubscribed while a NOTIFY is under way',
      [refreshed(0), answered(0)],
      ['everything 1 terminated;reason=timeout'],
    ],
    ['the gateway ends', [answered(0), FAREWELL], ['everything 1 terminated;reason=probation;retry-after=10']],
    ['the watcher does not know it (§4.2.2)', [answered(0, 481)], ['ended']],
    ['the watcher asks for another try', [NEWS, answered(0, 503, true)], ['news 1 active;expires=60']],
    ['the watcher is silent', [{ kind: 'unanswered', key: 'notify ours 0' }], ['ended']],
    ['an answer to another NOTIFY means nothing', [answered(7, 481)], []],
  ]
  for (const [what, events, told] of cases) {
    test(what, () => assert.deepEqual(run(subscribed(), ...events).told, told))
  }

  test('§4.4.3: a fetch is over with its NOTIFY', () => {
    assert.deepEqual(run(subscribed(0)).told, ['everything 0 terminated;reason=timeout'])
    assert.deepEqual(run(subscribed(0), answered(0)).told, ['ended'])
  })

  const event: fc.Arbitrary<SubscriptionEvent> = fc.oneof(
    fc.constant(NEWS),
    fc.constant(WAKE),
    fc.nat(90_000).map(refreshed),
    fc
      .record({ n: fc.nat(6), status: fc.constantFrom(200, 481, 503), retry: fc.boolean() })
      .map(({ n, status, retry }) => {
        return answered(n, status, retry)
      }),
    fc.nat(6).map((n): SubscriptionEvent => ({ kind: 'unanswered', key: `notify ours ${n}` })),
    fc.constant(FAREWELL),
  )
  const timed = fc.array(fc.tuple(event, fc.nat(20_000)), { maxLength: 60 })

  test('law: one NOTIFY at a time, numbered without gap, the last one says terminated, and every one can end', () => {
    fc.assert(
      fc.property(timed, (events) => {
        let { state, effects } = subscribed()
        let now = 0
        let notified = 0
        let open: string | undefined
        const check = () => {
          for (const effect of effects) {
            if (effect.kind === 'ended') continue
            assert.equal(open, undefined)
            assert.equal(effect.version, notified++)
            assert.equal(effect.state.startsWith('terminated'), state.phase === 'closing')
            open = effect.key
          }
        }
        check()
        for (const [each, wait] of events) {
          now += wait
          if ((each.kind === 'answered' || each.kind === 'unanswered') && each.key === open) open = undefined
          ;({ state, effects } = step(state, each, now))
          check()
          if (state.phase === 'active') assert.ok(deadline(state) !== undefined)
        }
        for (let n = 0; n < 3 && state.phase !== 'ended'; n++) {
          ;({ state } = step(state, FAREWELL, now))
          if (state.inFlight !== undefined)
            ({ state } = step(state, { kind: 'answered', key: state.inFlight, status: 200, mayRetry: false }, now))
        }
        assert.equal(state.phase, 'ended')
        assert.equal(deadline(state), undefined)
      }),
    )
  })
})

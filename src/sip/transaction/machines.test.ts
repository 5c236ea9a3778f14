import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Millis, Step } from '../../base/index.ts'
import { type InviteClientEvent, inviteClientDeadline, startInviteClient, stepInviteClient } from './invite-client.ts'
import { type InviteServerEvent, inviteServerDeadline, startInviteServer, stepInviteServer } from './invite-server.ts'
import {
  type NonInviteClientEvent,
  nonInviteClientDeadline,
  startNonInviteClient,
  stepNonInviteClient,
} from './non-invite-client.ts'
import {
  type NonInviteServerEvent,
  nonInviteServerDeadline,
  startNonInviteServer,
  stepNonInviteServer,
} from './non-invite-server.ts'
import type { Timers } from './timers.ts'

const UNRELIABLE: Timers = { t1: 500, t2: 4_000, t4: 5_000, reliable: false }
const RELIABLE: Timers = { ...UNRELIABLE, reliable: true }

/** One of the four machines, without its types. */
interface Machine<State extends { readonly state: string }, Event> {
  readonly name: string
  readonly start: (now: Millis, t: Timers) => State
  readonly step: (state: State, event: Event, now: Millis, t: Timers) => Step<State, { readonly kind: string }>
  readonly deadline: (state: State) => Millis | undefined
  readonly events: fc.Arbitrary<Event>
  /** The user's or the peer's part of the bargain, without which the machine may wait for ever. */
  readonly last: readonly Event[]
}

const wake = { kind: 'wake' } as const
const status = fc.constantFrom(100, 180, 200, 202, 302, 404, 486, 503, 603)
const response = status.map((value) => ({ kind: 'response', status: value }) as const)
const respond = status.map((value) => ({ kind: 'respond', status: value }) as const)
const failed = fc.constant({ kind: 'transport-failed', cause: 'x' } as const)

const INVITE_CLIENT: Machine<ReturnType<typeof startInviteClient>, InviteClientEvent> = {
  name: 'INVITE client',
  start: startInviteClient,
  step: stepInviteClient,
  deadline: inviteClientDeadline,
  events: fc.oneof(response, failed, fc.constant({ kind: 'cancel' } as const), fc.constant(wake)),
  last: [{ kind: 'cancel' }],
}

const NON_INVITE_CLIENT: Machine<ReturnType<typeof startNonInviteClient>, NonInviteClientEvent> = {
  name: 'non-INVITE client',
  start: startNonInviteClient,
  step: stepNonInviteClient,
  deadline: nonInviteClientDeadline,
  events: fc.oneof(response, failed, fc.constant(wake)),
  last: [],
}

const INVITE_SERVER: Machine<ReturnType<typeof startInviteServer>, InviteServerEvent> = {
  name: 'INVITE server',
  start: startInviteServer,
  step: stepInviteServer,
  deadline: inviteServerDeadline,
  events: fc.oneof(respond, fc.constantFrom({ kind: 'request' } as const, { kind: 'ack' } as const, wake)),
  last: [{ kind: 'respond', status: 487 }],
}

const NON_INVITE_SERVER: Machine<ReturnType<typeof startNonInviteServer>, NonInviteServerEvent> = {
  name: 'non-INVITE server',
  start: startNonInviteServer,
  step: stepNonInviteServer,
  deadline: nonInviteServerDeadline,
  events: fc.oneof(respond, fc.constantFrom({ kind: 'request' } as const, wake)),
  last: [],
}

function laws<State extends { readonly state: string }, Event>(machine: Machine<State, Event>): void {
  const { start, step, deadline, events, last } = machine
  const history = fc.array(fc.tuple(events, fc.integer({ min: 0, max: 20_000 })), { maxLength: 12 })

  describe(`laws of the ${machine.name} transaction`, () => {
    for (const timers of [UNRELIABLE, RELIABLE]) {
      const over = timers.reliable ? 'a stream' : 'UDP'

      test(`over ${over} it ends whatever happened, within 64·T1 and a little of the last word`, () => {
        fc.assert(
          fc.property(history, (steps) => {
            let now = 0
            let state = start(now, timers)
            for (const [event, pause] of steps) {
              now += pause
              state = step(state, event, now, timers).state
            }
            for (const event of last) state = step(state, event, now, timers).state
            const silentSince = now
            for (let at = deadline(state); at !== undefined; at = deadline(state)) {
              now = Math.max(now, at)
              state = step(state, wake as Event, now, timers).state
            }
            // A cancelled INVITE in `calling` has its own 64·T1 behind it.
            assert.equal(state.state, 'terminated')
            assert.ok(now - silentSince <= 64 * timers.t1 + timers.t4, `${now - silentSince} ms`)
          }),
        )
      })

      test(`over ${over} an early wake-up changes nothing, and the end is the end`, () => {
        fc.assert(
          fc.property(history, (steps) => {
            let now = 0
            let state = start(now, timers)
            for (const [event, pause] of steps) {
              now += pause
              const before = state
              state = step(state, event, now, timers).state
              const at = deadline(state)
              if (at !== undefined && at > now) {
                const early = step(state, wake as Event, now, timers)
                assert.deepEqual([early.state, early.effects], [state, []])
              }
              if (before.state === 'terminated') assert.equal(state.state, 'terminated')
            }
          }),
        )
      })
    }
  })
}

laws(INVITE_CLIENT)
laws(NON_INVITE_CLIENT)
laws(INVITE_SERVER)
laws(NON_INVITE_SERVER)

/** What a machine did: each event with the time it comes, the effects and the state after it. */
type Line<Event> = readonly [at: Millis, event: Event, effects: readonly string[], state: string]

function play<State extends { readonly state: string }, Event>(
  machine: Machine<State, Event>,
  timers: Timers,
  lines: readonly Line<NoInfer<Event>>[],
): void {
  let state = machine.start(0, timers)
  for (const [at, event, effects, name] of lines) {
    const next = machine.step(state, event, at, timers)
    assert.deepEqual([next.effects.map(({ kind }) => kind), next.state.state], [effects, name], `at ${at} ms`)
    state = next.state
  }
}

describe('RFC 3261 §17.1.1, RFC 6026 §7.2: INVITE client', () => {
  test('timer A doubles without end, timer B ends it', () => {
    play(INVITE_CLIENT, UNRELIABLE, [
      [499, wake, [], 'calling'],
      [500, wake, ['retransmit'], 'calling'],
      [1_500, wake, ['retransmit'], 'calling'],
      [3_500, wake, ['retransmit'], 'calling'],
      [7_500, wake, ['retransmit'], 'calling'],
      [15_500, wake, ['retransmit'], 'calling'],
      [31_500, wake, ['retransmit'], 'calling'],
      [32_000, wake, ['failed'], 'terminated'],
    ])
  })

  test('over a stream nothing is repeated', () => {
    play(INVITE_CLIENT, RELIABLE, [
      [500, wake, [], 'calling'],
      [32_000, wake, ['failed'], 'terminated'],
    ])
  })

  test('a provisional response ends repetitions; each is delivered', () => {
    play(INVITE_CLIENT, UNRELIABLE, [
      [100, { kind: 'response', status: 100 }, ['deliver'], 'proceeding'],
      [500, wake, [], 'proceeding'],
      [600, { kind: 'response', status: 180 }, ['deliver'], 'proceeding'],
      [90_000, wake, [], 'proceeding'],
      [91_000, { kind: 'response', status: 486 }, ['send-ack', 'deliver'], 'completed'],
      [91_500, { kind: 'response', status: 486 }, ['send-ack'], 'completed'],
      [92_000, { kind: 'response', status: 180 }, [], 'completed'],
      [123_000, wake, [], 'terminated'],
    ])
  })

  test('RFC 6026: 2xx are taken for 64·T1 more', () => {
    play(INVITE_CLIENT, UNRELIABLE, [
      [0, { kind: 'response', status: 200 }, ['deliver'], 'accepted'],
      [500, { kind: 'response', status: 200 }, ['deliver-success-again'], 'accepted'],
      [600, { kind: 'response', status: 486 }, [], 'accepted'],
      [32_000, wake, [], 'terminated'],
    ])
  })

  test('§9.1: CANCEL waits for a provisional response, and is sent once', () => {
    play(INVITE_CLIENT, UNRELIABLE, [
      [0, { kind: 'cancel' }, [], 'calling'],
      [500, wake, ['retransmit'], 'calling'],
      [600, { kind: 'response', status: 180 }, ['deliver', 'send-cancel'], 'proceeding'],
      [700, { kind: 'cancel' }, [], 'proceeding'],
      [800, { kind: 'response', status: 487 }, ['send-ack', 'deliver'], 'completed'],
    ])
  })
})

describe('RFC 3261 §17.1.2: non-INVITE client', () => {
  test('timer E doubles up to T2; after a provisional response it is T2', () => {
    play(NON_INVITE_CLIENT, UNRELIABLE, [
      [500, wake, ['retransmit'], 'trying'],
      [1_500, wake, ['retransmit'], 'trying'],
      [1_600, { kind: 'response', status: 100 }, ['deliver'], 'proceeding'],
      [3_500, wake, ['retransmit'], 'proceeding'],
      [7_499, wake, [], 'proceeding'],
      [7_500, wake, ['retransmit'], 'proceeding'],
      [8_000, { kind: 'response', status: 200 }, ['deliver'], 'completed'],
      [8_500, { kind: 'response', status: 200 }, [], 'completed'],
      [13_000, wake, [], 'terminated'],
    ])
  })
})

describe('RFC 3261 §17.2.1, RFC 6026 §7.1: INVITE server', () => {
  test('100 after 200 ms, unless the user was quicker; the last response answers repetitions', () => {
    play(INVITE_SERVER, UNRELIABLE, [
      [200, wake, ['send-trying'], 'proceeding'],
      [300, { kind: 'request' }, ['retransmit'], 'proceeding'],
      [400, { kind: 'respond', status: 180 }, ['send'], 'proceeding'],
    ])
    play(INVITE_SERVER, UNRELIABLE, [
      [100, { kind: 'respond', status: 183 }, ['send'], 'proceeding'],
      [200, wake, [], 'proceeding'],
    ])
  })

  test('a failure is repeated with timer G until its ACK; timer I absorbs further ones', () => {
    play(INVITE_SERVER, UNRELIABLE, [
      [0, { kind: 'respond', status: 486 }, ['send'], 'completed'],
      [500, wake, ['retransmit'], 'completed'],
      [600, { kind: 'request' }, ['retransmit'], 'completed'],
      [1_500, wake, ['retransmit'], 'completed'],
      [1_600, { kind: 'ack' }, [], 'confirmed'],
      [2_000, { kind: 'ack' }, [], 'confirmed'],
      [2_100, { kind: 'request' }, [], 'confirmed'],
      [6_600, wake, [], 'terminated'],
    ])
  })

  test('timer H: a failure that nobody acknowledges is reported', () => {
    play(INVITE_SERVER, RELIABLE, [
      [0, { kind: 'respond', status: 486 }, ['send'], 'completed'],
      [500, wake, [], 'completed'],
      [32_000, wake, ['ack-missing'], 'terminated'],
    ])
  })

  test('§13.3.1.4: a 2xx is repeated over any transport until its ACK, which is told once', () => {
    for (const timers of [UNRELIABLE, RELIABLE]) {
      play(INVITE_SERVER, timers, [
        [0, { kind: 'respond', status: 200 }, ['send'], 'accepted'],
        [500, wake, ['retransmit'], 'accepted'],
        [600, { kind: 'request' }, [], 'accepted'],
        [1_500, wake, ['retransmit'], 'accepted'],
        [1_600, { kind: 'ack' }, ['acknowledged'], 'accepted'],
        [1_700, { kind: 'ack' }, [], 'accepted'],
        [3_500, wake, [], 'accepted'],
        [32_000, wake, [], 'terminated'],
      ])
    }
  })
})

describe('RFC 3261 §17.2.2: non-INVITE server', () => {
  test('repetitions before the answer are silent, after it they get it again', () => {
    play(NON_INVITE_SERVER, UNRELIABLE, [
      [100, { kind: 'request' }, [], 'trying'],
      [200, { kind: 'respond', status: 200 }, ['send'], 'completed'],
      [300, { kind: 'request' }, ['retransmit'], 'completed'],
      [400, { kind: 'respond', status: 500 }, [], 'completed'],
      [32_200, wake, [], 'terminated'],
    ])
  })
})

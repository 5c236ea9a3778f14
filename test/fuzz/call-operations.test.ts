import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CallEvent } from '../../src/call/index.ts'
import { BOB_SDP, CallRig, destination, type OfferOptions, ring, TWO_TARGETS } from '../support/call-rig.ts'
import { browserSdp, phoneSdp } from '../support/sdp-texts.ts'

/** More, and others, with `TRUNKLINE_FUZZ_RUNS` and `TRUNKLINE_FUZZ_SEED`. */
const RUNS = Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1_500)
const SEED = Number(process.env.TRUNKLINE_FUZZ_SEED ?? 1)

/** More than any call may need, whatever is done to it. */
const MAX_STATE_CHARACTERS = 60_000

const SDPS: readonly (string | undefined)[] = [
  undefined,
  BOB_SDP,
  phoneSdp({ version: 2, direction: 'sendonly' }),
  phoneSdp({ version: 3, direction: 'inactive', payloads: [8] }),
  phoneSdp({ address: '0.0.0.0', version: 4 }),
  browserSdp({ version: 5, ufrag: 'restarted' }),
  'v=0\r\nm=audio\r\n',
]

const BEGINNINGS: readonly OfferOptions[] = [
  {},
  { sdp: '' },
  { decision: TWO_TARGETS },
  { decision: ring([destination('bob', '198.51.100.8'), destination('bob', '198.51.100.9')]) },
  { decision: { kind: 'builtin', builtin: 'echo' } },
]

const STATUSES = [100, 180, 183, 199, 200, 202, 302, 401, 407, 408, 422, 481, 486, 487, 491, 500, 503, 603]
const METHODS = ['INVITE', 'UPDATE', 'INFO', 'BYE', 'OPTIONS', 'PRACK', 'REFER', 'NOTIFY', 'MESSAGE', 'FLY']

/** One thing that happens to a call. Numbers choose among what there is; where there is nothing it does nothing. */
interface Operation {
  readonly kind: 'answer' | 'fail' | 'request' | 'ack' | 'ack-missing' | 'cancel' | 'media' | 'gone' | 'end' | 'pass'
  readonly which: number
  readonly choice: number
  readonly sdp: number
}

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom(
    ...(['answer', 'answer', 'answer', 'answer', 'request', 'request', 'request', 'media', 'media', 'ack'] as const),
    ...(['ack', 'pass', 'pass', 'fail', 'ack-missing', 'cancel', 'gone', 'end'] as const),
  ),
  which: fc.nat(5),
  choice: fc.nat(30),
  sdp: fc.nat(SDPS.length - 1),
})

function pick<T>(list: readonly T[], n: number): T | undefined {
  return list[n % Math.max(1, list.length)]
}

/** A call under test, with what was asked of it. */
class Subject {
  readonly rig: CallRig
  readonly asked: string[] = []
  /** The engine never opened the session, or is gone with it: there is nothing to close. */
  nothingOpen = false

  constructor(beginning: OfferOptions, byHand: boolean) {
    this.rig = new CallRig()
    if (byHand) this.rig.mediaAnswers = 'by hand'
    this.asked.push(this.rig.offer(beginning))
  }

  perform({ kind, which, choice, sdp }: Operation): void {
    const { rig } = this
    switch (kind) {
      case 'answer':
        return this.#answer(which, choice, SDPS[sdp])
      case 'request':
        return this.#request(which, METHODS[choice % METHODS.length] ?? 'BYE', SDPS[sdp])
      case 'ack':
        return this.#withDialog(which, (leg) => rig.ack(leg, SDPS[sdp]))
      case 'media':
        return this.#media(choice)
      case 'fail':
        return this.#fail(which, choice)
      case 'ack-missing':
        return rig.event({ kind: 'ack-missing', key: pick(this.asked, which) ?? '' })
      case 'cancel':
        return this.#cancel(which)
      case 'gone':
        return this.#gone(choice)
      case 'end':
        return rig.event({ kind: 'end', reason: 'a test' })
      case 'pass':
        return rig.pass([10, 500, 4_000, 33_000, 70_000][choice % 5] ?? 10)
    }
  }

  /** Everybody is done: what is asked gets its answer, what is owed its acknowledgement, and the time goes by. */
  finish(): void {
    const { rig } = this
    rig.event({ kind: 'end', reason: 'over' })
    for (let round = 0; round < 8 && rig.state.phase !== 'ended'; round++) {
      while (rig.heldMedia.length > 0) this.#media(0)
      for (const leg of Object.keys(rig.state.legs)) this.#withDialog(leg, (id) => rig.ack(id))
      rig.settle()
      rig.pass(33_000)
    }
  }

  #answer(which: number, choice: number, sdp: string | undefined): void {
    const pending = pick(this.rig.state.sent, which)?.key
    // Also a 2xx of another branch behind one that is long answered (RFC 3261 §13.2.2.4).
    const late = pick(
      this.rig.requests.filter(({ request }) => request.method === 'INVITE'),
      which,
    )?.key
    if (pending === undefined && late === undefined) return
    const key = pending ?? late ?? ''
    const status = pending === undefined ? 200 : (STATUSES[choice % STATUSES.length] ?? 200)
    this.rig.answer(key, status, { ...(sdp !== undefined && { sdp }), tag: `tag-${choice % 3}` })
  }

  #request(which: number, method: string, sdp: string | undefined): void {
    this.#withDialog(which, (leg) => {
      this.asked.push(this.rig.request(leg, method, sdp === undefined ? {} : { sdp }))
    })
  }

  #fail(which: number, choice: number): void {
    const key = pick(this.rig.state.sent, which)?.key
    if (key === undefined) return
    this.rig.event({ kind: 'failed', key, cause: choice % 2 ? 'timeout' : 'transport', detail: 'a test' })
  }

  #gone(choice: number): void {
    if (choice < 15) return this.rig.event({ kind: 'caller-gone' })
    this.nothingOpen = true
    this.rig.event({ kind: 'media', event: { kind: 'engine-lost', detail: 'a test' } })
  }

  #cancel(which: number): void {
    const key = pick(this.asked, which)
    const answered = this.rig.responses.some((each) => each.key === key && each.response.status >= 200)
    if (key === undefined || answered) return // The endpoint tells nobody of a CANCEL that came too late.
    this.rig.event({ kind: 'cancelled', key, request: this.rig.fromCaller('CANCEL') })
  }

  #media(choice: number): void {
    const result = this.rig.heldMedia.shift()
    if (result === undefined) return
    const fails = choice % 7 === 6
    if (fails && result.kind === 'media-opened') this.nothingOpen = true
    this.rig.event(fails ? failedInstead(result) : result)
  }

  #withDialog(which: number | string, act: (leg: string) => void): void {
    const legs = Object.values(this.rig.state.legs).filter(({ dialog }) => dialog !== undefined)
    const leg = typeof which === 'string' ? legs.find(({ id }) => id === which) : pick(legs, which)
    if (leg !== undefined) act(leg.id)
  }
}

function failedInstead(result: CallEvent): CallEvent {
  if (result.kind !== 'media-opened' && result.kind !== 'media-changed') return result
  return { kind: 'media-failed', op: result.op, code: 'MEDIA_PORTS_EXHAUSTED', detail: 'a test' }
}

test('law: whatever happens to a call in whatever order, it bears it, answers every request and ends', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...BEGINNINGS),
      fc.boolean(),
      fc.array(operation, { minLength: 1, maxLength: 40 }),
      (beginning, byHand, operations) => {
        const subject = new Subject(beginning, byHand)
        const { rig } = subject
        for (const one of operations) {
          if (rig.state.phase === 'ended') break
          subject.perform(one)
          assert.ok(JSON.stringify(rig.state).length < MAX_STATE_CHARACTERS, 'its state grows')
        }
        subject.finish()
        assert.equal(rig.state.phase, 'ended')
        assert.equal(rig.records.length, 1)
        assert.equal(rig.deadline(), undefined)
        const unanswered = subject.asked.filter((key) => !rig.statuses(key).some((status) => status >= 200))
        assert.deepEqual(unanswered, [])
        const twice = subject.asked.filter((key) => rig.statuses(key).filter((status) => status >= 200).length > 1)
        assert.deepEqual(twice, [])
        if (!subject.nothingOpen) assert.equal(rig.effectsOf('media-open').length, rig.effectsOf('media-close').length)
      },
    ),
    { numRuns: RUNS, seed: SEED },
  )
})

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { CallView, TimelineEntry } from '../../src/api/index.ts'
import type { Baresip } from '../interop/support/baresip.ts'
import { tonesHeard } from '../interop/support/tone.ts'
import type { RemoteClient } from './support/client.ts'
import { networkMissing } from './support/network.ts'
import { CARRIER_HZ, PHONE, SUBJECTS, type Subject, startWorld, type World } from './support/world.ts'

const missing = networkMissing()
if (missing !== undefined) console.warn(`!!! browser tests skipped: ${missing}`)

/** Bound of one step of a call: far more than it takes. */
const STEP_MS = 10_000
/** Bound until a tone is recognised. */
const HEAR_MS = 8_000
/** Where sipp plays its tone: taken out, it only echoes. */
const PLAYS = 'rtp_stream="tone.pcmu,-1,0"'
const SILENT = { [PLAYS]: 'command="true"' }

const [anna, ben, cleo, dan] = SUBJECTS as readonly [Subject, Subject, Subject, Subject]
const TONES = [PHONE.toneHz, CARRIER_HZ, ...SUBJECTS.map(({ toneHz }) => toneHz)]

const describeSubject = ({ stack, browser }: Subject): string =>
  `${stack === 'jssip' ? 'JsSIP' : 'SIP.js'} in ${browser === 'chromium' ? 'Chromium' : 'Firefox'}`

describe('stock clients in real browsers', { skip: missing ?? false }, () => {
  let world: World
  const clients = new Map<Subject, RemoteClient>()
  const clientOf = (subject: Subject): RemoteClient =>
    clients.get(subject) ?? assert.fail('the client did not register')

  before(async () => {
    world = await startWorld(['chromium', 'firefox'], 'subjects')
    for (const subject of SUBJECTS) clients.set(subject, await world.client(subject))
  })
  after(() => world?.stop())
  beforeEach(() => Promise.all([...clients.values()].map((client) => client.reset())))

  /** Waits for both ends of a call between two clients to hear each other. */
  const hearEachOther = async (one: Subject, other: Subject): Promise<void> => {
    await Promise.all([clientOf(one).hears(other.toneHz, HEAR_MS), clientOf(other).hears(one.toneHz, HEAR_MS)])
  }

  const connect = async (caller: Subject, callee: Subject): Promise<void> => {
    await clientOf(caller).call(callee.user)
    await clientOf(callee).next('incoming', STEP_MS)
    await clientOf(callee).answer()
    await Promise.all([clientOf(caller).next('talking', STEP_MS), clientOf(callee).next('talking', STEP_MS)])
  }

  for (const subject of SUBJECTS) {
    describe(describeSubject(subject), () => {
      callsBuiltIns(subject)
      callsPhone(subject)
      callsCarrier(subject)
      givesUpOrIsRefused(subject)
    })
  }
  for (const [caller, callee] of [
    [anna, ben],
    [ben, anna],
    [cleo, dan],
    [dan, cleo],
  ] as const) {
    describe(`${describeSubject(caller)} calls ${describeSubject(callee)}`, () => callsBrowser(caller, callee))
  }

  function callsBuiltIns(subject: Subject): void {
    test('*43 sends back the tone', async () => {
      const client = clientOf(subject)
      await client.call('*43')
      await client.next('talking', STEP_MS)
      await client.hears(subject.toneHz, HEAR_MS)
      await client.hangUp()
      await client.next('ended', STEP_MS)
    })

    test('*41 plays 1004 Hz', async () => {
      const client = clientOf(subject)
      await client.call('*41')
      await client.next('talking', STEP_MS)
      await client.hears(1_004, HEAR_MS)
      await client.hangUp()
    })
  }

  function callsPhone(subject: Subject): void {
    test('baresip is called: both hear each other, digits arrive, hold and resume', async () => {
      const client = clientOf(subject)
      const phone = await world.phone()
      try {
        await phone.registered()
        await client.call(PHONE.user)
        await client.next('talking', STEP_MS)
        await client.hears(PHONE.toneHz, HEAR_MS)
        await phone.hasHeard(1)
        await client.digit('5', 'rtp')
        assert.equal((await phone.event('CALL_DTMF_START')).param, '5')
        await client.hold()
        await client.next('held', STEP_MS)
        await offered(/a=(sendonly|inactive)/)
        await client.hearsNothing(HEAR_MS)
        await client.resume()
        await client.next('resumed', STEP_MS)
        await offered(/a=sendrecv/)
        await client.hears(PHONE.toneHz, HEAR_MS)
        await client.hangUp()
        await phone.event('CALL_CLOSED')
        await assertHeard(phone, subject.toneHz)
      } finally {
        await phone.stop()
      }
    })

    test('baresip calls: both hear each other, its digit is seen, it hangs up', async () => {
      const client = clientOf(subject)
      const phone = await world.phone()
      try {
        await phone.registered()
        await phone.command('dial', `sip:${subject.user}@example.test`)
        await client.next('incoming', STEP_MS)
        await client.answer()
        await client.next('talking', STEP_MS)
        await client.hears(PHONE.toneHz, HEAR_MS)
        await phone.command('sndcode', '7')
        await dtmfSeen('7')
        await phone.hasHeard(1)
        await phone.command('hangup')
        await client.next('ended', STEP_MS)
        await assertHeard(phone, subject.toneHz)
      } finally {
        await phone.stop()
      }
    })
  }

  function callsCarrier(subject: Subject): void {
    test('the carrier is called and sends back what it gets', async () => {
      const client = clientOf(subject)
      const carrier = await world.carrier({ scenario: 'carrier-echoes', echo: true })
      try {
        await client.call('+15551230001')
        await client.next('talking', STEP_MS)
        await client.hears(subject.toneHz, HEAR_MS)
        await client.hangUp()
        await carrier.succeeded()
      } finally {
        await carrier.stop()
      }
    })

    test('the carrier calls and sends back what it gets; the browser hangs up', async () => {
      const client = clientOf(subject)
      const scenario = { scenario: 'carrier-calls-until-bye', echo: true, words: SILENT }
      const carrier = await world.carrierCalls(subject.number, scenario)
      try {
        await client.next('incoming', STEP_MS)
        await client.answer()
        await client.next('talking', STEP_MS)
        await client.hears(subject.toneHz, HEAR_MS)
        await client.hangUp()
        await carrier.succeeded()
      } finally {
        await carrier.stop()
      }
    })

    test('the carrier calls, holds, resumes and hangs up', async () => {
      const client = clientOf(subject)
      const carrier = await world.carrierCalls(subject.number, { scenario: 'carrier-calls-and-holds' })
      try {
        await client.next('incoming', STEP_MS)
        await client.answer()
        await client.hears(CARRIER_HZ, HEAR_MS)
        await client.next('held-by-peer', STEP_MS)
        await client.next('resumed-by-peer', STEP_MS)
        await client.hears(CARRIER_HZ, HEAR_MS)
        await client.next('ended', STEP_MS)
        await carrier.succeeded()
      } finally {
        await carrier.stop()
      }
    })
  }

  function givesUpOrIsRefused(subject: Subject): void {
    for (const [scenario, status] of [
      ['carrier-busy', 486],
      ['carrier-declines', 603],
    ] as const) {
      test(`the carrier's ${status} stays ${status}`, async () => {
        const carrier = await world.carrier({ scenario })
        try {
          await clientOf(subject).call('+15551230003')
          assert.equal((await clientOf(subject).next('failed', STEP_MS)).status, status)
          await carrier.succeeded()
        } finally {
          await carrier.stop()
        }
      })

      test(`the browser's ${status} reaches the carrier`, async () => {
        const scenario = { scenario: 'carrier-calls-and-is-refused', words: { REFUSAL: String(status) } }
        const carrier = await world.carrierCalls(subject.number, scenario)
        try {
          await clientOf(subject).next('incoming', STEP_MS)
          await clientOf(subject).reject(status)
          await carrier.succeeded()
        } finally {
          await carrier.stop()
        }
      })
    }

    test('the browser gives up: the carrier gets CANCEL', async () => {
      const carrier = await world.carrier({ scenario: 'carrier-rings' })
      try {
        await clientOf(subject).call('+15551230004')
        await clientOf(subject).next('ringing', STEP_MS)
        await clientOf(subject).cancel()
        await clientOf(subject).next('failed', STEP_MS)
        await carrier.succeeded()
      } finally {
        await carrier.stop()
      }
    })

    test('the carrier gives up: the browser stops ringing', async () => {
      const carrier = await world.carrierCalls(subject.number, { scenario: 'carrier-calls-and-cancels' })
      try {
        await clientOf(subject).next('incoming', STEP_MS)
        await clientOf(subject).next('failed', STEP_MS)
        await carrier.succeeded()
      } finally {
        await carrier.stop()
      }
    })

    test('nobody answers, in either direction: the caller is told, the other side stops ringing', async () => {
      const client = await world.client(subject, 'impatient')
      try {
        const silent = await world.carrier({ scenario: 'carrier-rings' }, 'impatient')
        await client.call('+15551230005')
        const { status } = await client.next('failed', STEP_MS)
        assert.ok(status === 408 || status === 480, `told ${status}`)
        await silent.succeeded()
        await silent.stop()
        const scenario = { scenario: 'carrier-calls-and-is-refused', words: { REFUSAL: String(status) } }
        const caller = await world.carrierCalls(subject.number, scenario, 'impatient')
        await client.next('incoming', STEP_MS)
        await client.next('failed', STEP_MS)
        await caller.succeeded()
        await caller.stop()
      } finally {
        await client.close()
        await client.page.close()
      }
    })
  }

  function callsBrowser(caller: Subject, callee: Subject): void {
    test('both hear each other; either holds and resumes; digits as INFO arrive; the callee hangs up', async () => {
      await connect(caller, callee)
      await hearEachOther(caller, callee)
      for (const [holder, held] of [
        [caller, callee],
        [callee, caller],
      ] as const) {
        await clientOf(holder).hold()
        await clientOf(holder).next('held', STEP_MS)
        await clientOf(held).next('held-by-peer', STEP_MS)
        await Promise.all([clientOf(held).hearsNothing(HEAR_MS), clientOf(holder).hearsNothing(HEAR_MS)])
        await clientOf(holder).resume()
        await clientOf(holder).next('resumed', STEP_MS)
        await clientOf(held).next('resumed-by-peer', STEP_MS)
        await hearEachOther(caller, callee)
      }
      await clientOf(caller).digit('4', 'info')
      assert.equal((await clientOf(callee).next('info', STEP_MS)).detail, '4')
      await clientOf(callee).hangUp()
      await clientOf(caller).next('ended', STEP_MS)
    })

    test('a telephone-event passes', async () => {
      await connect(caller, callee)
      await hearEachOther(caller, callee)
      await clientOf(caller).digit('9', 'rtp')
      await dtmfSeen('9')
      await clientOf(caller).hangUp()
      await clientOf(callee).next('ended', STEP_MS)
    })

    for (const status of [486, 603]) {
      test(`the callee's ${status} stays ${status}`, async () => {
        await clientOf(caller).call(callee.user)
        await clientOf(callee).next('incoming', STEP_MS)
        await clientOf(callee).reject(status)
        assert.equal((await clientOf(caller).next('failed', STEP_MS)).status, status)
      })
    }

    test('the caller gives up: the callee stops ringing', async () => {
      await clientOf(caller).call(callee.user)
      await clientOf(callee).next('incoming', STEP_MS)
      await clientOf(caller).next('ringing', STEP_MS)
      await clientOf(caller).cancel()
      await clientOf(callee).next('failed', STEP_MS)
    })
  }

  /** Waits until the gateway tells of that digit in the running call. */
  async function dtmfSeen(digit: string): Promise<void> {
    const shows = (entry: TimelineEntry): boolean =>
      entry.kind === 'media' && entry.event === 'dtmf' && entry.summary.includes(` ${digit},`)
    await world.timelineShows(await runningCall(), shows)
  }

  /** Waits until the gateway offered such SDP to the called side in the running call, after the first INVITE. */
  async function offered(line: RegExp): Promise<void> {
    const shows = (entry: TimelineEntry): boolean =>
      entry.kind === 'sip' &&
      entry.direction === 'out' &&
      entry.leg !== 'a' &&
      /^CSeq: *\d+ +INVITE/im.test(entry.text) &&
      /^To:.*;tag=/im.test(entry.text) &&
      line.test(entry.text)
    await world.timelineShows(await runningCall(), shows)
  }

  async function runningCall(): Promise<string> {
    const { calls } = await world.gateway.api<{ readonly calls: readonly CallView[] }>('/v1/calls')
    return calls.find((call) => call.endedAt === undefined)?.id ?? assert.fail('no call is running')
  }
})

/** The tone was in at least half a second of what the phone heard. */
async function assertHeard(phone: Baresip, hz: number): Promise<void> {
  const heard = await phone.heard()
  const windows = Math.max(0, ...heard.map((pcm) => tonesHeard(pcm, TONES).get(hz) ?? 0))
  assert.ok(windows >= 5, `the phone heard ${hz} Hz in ${windows} windows of 100 ms`)
}

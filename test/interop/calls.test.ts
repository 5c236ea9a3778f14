import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Baresip, type BaresipOptions, startBaresip } from './support/baresip.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { freePort } from './support/ports.ts'
import { startSipp } from './support/sipp.ts'
import { tonesHeard } from './support/tone.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false

/** The carrier has an address of its own: a trunk is known by where its requests come from. */
const CARRIER = '127.0.0.2'
const ALICE_HZ = 620
const BOB_HZ = 880
const CARRIER_HZ = 440
const REFUSALS = [
  ['carrier-busy', 486],
  ['carrier-declines', 603],
  ['carrier-not-found', 404],
  ['carrier-unavailable', 480],
  ['carrier-not-acceptable', 488],
  ['carrier-unserviceable', 503],
] as const

/** Seconds of audio in which a tone is looked for. */
const ENOUGH = 2
const TONES = [ALICE_HZ, BOB_HZ, CARRIER_HZ, 1004]

describe('calls between real SIP devices', { skip }, () => {
  let gateway: GatewayProcess
  let carrierPort: number

  before(async () => {
    carrierPort = await freePort()
    gateway = await startGateway({ tenants: tenants(carrierPort) })
  })
  after(() => gateway?.stop())

  const phone = (options: Pick<BaresipOptions, 'user' | 'toneHz'> & Partial<BaresipOptions>): Promise<Baresip> =>
    startBaresip({
      domain: 'example.test',
      password: `${options.user}-secret`,
      registrar: gateway.sip,
      answer: 'auto',
      ...options,
    })

  const withPhones = async (
    phones: Promise<Baresip>[],
    run: (...phones: Baresip[]) => Promise<void>,
  ): Promise<void> => {
    const started = await Promise.all(phones)
    try {
      await Promise.all(started.map((each) => each.registered()))
      await run(...started)
    } finally {
      await Promise.all(started.map((each) => each.stop()))
    }
  }

  test('two phones hear each other', () =>
    withPhones(
      [phone({ user: 'alice', toneHz: ALICE_HZ }), phone({ user: 'bob', toneHz: BOB_HZ })],
      async (alice, bob) => {
        await alice.command('dial', 'sip:bob@example.test')
        await Promise.all([alice.event('CALL_ESTABLISHED'), bob.event('CALL_ESTABLISHED')])
        await alice.hasHeard(ENOUGH)
        await alice.command('hangup')
        await bob.ended(1)
        await assertHears(alice, BOB_HZ)
        await assertHears(bob, ALICE_HZ)
      },
    ))

  test('a phone over TCP hears its own voice at *43 and the tone at *41', () =>
    withPhones([phone({ user: 'alice', toneHz: ALICE_HZ, transport: 'tcp' })], async (alice) => {
      for (const [n, dialled] of ['*43', '*41'].entries()) {
        await alice.command('dial', `sip:${dialled}@example.test`)
        await alice.event('CALL_ESTABLISHED')
        await alice.hasHeard(ENOUGH)
        await alice.command('hangup')
        await alice.ended(n + 1)
      }
      const [echo, tone] = await alice.heard()
      assert.ok(((echo && tonesHeard(echo, TONES).get(ALICE_HZ)) ?? 0) >= 10, 'the echo')
      assert.ok(((tone && tonesHeard(tone, TONES).get(1004)) ?? 0) >= 10, 'the tone')
    }))

  test('a phone calls the carrier and hears what it sent come back', () =>
    withPhones([phone({ user: 'alice', toneHz: ALICE_HZ })], async (alice) => {
      const carrier = await startSipp({ scenario: 'carrier-echoes', address: CARRIER, port: carrierPort, echo: true })
      await alice.command('dial', 'sip:+15551230001@example.test')
      await alice.event('CALL_ESTABLISHED')
      await alice.hasHeard(ENOUGH)
      await alice.command('hangup')
      await carrier.succeeded()
      await carrier.stop()
      await assertHears(alice, ALICE_HZ)
    }))

  test('the carrier calls a phone, which hears it; then the carrier hangs up', () =>
    withPhones([phone({ user: 'alice', toneHz: ALICE_HZ })], async (alice) => {
      const carrier = await startSipp({
        scenario: 'carrier-calls',
        address: CARRIER,
        gateway: gateway.sip,
        calls: '+15550100',
        toneHz: CARRIER_HZ,
      })
      await alice.event('CALL_ESTABLISHED')
      await carrier.succeeded()
      await carrier.stop()
      await alice.ended(1)
      await assertHears(alice, CARRIER_HZ)
    }))

  test('the announcement before the answer is heard', () =>
    withPhones([phone({ user: 'alice', toneHz: ALICE_HZ })], async (alice) => {
      const carrier = await startSipp({
        scenario: 'carrier-early-media',
        address: CARRIER,
        port: carrierPort,
        toneHz: CARRIER_HZ,
      })
      await alice.command('dial', 'sip:+15551230002@example.test')
      await alice.event('CALL_PROGRESS')
      await alice.event('CALL_ESTABLISHED')
      await alice.command('hangup')
      await carrier.succeeded()
      await carrier.stop()
      await alice.ended(1)
      await assertHears(alice, CARRIER_HZ)
    }))

  test('the carrier puts a phone on hold and takes it back', () =>
    withPhones([phone({ user: 'alice', toneHz: ALICE_HZ })], async (alice) => {
      const carrier = await startSipp({
        scenario: 'carrier-calls-and-holds',
        address: CARRIER,
        gateway: gateway.sip,
        calls: '+15550100',
        toneHz: CARRIER_HZ,
      })
      await alice.event('CALL_ESTABLISHED')
      await carrier.succeeded()
      await carrier.stop()
      await alice.ended(1)
      await assertHears(alice, CARRIER_HZ)
    }))

  for (const [scenario, status] of REFUSALS) {
    test(`a carrier's ${status} reaches the phone as ${status}`, () =>
      withPhones([phone({ user: 'alice', toneHz: ALICE_HZ })], async (alice) => {
        const carrier = await startSipp({ scenario, address: CARRIER, port: carrierPort })
        await alice.command('dial', 'sip:+15551230003@example.test')
        const closed = await alice.event('CALL_CLOSED')
        assert.match(closed.param ?? '', new RegExp(String(status)))
        await carrier.succeeded()
        await carrier.stop()
      }))
  }

  test('a phone gives up: the carrier gets CANCEL', () =>
    withPhones([phone({ user: 'alice', toneHz: ALICE_HZ })], async (alice) => {
      const carrier = await startSipp({ scenario: 'carrier-rings', address: CARRIER, port: carrierPort })
      await alice.command('dial', 'sip:+15551230004@example.test')
      await alice.event('CALL_RINGING')
      await alice.command('hangup')
      await carrier.succeeded()
      await carrier.stop()
    }))

  test('the carrier gives up: the phone stops ringing', () =>
    withPhones([phone({ user: 'alice', toneHz: ALICE_HZ, answer: 'manual' })], async (alice) => {
      const carrier = await startSipp({
        scenario: 'carrier-calls-and-cancels',
        address: CARRIER,
        gateway: gateway.sip,
        calls: '+15550100',
      })
      await alice.event('CALL_INCOMING')
      await carrier.succeeded()
      await carrier.stop()
      await alice.ended(1)
    }))

  test('a trunk that wants credentials gets those of its own', () =>
    withPhones([phone({ user: 'alice', toneHz: ALICE_HZ })], async (alice) => {
      const carrier = await startSipp({
        scenario: 'carrier-challenges',
        address: CARRIER,
        port: carrierPort,
        echo: true,
      })
      await alice.command('dial', 'sip:+15551230005@example.test')
      await alice.event('CALL_ESTABLISHED')
      await alice.command('hangup')
      await carrier.succeeded()
      await carrier.stop()
    }))

  for (const [number, status] of [
    ['+15550777', '404'],
    ['+15550102', '480'],
  ] as const) {
    test(`a carrier that dials ${number} is told ${status}`, async () => {
      const carrier = await startSipp({
        scenario: 'carrier-calls-and-is-refused',
        address: CARRIER,
        gateway: gateway.sip,
        calls: number,
        words: { REFUSAL: status },
      })
      await carrier.succeeded()
      await carrier.stop()
    })
  }

  test('after all of this no call and no media session is left', async () => {
    const { calls } = await gateway.api<{ calls: { id: string; state: string }[] }>('/v1/calls')
    assert.deepEqual(
      calls.filter((call) => call.state !== 'ended'),
      [],
    )
  })
})

function tenants(carrierPort: number): string {
  return `
  - domain: example.test
    users:
      - { name: alice, password: alice-secret }
      - { name: bob, password: bob-secret }
      - { name: carol, password: carol-secret }
    trunks:
      - { name: carrier, targets: ["sip:${CARRIER}:${carrierPort}"], accept: ["${CARRIER}"], auth: { username: trunkuser, password: trunksecret } }
    routes:
      - { prefix: "+", trunk: carrier }
    numbers:
      - { number: "+15550100", to: "user:alice" }
      - { number: "+15550102", to: "user:carol" }
`
}

async function assertHears(phone: Baresip, hz: number): Promise<void> {
  const heard = await phone.heard()
  const windows = Math.max(0, ...heard.map((pcm) => tonesHeard(pcm, TONES).get(hz) ?? 0))
  assert.ok(windows >= 10, `heard ${hz} Hz in ${windows} windows of 100 ms\n${phone.log().slice(-2_000)}`)
}

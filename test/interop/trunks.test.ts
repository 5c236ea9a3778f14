import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Baresip, startBaresip } from './support/baresip.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { freePort } from './support/ports.ts'
import { type SippOptions, startSipp } from './support/sipp.ts'
import { tonesHeard } from './support/tone.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false

const CARRIER = '127.0.0.2'
const PBX = '127.0.0.3'
const ALICE_HZ = 620
const CARRIER_HZ = 440

interface Ports {
  readonly dead: number
  readonly full: number
  readonly good: number
  readonly pbx: number
}

describe('trunks, as carriers and PBXs are', { skip }, () => {
  let gateway: GatewayProcess
  let ports: Ports

  before(async () => {
    ports = {
      dead: await freePort(CARRIER),
      full: await freePort(CARRIER),
      good: await freePort(CARRIER),
      pbx: await freePort(PBX),
    }
    gateway = await startGateway({ tenants: tenants(ports) })
  })
  after(() => gateway?.stop())

  const withAlice = async (run: (alice: Baresip) => Promise<void>): Promise<void> => {
    const alice = await startBaresip({
      user: 'alice',
      domain: 'example.test',
      password: 'alice-secret',
      registrar: gateway.sip,
      toneHz: ALICE_HZ,
      answer: 'auto',
    })
    try {
      await alice.registered()
      await run(alice)
    } finally {
      await alice.stop()
    }
  }

  test('the first target is dead and the second one full: the third one gets the call', () =>
    withAlice((alice) =>
      withSipp(
        [
          { scenario: 'carrier-unserviceable', address: CARRIER, port: ports.full },
          { scenario: 'carrier-echoes', address: CARRIER, port: ports.good, echo: true },
        ],
        async () => {
          await alice.command('dial', 'sip:+15551230001@example.test')
          await hearsItselfAndHangsUp(alice)
        },
      ),
    ))

  test('a PBX over TCP rings, announces, answers with another SDP and says so twice', () =>
    withAlice((alice) =>
      withSipp(
        [{ scenario: 'carrier-changes-its-mind', address: PBX, port: ports.pbx, transport: 't1', echo: true }],
        async () => {
          await alice.command('dial', 'sip:7001@example.test')
          await hearsItselfAndHangsUp(alice)
        },
      ),
    ))

  test('a number of the carrier belongs to a PBX', () =>
    withSipp([{ scenario: 'carrier-answers', address: PBX, port: ports.pbx, transport: 't1' }], () =>
      withSipp([fromCarrier('carrier-calls', '+15550199')], async () => undefined),
    ))

  test('few words, a late offer, a re-INVITE behind the ACK, UPDATE, OPTIONS, a BYE out of order', () =>
    withAlice((alice) =>
      withSipp([fromCarrier('carrier-calls-tersely', '+15550100')], async () => {
        await alice.event('CALL_ESTABLISHED')
        await alice.ended(1)
        await assertHeard(alice, CARRIER_HZ)
      }),
    ))

  const fromCarrier = (scenario: string, calls: string): SippOptions => {
    return { scenario, address: CARRIER, gateway: gateway.sip, calls, toneHz: CARRIER_HZ }
  }
})

/** Runs `during` beside them; all of them have to end as their scenario says. */
async function withSipp(wanted: readonly SippOptions[], during: () => Promise<void>): Promise<void> {
  const started = await Promise.all(wanted.map(startSipp))
  try {
    await during()
    await Promise.all(started.map((each) => each.succeeded()))
  } finally {
    await Promise.all(started.map((each) => each.stop()))
  }
}

async function hearsItselfAndHangsUp(alice: Baresip): Promise<void> {
  await alice.event('CALL_ESTABLISHED')
  await alice.hasHeard(1.2)
  await alice.command('hangup')
  await alice.ended(1)
  await assertHeard(alice, ALICE_HZ)
}

function tenants({ dead, full, good, pbx }: Ports): string {
  const targets = [`sip:${CARRIER}:${dead};transport=tcp`, `sip:${CARRIER}:${full}`, `sip:${CARRIER}:${good}`]
  return `
  - domain: example.test
    users:
      - { name: alice, password: alice-secret }
    trunks:
      - { name: carrier, targets: ${JSON.stringify(targets)}, accept: ["${CARRIER}"] }
      - { name: pbx, targets: ["sip:${PBX}:${pbx};transport=tcp"], accept: ["${PBX}"] }
    routes:
      - { prefix: "+", trunk: carrier }
      - { prefix: "7", trunk: pbx }
    numbers:
      - { number: "+15550100", to: "user:alice" }
      - { number: "+15550199", to: "trunk:pbx" }
`
}

async function assertHeard(phone: Baresip, hz: number): Promise<void> {
  const heard = await phone.heard()
  const windows = Math.max(0, ...heard.map((pcm) => tonesHeard(pcm, [ALICE_HZ, CARRIER_HZ]).get(hz) ?? 0))
  assert.ok(windows >= 8, `heard ${hz} Hz in ${windows} windows of 100 ms\n${phone.log().slice(-2_000)}`)
}

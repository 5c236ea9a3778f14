import { after, before, describe, test } from 'node:test'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { freePort } from './support/ports.ts'
import { type Sipp, type SippOptions, startSipp } from './support/sipp.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false

const CARRIER = '127.0.0.2'
const PBX = '127.0.0.3'

interface Ports {
  readonly pbx: number
  /** Another machine of the PBX. */
  readonly second: number
  /** A PBX that wants to offer itself. */
  readonly late: number
}

describe('extensions of SIP, between a carrier and a PBX', { skip }, () => {
  let gateway: GatewayProcess
  let ports: Ports

  before(async () => {
    ports = { pbx: await freePort(PBX), second: await freePort(PBX), late: await freePort(PBX) }
    gateway = await startGateway({ tenants: tenants(ports) })
  })
  after(() => gateway?.stop())

  test('100rel, PRACK and an early UPDATE', () =>
    succeed({ scenario: 'pbx-answers-reliably', port: ports.pbx }, fromCarrier('carrier-calls-reliably')))

  test('session timers that are too short on both sides', () =>
    succeed({ scenario: 'pbx-wants-longer-session', port: ports.pbx }, fromCarrier('carrier-calls-with-timer')))

  test('a PBX that redirects to its second machine', () =>
    succeed(
      { scenario: 'pbx-redirects', port: ports.pbx, words: { OTHER: `${PBX}:${ports.second}` } },
      { scenario: 'carrier-answers', port: ports.second },
      fromCarrier('carrier-calls'),
    ))

  test('a PBX that wants to offer, called by a carrier that offers', () =>
    succeed({ scenario: 'pbx-offers', port: ports.late }, fromCarrier('carrier-calls', '+15550198')))

  const fromCarrier = (scenario: string, calls = '+15550199'): SippOptions => {
    return { scenario, address: CARRIER, gateway: gateway.sip, calls }
  }
})

/** Starts them in this order, the PBX first; all have to end as their scenarios say. */
async function succeed(...wanted: readonly SippOptions[]): Promise<void> {
  const started: Sipp[] = []
  try {
    for (const options of wanted) started.push(await startSipp({ address: PBX, ...options }))
    await Promise.all(started.map((each) => each.succeeded()))
  } finally {
    await Promise.all(started.map((each) => each.stop()))
  }
}

function tenants({ pbx, late }: Ports): string {
  return `
  - domain: example.test
    trunks:
      - { name: carrier, targets: ["sip:${CARRIER}:5060"], accept: ["${CARRIER}"] }
      - { name: pbx, targets: ["sip:${PBX}:${pbx}"], accept: ["${PBX}"] }
      - { name: late, targets: ["sip:${PBX}:${late}"], lateOffer: true }
    numbers:
      - { number: "+15550199", to: "trunk:pbx" }
      - { number: "+15550198", to: "trunk:late" }
`
}

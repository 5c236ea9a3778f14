import { after, before, describe, test } from 'node:test'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { freePort } from './support/ports.ts'
import { type Sipp, startSipp } from './support/sipp.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false

const CARRIER = '127.0.0.2'
const PBX = '127.0.0.3'

describe('extensions of SIP, between a carrier and a PBX', { skip }, () => {
  let gateway: GatewayProcess
  let port: number

  before(async () => {
    port = await freePort(PBX)
    gateway = await startGateway({ tenants: tenants(port) })
  })
  after(() => gateway?.stop())

  for (const [what, caller, callee] of [
    ['100rel, PRACK and an early UPDATE', 'carrier-calls-reliably', 'pbx-answers-reliably'],
    ['session timers that are too short on both sides', 'carrier-calls-with-timer', 'pbx-wants-longer-session'],
  ] as const) {
    test(what, async () => {
      const pbx = await startSipp({ scenario: callee, address: PBX, port })
      const carrier = await startSipp({ scenario: caller, address: CARRIER, gateway: gateway.sip, calls: '+15550199' })
      await bothSucceed(carrier, pbx)
    })
  }
})

async function bothSucceed(...all: readonly Sipp[]): Promise<void> {
  try {
    await Promise.all(all.map((each) => each.succeeded()))
  } finally {
    await Promise.all(all.map((each) => each.stop()))
  }
}

function tenants(port: number): string {
  return `
  - domain: example.test
    trunks:
      - { name: carrier, targets: ["sip:${CARRIER}:5060"], accept: ["${CARRIER}"] }
      - { name: pbx, targets: ["sip:${PBX}:${port}"], accept: ["${PBX}"] }
    numbers:
      - { number: "+15550199", to: "trunk:pbx" }
`
}

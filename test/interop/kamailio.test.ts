import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Baresip, startBaresip } from './support/baresip.ts'
import type { Child } from './support/child.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { type KamailioOptions, kamailioPlaces, startKamailio } from './support/kamailio.ts'
import { hostPort } from './support/ports.ts'
import { tonesHeard } from './support/tone.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false

const HZ = { alice: 620, bob: 440, carol: 880 } as const
type Who = keyof typeof HZ

/** The phones' address too: baresip names it in its SDP only to a registrar that has it. */
const CARRIER = '127.0.0.1'
const REALM = 'carrier.test'

describe('Kamailio in the way', { skip }, () => {
  let gateway: GatewayProcess
  let kamailio: Child
  let edge: KamailioOptions['edge']
  let carrierPort: number

  before(async () => {
    ;({ edge, carrierPort } = await kamailioPlaces())
    gateway = await startGateway({ tenants: tenants(carrierPort) })
    const carrier = { host: CARRIER, port: carrierPort, realm: REALM, subscriber: 'carol', password: 'trunk-secret' }
    kamailio = await startKamailio({ gateway: gateway.sip, edge, carrier })
  })
  after(async () => {
    await kamailio?.stop()
    await gateway?.stop()
  })

  /** Alice's phone is behind the proxy, bob's is not, carol is the carrier's subscriber. */
  const phoneOf = async (user: Who): Promise<Baresip> => {
    const domain = user === 'carol' ? REALM : 'example.test'
    const atEdge = hostPort(edge.host, edge.port)
    const registrar = { alice: atEdge, bob: gateway.sip, carol: hostPort(CARRIER, carrierPort) }[user]
    const started = await startBaresip({
      ...{ user, domain, registrar, password: `${user}-secret` },
      ...{ toneHz: HZ[user], answer: 'auto' },
    })
    await started.registered()
    return started
  }

  const calls: readonly (readonly [
    what: string,
    caller: Who,
    dials: string,
    callee: Who,
    hangsUp: 'caller' | 'callee',
  ])[] = [
    [
      'a phone behind the proxy is called by its Path, and hangs up',
      'bob',
      'sip:alice@example.test',
      'alice',
      'callee',
    ],
    ['a phone calls through the proxy, and is hung up on', 'alice', 'sip:bob@example.test', 'bob', 'callee'],
    ['a carrier that challenges is called', 'bob', 'sip:+15551230001@example.test', 'carol', 'caller'],
    [
      'the carrier’s subscriber calls a phone behind the proxy',
      'carol',
      'sip:+15550100@example.test',
      'alice',
      'caller',
    ],
  ]
  for (const [what, caller, dials, callee, hangsUp] of calls) {
    test(what, async () => {
      const phones = await Promise.all([phoneOf(caller), phoneOf(callee)])
      const [calling, called] = phones
      try {
        await calling.command('dial', dials)
        await calling.event('CALL_ESTABLISHED')
        await Promise.all(phones.map((each) => each.hasHeard(1.2)))
        await (hangsUp === 'caller' ? calling : called).command('hangup')
        await Promise.all(phones.map((each) => each.ended(1)))
        await assertHeard(calling, callee)
        await assertHeard(called, caller)
      } finally {
        await Promise.all(phones.map((each) => each.stop()))
      }
    })
  }

  test('after all of this no call is left', async () => {
    const { calls: left } = await gateway.api<{ calls: { state: string }[] }>('/v1/calls')
    assert.deepEqual(
      left.filter(({ state }) => state !== 'ended'),
      [],
    )
  })
})

async function assertHeard(listener: Baresip, who: Who): Promise<void> {
  const heard = await listener.heard()
  const windows = Math.max(0, ...heard.map((pcm) => tonesHeard(pcm, Object.values(HZ)).get(HZ[who]) ?? 0))
  assert.ok(windows >= 8, `heard ${who} in ${windows} windows of 100 ms\n${listener.log().slice(-2_000)}`)
}

function tenants(carrierPort: number): string {
  const auth = `{ username: trunkline, password: trunk-secret, realm: ${REALM} }`
  return `
  - domain: example.test
    users:
      - { name: alice, password: alice-secret }
      - { name: bob, password: bob-secret }
    trunks:
      - { name: carrier, targets: ["sip:${CARRIER}:${carrierPort}"], accept: ["${CARRIER}"], auth: ${auth} }
    routes:
      - { prefix: "+", trunk: carrier }
    numbers:
      - { number: "+15550100", to: "user:alice" }
`
}

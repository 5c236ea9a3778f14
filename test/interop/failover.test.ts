import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DnsServer } from '../support/dns-server.ts'
import { startBaresip } from './support/baresip.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { freePort } from './support/ports.ts'
import { startSipp } from './support/sipp.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false

const CARRIER = '127.0.0.2'

interface CallDetail {
  readonly timeline: readonly { readonly kind: string; readonly summary: string }[]
}

describe('a trunk that is a domain', { skip }, () => {
  let dns: DnsServer
  let gateway: GatewayProcess
  let ports: { readonly dead: number; readonly full: number; readonly good: number }

  before(async () => {
    ports = { dead: await freePort(CARRIER), full: await freePort(CARRIER), good: await freePort(CARRIER) }
    const services = [ports.dead, ports.full, ports.good].map((port, priority) => {
      return { priority, weight: 0, port, target: 'sbc.carrier.test' }
    })
    const service = '_sip._udp.carrier.test'
    const pointer = { order: 1, preference: 1, flags: 's', service: 'SIP+D2U', regexp: '', replacement: service }
    dns = await DnsServer.start({
      entries: {
        'carrier.test': [{ type: 'NAPTR', pointers: [pointer] }],
        [service]: [{ type: 'SRV', services }],
        'sbc.carrier.test': [{ type: 'A', addresses: [CARRIER] }],
      },
    })
    gateway = await startGateway({
      config: [
        `dns: { servers: ["127.0.0.1:${dns.address.port}"], timeoutSeconds: 30 }`,
        'failover: { silenceSeconds: 3 }',
      ],
      tenants: `
  - domain: example.test
    users:
      - { name: alice, password: alice-secret }
    trunks:
      - { name: carrier, targets: ["sip:carrier.test"], accept: ["${CARRIER}"] }
    routes:
      - { prefix: "+", trunk: carrier }
`,
    })
  })
  after(async () => {
    await gateway?.stop()
    await dns?.stop()
  })

  test('a domain whose first server is dead and whose second is full: the third one gets the call', async () => {
    const full = await startSipp({ scenario: 'carrier-unserviceable', address: CARRIER, port: ports.full })
    const good = await startSipp({ scenario: 'carrier-echoes', address: CARRIER, port: ports.good, echo: true })
    const alice = await startBaresip({
      user: 'alice',
      domain: 'example.test',
      password: 'alice-secret',
      registrar: gateway.sip,
      toneHz: 620,
      answer: 'auto',
    })
    try {
      await alice.registered()
      await alice.command('dial', 'sip:+15551230001@example.test')
      await alice.event('CALL_ESTABLISHED')
      await alice.command('hangup')
      await alice.ended(1)
      await Promise.all([full.succeeded(), good.succeeded()])
      await toldWhy()
    } finally {
      await Promise.all([alice.stop(), full.stop(), good.stop()])
    }
  })

  /** Whoever looks at the call sees which server was tried, and why the next one. */
  async function toldWhy(): Promise<void> {
    const { calls } = await gateway.api<{ readonly calls: readonly { readonly id: string }[] }>('/v1/calls')
    const [call] = calls
    assert.ok(call)
    const { timeline } = await gateway.api<CallDetail>(`/v1/calls/${call.id}`)
    const notes = timeline.filter(({ kind }) => kind === 'note').map(({ summary }) => summary)
    const places = [ports.dead, ports.full, ports.good].map((port) => `udp ${CARRIER}:${port}`)
    for (const note of [`Servers of carrier.test: ${places.join(', ')}`, 'No sign of life', 'Failed with 503']) {
      assert.ok(notes.includes(note), `no "${note}" among:\n${notes.join('\n')}`)
    }
    const metrics = await (await fetch(`${gateway.http}/metrics`)).text()
    assert.match(metrics, /trunkline_sip_target_failures_total\{cause="silent"\} 1/)
    assert.match(metrics, /trunkline_sip_target_failures_total\{cause="503"\} 1/)
    assert.match(metrics, /trunkline_dns_answers_total\{type="SRV",outcome="found"\} 1/)
  }
})

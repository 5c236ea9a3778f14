import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { seededRandom } from '../support/random.ts'
import { eventually } from './support/eventually.ts'
import { figures, growth, residentBytes } from './support/figures.ts'
import { flood } from './support/flood.ts'
import { type GatewayProcess, startGateway } from './support/gateway.ts'
import { DOMAIN, sipRequest } from './support/sip-text.ts'
import { goodCall, nothingIsLeft, openWitness, plainOffer, TENANTS, type Witness } from './support/witness.ts'

const skip = process.env.TRUNKLINE_SKIP_INTEROP ?? false
const REGISTERS = 20_000
const OPTIONS = 20_000
const INVITES = 5_000
/** Nobody acknowledges these. */
const HALF_INVITES = 2_000
const DATAGRAMS = 50_000
const BURST = 500
/** The memory after a second flood over that after the first. */
const FLAT = 1.3
/** So little that the collector has to run during a flood: what it cannot free shows, and 2 kB for each request kills. */
const HEAP_MIB = 144
const MIB = 1_048_576

describe('a flood', { skip }, () => {
  let gateway: GatewayProcess
  let witness: Witness
  let mediaPort = 0

  before(async () => {
    gateway = await startGateway({ tenants: TENANTS, heapMiB: HEAP_MIB })
    witness = await openWitness(gateway, 'phone')
    const browser = await openWitness(gateway, 'browser', 'bob')
    mediaPort = browser.media.port
    await browser.hangUp()
  })
  after(async () => {
    await witness?.hangUp()
    await gateway?.stop()
  })

  test('of requests and garbage leaves calls their way and memory as it was', async (t) => {
    const before = await figures(gateway)
    await wave(1)
    const first = await settledMemory()
    await wave(2)
    const second = await settledMemory()
    const grown = await figures(gateway)
    t.diagnostic(`resident: ${Math.round(first / MIB)} MiB, then ${Math.round(second / MIB)} MiB`)
    assert.ok(second < first * FLAT, `${first} bytes after the first flood, ${second} after the second`)
    const received = growth(
      before,
      grown,
      'trunkline_sip_messages_total{direction="in",transport="udp",what="REGISTER"}',
    )
    assert.ok(received > 1.9 * REGISTERS, `${received} REGISTER were counted`)
    await witness.isUnharmed()
    await Promise.all([goodCall(gateway, 'phone'), goodCall(gateway, 'browser')])
    await nothingIsLeft(gateway, 1)
    await witness.hangUp()
    await nothingIsLeft(gateway)
  })

  /** One flood of everything, with calls in the middle of it. */
  async function wave(number: number): Promise<void> {
    const name = (n: number): string => `w${number}n${n}`
    const uri = `sip:${DOMAIN}`
    const strangers = flood({
      to: gateway.sip,
      count: REGISTERS,
      message: (n, sentBy) => {
        return sipRequest(
          { via: 'UDP', sentBy },
          { method: 'REGISTER', uri, to: `sip:${name(n)}@${DOMAIN}`, from: name(n) },
        )
      },
    })
    await goodCall(gateway, 'phone')
    const registers = await strangers
    const questions = flood({
      to: gateway.sip,
      count: OPTIONS,
      message: (n, sentBy) => sipRequest({ via: 'UDP', sentBy }, { method: 'OPTIONS', uri, from: name(n) }),
    })
    await goodCall(gateway, 'browser')
    const options = await questions
    const invites = await flood({ to: gateway.sip, count: INVITES, message: (n, sentBy) => invite(sentBy, name(n)) })
    const halves = await flood({
      to: gateway.sip,
      count: HALF_INVITES,
      message: (n, sentBy) => invite(sentBy, name(n)).replace('CSeq: 1 ', 'CSeq: 7 '),
    })
    await garbage(number)
    assert.ok((registers.get('401') ?? 0) > 0.95 * REGISTERS, JSON.stringify([...registers]))
    assert.ok((options.get('200') ?? 0) > 0.95 * OPTIONS, JSON.stringify([...options]))
    assert.ok((invites.get('407') ?? 0) > 0.95 * INVITES, JSON.stringify([...invites]))
    assert.ok((halves.get('407') ?? 0) > 0.95 * HALF_INVITES, JSON.stringify([...halves]))
  }

  function invite(sentBy: string, from: string): string {
    const uri = `sip:*43@${DOMAIN}`
    return sipRequest({ via: 'UDP', sentBy }, { method: 'INVITE', uri, from, sdp: plainOffer(9) })
  }

  async function garbage(seed: number): Promise<void> {
    const random = seededRandom(seed)
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.5')
    await once(socket, 'listening')
    for (let sent = 0; sent < DATAGRAMS; sent += BURST) {
      for (let n = 0; n < BURST; n++) {
        const bytes = Buffer.alloc(random.between(1, 200), random.between(0, 255))
        socket.send(bytes, mediaPort, '127.0.0.1', () => undefined)
      }
      await fetch(`${gateway.http}/healthz`) // Answered after the gateway has had a turn for what was sent.
    }
    socket.close()
  }

  /** The memory once nothing is left of the flood and the collector has been through: the least of several looks. */
  async function settledMemory(): Promise<number> {
    const pid = gateway.child.process.pid ?? 0
    await eventually(async () => {
      const active = (await figures(gateway)).get('trunkline_sip_transactions_active') ?? 0
      assert.ok(active < 100, `${active} transactions`)
    }, 40_000)
    let least = Number.POSITIVE_INFINITY
    for (let look = 0; look < 40; look++) {
      await figures(gateway) // A little work for the gateway, so that its collector has reason to run.
      least = Math.min(least, residentBytes(pid))
    }
    return least
  }
})

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as elapsed } from 'node:timers/promises'
import { Secret, seededIds } from '../../src/base/index.ts'
import { createGateway, type Gateway } from '../../src/gateway/index.ts'
import { createFakeEngine } from '../../src/media/engines/fake/index.ts'
import { exampleTenant } from '../support/core-rig.ts'
import { type FlappingNetwork, openFlappingNetwork } from './support/flapping.ts'
import { jsSipClient, type StockCall, type StockClient, sipJsClient } from './support/stock-clients.ts'

/** Bound of one step: far more than it takes. */
const STEP_MS = 30_000
const CUTS_SECONDS = [1, 5, 30]
const STACKS = { jssip: jsSipClient, sipjs: sipJsClient } as const
type Stack = keyof typeof STACKS

/** What happens to a client, to be awaited whether it has happened already or not. */
class Happenings {
  readonly #seen: { readonly what: string; readonly call?: StockCall | undefined }[] = []
  readonly #news = new EventEmitter()

  readonly events = {
    registered: () => this.#tell('registered'),
    disconnected: () => this.#tell('disconnected'),
    established: (call: StockCall) => this.#tell('established', call),
    reinvited: (call: StockCall) => this.#tell('reinvited', call),
    ended: (call: StockCall) => this.#tell('ended', call),
  }

  /** The next such happening; others stay. */
  async next(what: string): Promise<StockCall> {
    for (;;) {
      const at = this.#seen.findIndex((each) => each.what === what)
      const [found] = at === -1 ? [] : this.#seen.splice(at, 1)
      if (found !== undefined) return found.call ?? { hold: () => Promise.resolve(false), hangUp: () => undefined }
      await once(this.#news, 'news', { signal: AbortSignal.timeout(STEP_MS) }).catch(() => {
        throw new Error(`no ${what}; there was: ${this.#seen.map((each) => each.what).join(', ')}`)
      })
    }
  }

  saw(what: string): boolean {
    return this.#seen.some((each) => each.what === what)
  }

  #tell(what: string, call?: StockCall): void {
    this.#seen.push({ what, call })
    this.#news.emit('news')
  }
}

describe('stock clients over a network that is cut', { concurrency: true }, () => {
  const http = createServer()
  let gateway: Gateway
  const open: (() => unknown)[] = []
  const users = Object.keys(STACKS).flatMap((stack) =>
    CUTS_SECONDS.flatMap((cut) => ['cut', 'safe'].map((role) => `${stack}-${cut}-${role}`)),
  )

  before(async () => {
    gateway = await createGateway({
      listen: { sip: [{ transport: 'udp', host: '127.0.0.1', port: 0 }] },
      tenants: [{ ...exampleTenant(), users: users.map((name) => ({ name, password: new Secret(`of ${name}`) })) }],
      engine: createFakeEngine({ ids: seededIds(1) }),
      log: {
        debug() {},
        info() {},
        warn() {},
        error: (fields, text) => assert.fail(`${text} ${JSON.stringify(fields)}`),
      },
      registrar: { graceMs: STEP_MS }, // The test is not about how fast a loaded machine is.
      product: 'Trunkline/test',
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    gateway.attachWebSocket(http)
  })
  after(async () => {
    for (const close of open.toReversed()) await close()
    await gateway.stop()
    http.closeAllConnections()
    http.close()
  })

  const start = async (stack: Stack, user: string, port: number): Promise<[StockClient, Happenings]> => {
    const happenings = new Happenings()
    const account = { webSocket: `ws://127.0.0.1:${port}/sip`, user, password: `of ${user}`, domain: 'example.test' }
    const client = await STACKS[stack](account, happenings.events)
    open.push(() => client.stop())
    await happenings.next('registered')
    return [client, happenings]
  }

  for (const stack of ['jssip', 'sipjs'] as const) {
    for (const seconds of CUTS_SECONDS) {
      test(`${stack}: its calls outlive ${seconds} s without network, and go on in both directions`, async () => {
        const [mine, theirs] = [`${stack}-${seconds}-cut`, `${stack}-${seconds}-safe`]
        const { port } = http.address() as AddressInfo
        const network: FlappingNetwork = await openFlappingNetwork(port)
        open.push(() => network.close())
        const [alice, atAlice] = await start(stack, mine, network.port)
        const [bob, atBob] = await start(stack, theirs, port)
        // One call that Alice began and one that Bob began.
        alice.call(theirs)
        const [first, firstAtBob] = [await atAlice.next('established'), await atBob.next('established')]
        bob.call(mine)
        const [second, secondAtBob] = [await atAlice.next('established'), await atBob.next('established')]
        network.cut()
        await atAlice.next('disconnected')
        if (seconds === 1) bob.call(mine) // A call to a browser that is away for a moment waits for it.
        await elapsed(seconds * 1_000)
        network.restore()
        await atAlice.next('registered')
        if (seconds === 1) {
          const waited = await atAlice.next('established')
          await atBob.next('established')
          waited.hangUp()
          await Promise.all([atAlice.next('ended'), atBob.next('ended')])
        }
        assert.deepEqual([atAlice.saw('ended'), atBob.saw('ended')], [false, false])
        for (const [own, other] of [
          [first, firstAtBob],
          [second, secondAtBob],
        ] as const) {
          assert.equal(await own.hold(), true, 're-INVITE of the one whose network was cut')
          await atBob.next('reinvited')
          assert.equal(await other.hold(), true, 're-INVITE to it')
          await atAlice.next('reinvited')
        }
        first.hangUp()
        await Promise.all([atAlice.next('ended'), atBob.next('ended')])
        secondAtBob.hangUp()
        await Promise.all([atAlice.next('ended'), atBob.next('ended')])
      })
    }
  }
})

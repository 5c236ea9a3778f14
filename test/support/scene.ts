import assert from 'node:assert/strict'
import type { TimelineEntry } from '../../src/api/index.ts'
import { CARRIER, GatewayNode } from './gateway-node.ts'
import { GOOD_NETWORK, type NetworkConditions } from './network.ts'
import { Phone } from './phone.ts'
import type { PhoneCall } from './phone-call.ts'
import { World } from './world.ts'

const MINUTE = 60_000
const HALF_AN_HOUR = 30 * MINUTE

/** A gateway, two phones and a browser of its users, and a carrier with two machines. */
export interface Scene {
  readonly world: World
  readonly gateway: GatewayNode
  /** SIP phone of alice. */
  readonly alice: Phone
  /** SIP phone of bob. */
  readonly bob: Phone
  /** Browser of bob. Not registered until the test does it. */
  readonly browser: Phone
  readonly carrier: Phone
  readonly backup: Phone
  readonly phones: readonly Phone[]
}

/** Builds the scene; alice's and bob's phones register on a good network before the given conditions begin. */
export async function openScene(seed = 1, conditions: NetworkConditions = GOOD_NETWORK): Promise<Scene> {
  const world = new World(seed, GOOD_NETWORK)
  const gateway = world.add(new GatewayNode(world, seed))
  const phone = (user: string, address: string, transport: 'udp' | 'ws' = 'udp'): Phone => {
    gateway.connect(address, transport)
    return world.add(new Phone(world, { user, address, transport }))
  }
  const alice = phone('alice', '198.51.100.7')
  const bob = phone('bob', '198.51.100.8')
  const browser = phone('bob', '198.51.100.9', 'ws')
  const carrier = phone('+15550100', CARRIER[0])
  const backup = phone('+15550100', CARRIER[1])
  alice.register()
  bob.register()
  await world.run(1_000)
  assert.ok(alice.registered && bob.registered, 'the phones could not register')
  world.network.conditions = conditions
  return { world, gateway, alice, bob, browser, carrier, backup, phones: [alice, bob, browser, carrier, backup] }
}

/** Rings at once and answers after `ms`. */
export function answersAfter(phone: Phone, ms: number): void {
  phone.onInvite = (call) => {
    call.ring()
    phone.world.after(ms, () => call.answer())
  }
}

/** Runs until every timer has had its time and checks that nothing is left anywhere. */
export async function assertNothingLeft(scene: Scene): Promise<void> {
  const { gateway, phones, world } = scene
  await world.run(10 * MINUTE)
  for (const phone of phones) {
    for (const call of phone.calls) assert.ok(call.isOver, `${phone.user}: ${call.state}, ${call.log.join(', ')}`)
    assert.equal(phone.transactions, 0)
    assert.equal(phone.deadline(), undefined, 'a timer of a phone runs')
  }
  assert.deepEqual(gateway.errors, [])
  assert.equal(gateway.core.counts().calls, 0)
  assert.equal(gateway.core.counts().transactions, 0)
  const timer = (gateway.core.deadline() ?? Number.POSITIVE_INFINITY) - world.now
  assert.ok(timer > HALF_AN_HOUR, `a timer runs that ends in ${timer} ms; only registrations may have one`)
  assert.deepEqual(gateway.engine.sessions(), [])
  const ids = gateway.ended.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length, 'a call ended twice')
  for (const id of ids) {
    const faults = gateway.core.call(id)?.timeline.filter(isOurFault) ?? []
    assert.deepEqual(
      faults,
      [],
      JSON.stringify(
        gateway.core
          .call(id)
          ?.timeline.map((entry) => [
            entry.at,
            entry.leg,
            entry.kind === 'sip' ? `${entry.direction} ${entry.summary}` : entry.summary,
          ]),
        null,
        1,
      ),
    )
  }
}

/** A bug that the call survived, or a wait that only the last resort ended. */
function isOurFault(entry: TimelineEntry): boolean {
  return entry.kind === 'note' && (entry.facts?.code === 'INTERNAL' || entry.summary.startsWith('Gave up'))
}

export interface Up extends Scene {
  readonly calling: PhoneCall
  readonly called: PhoneCall
}

/** A call of alice to bob's phone, answered after a second, up for another. */
export async function callUp(options: Parameters<Phone['call']>[1] = {}): Promise<Up> {
  const scene = await openScene()
  answersAfter(scene.bob, 1_000)
  const calling = scene.alice.call('bob', options)
  await scene.world.run(2_000)
  const called = scene.bob.calls[0]
  assert.ok(called)
  assert.deepEqual([calling.state, called.state], ['up', 'up'])
  return { ...scene, calling, called }
}

/** Status and culprit of every call that ended. */
export function outcomes({ gateway }: Scene): unknown[] {
  return gateway.ended.map(({ status, endedBy }) => [status, endedBy])
}

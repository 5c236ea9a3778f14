import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { BAD_NETWORK } from '../support/network.ts'
import type { Phone } from '../support/phone.ts'
import type { PhoneCall } from '../support/phone-call.ts'
import { assertNothingLeft, openScene, type Scene } from '../support/scene.ts'

/** What people do with telephones. Each is a no-op where it makes no sense. */
type Act =
  | { readonly kind: 'call'; readonly who: number; readonly whom: number; readonly late: boolean }
  | { readonly kind: 'ring' | 'early' | 'answer' | 'cancel' | 'bye' | 'refresh' | 'info'; readonly who: number }
  | { readonly kind: 'refuse'; readonly who: number; readonly status: number }
  | { readonly kind: 'reoffer'; readonly who: number; readonly method: 'INVITE' | 'UPDATE'; readonly hold: boolean }
  | { readonly kind: 'trouble'; readonly which: (typeof TROUBLES)[number] }

/** What goes wrong besides the network. */
const TROUBLES = ['no ports', 'change refused', 'fingerprint wrong', 'ended by the API', 'engine lost'] as const

interface Step {
  readonly act: Act
  /** Time until the next. */
  readonly waitMs: number
}

const WHOM = ['alice', 'bob', '+15550123', '*43', '*41', 'nobody'] as const

const who = fc.nat({ max: 4 })
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('trouble' as const), which: fc.constantFrom(...TROUBLES) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      who,
      whom: fc.nat({ max: WHOM.length - 1 }),
      late: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'ring' as const,
        'early' as const,
        'answer' as const,
        'answer' as const,
        'cancel' as const,
        'bye' as const,
        'refresh' as const,
        'info' as const,
      ),
      who,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('refuse' as const),
      who,
      status: fc.constantFrom(302, 404, 408, 480, 486, 500, 503, 600, 603),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('reoffer' as const),
      who,
      method: fc.constantFrom('INVITE' as const, 'UPDATE' as const),
      hold: fc.boolean(),
    }),
  },
)
const steps = fc.array(fc.record({ act, waitMs: fc.constantFrom(0, 10, 100, 1_000, 5_000, 33_000) }), {
  minLength: 3,
  maxLength: 25,
})

function perform(scene: Scene, one: Act): void {
  if (one.kind === 'trouble') return cause(scene, one.which)
  const phone: Phone = scene.phones[one.who] ?? scene.alice
  if (one.kind === 'call') return void phone.call(WHOM[one.whom] ?? 'bob', { late: one.late })
  const call: PhoneCall | undefined = phone.calls.findLast((each) => !each.isOver)
  switch (one.kind) {
    case 'ring':
      return call?.ring()
    case 'early':
      return call?.ring(183, { sdp: true })
    case 'reoffer':
      return call?.reoffer(one.method, one.hold)
    case 'refuse':
      return call?.refuse(one.status)
    case 'info':
      return call?.info('1')
    default:
      return call?.[one.kind]()
  }
}

function cause({ gateway, world }: Scene, trouble: (typeof TROUBLES)[number]): void {
  const call = gateway.core.calls().find(({ endedAt }) => endedAt === undefined)?.id
  if (trouble === 'no ports') return gateway.engine.failNext('open', 'MEDIA_PORTS_EXHAUSTED')
  if (trouble === 'change refused') return gateway.engine.failNext('change', 'MEDIA_PORTS_EXHAUSTED')
  if (trouble === 'engine lost') {
    for (const { id } of gateway.engine.sessions()) void gateway.engine.close(id)
    return gateway.handle({ kind: 'media', event: { kind: 'engine-lost', detail: 'a test' } }, world.now)
  }
  if (call === undefined) return
  if (trouble === 'ended by the API') return gateway.handle({ kind: 'end-call', call, reason: 'a test' }, world.now)
  const event = { kind: 'failed', session: call, side: 'a', code: 'MEDIA_SPEC_INVALID', detail: 'a test' } as const
  gateway.handle({ kind: 'media', event }, world.now)
}

/** Everybody goes home: whatever is still up is hung up, refused or cancelled, again and again until all are gone. */
async function goHome(scene: Scene): Promise<void> {
  for (let round = 0; round < 4; round++) {
    for (const call of scene.phones.flatMap(({ calls }) => calls)) {
      call.cancel()
      call.refuse(480)
      call.bye()
    }
    await scene.world.run(60_000)
  }
}

async function play(seed: number, script: readonly Step[]): Promise<void> {
  const scene = await openScene(seed)
  scene.browser.register()
  await scene.world.run(1_000)
  scene.world.network.conditions = BAD_NETWORK
  for (const { act: one, waitMs } of script) {
    perform(scene, one)
    await scene.world.run(waitMs)
  }
  await goHome(scene)
  await assertNothingLeft(scene)
}

describe('a network that loses 30 %, duplicates 10 % and reorders', () => {
  test('a plain call ends on both sides, and once, whatever the network does: 150 seeds', async () => {
    let talked = 0
    for (let seed = 1; seed <= 150; seed++) {
      const scene = await openScene(seed, BAD_NETWORK)
      scene.bob.onInvite = (call) => {
        call.ring()
        scene.world.after(2_000, () => call.answer())
      }
      const call = scene.alice.call('bob')
      await scene.world.run(40_000)
      if (call.state === 'up') talked++
      call.cancel()
      call.bye()
      await scene.world.run(70_000)
      scene.bob.calls[0]?.bye()
      await assertNothingLeft(scene)
      assert.ok(scene.gateway.ended.length <= 1, `seed ${seed}`)
    }
    assert.ok(talked > 140, `only ${talked} of 150 came up: retransmission does not do its work`)
  })

  test('law: whatever people do, every call ends once and nothing is left of it', async () => {
    await fc.assert(fc.asyncProperty(fc.nat({ max: 1_000_000 }), steps, play), { numRuns: 150, endOnFailure: false })
  })
})

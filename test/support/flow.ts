import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkConditions } from './network.ts'
import { seededRandom } from './random.ts'
import { assertNothingLeft, openScene, type Scene } from './scene.ts'

/** A scene in which a call flow of an RFC is played. */
export interface Stage extends Scene {
  /** Looks at the outcome. On a bad network, where anything may have happened, nothing is looked at. */
  check(look: () => void): void
}

/** Bad networks that each flow is played on. More with `TRUNKLINE_SEEDS`. */
const SEEDS = Number(process.env.TRUNKLINE_SEEDS ?? 8)

/**
 * A call flow of an RFC, played twice over: on a good network, where each message has the place that the RFC gives it;
 * and on many bad ones, where only the law counts that both legs end and that no transaction or timer stays.
 */
export function flow(title: string, play: (stage: Stage) => Promise<void>): void {
  test(title, async () => {
    const scene = await openScene()
    await play({ ...scene, check: (look) => look() })
    await assertNothingLeft(scene)
    await playBadly(play)
  })
}

async function playBadly(play: (stage: Stage) => Promise<void>): Promise<void> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const conditions = conditionsOf(seed)
    try {
      const scene = await openScene(seed, conditions)
      cutOff(scene)
      await play({ ...scene, check: () => {} })
      await everybodyGoesHome(scene)
      await assertNothingLeft(scene)
    } catch (thrown) {
      const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
      assert.fail(`seed ${seed}, ${JSON.stringify(conditions)}: ${reason}`)
    }
  }
}

/** Up to four in ten datagrams are lost, up to a quarter comes twice, and some arrive seconds late. */
function conditionsOf(seed: number): NetworkConditions {
  const random = seededRandom(seed * 7919)
  return {
    loss: random.fraction() * 0.4,
    duplication: random.fraction() * 0.25,
    delayMs: [1, random.pick([20, 120, 600, 3_000])],
  }
}

/** In every second world somebody is out of reach for a while: in the middle of a transaction, or longer than any takes. */
function cutOff({ world, alice, bob, carrier }: Scene): void {
  const { random, network } = world
  if (random.fraction() < 0.5) return
  const { address } = random.pick([alice, bob, carrier])
  world.after(random.between(0, 6_000), () => network.cut.add(address))
  world.after(random.pick([8_000, 40_000, 90_000]), () => network.cut.delete(address))
}

/** Whatever is still up is hung up, refused or cancelled, again and again until all are gone. */
export async function everybodyGoesHome(scene: Scene): Promise<void> {
  for (let round = 0; round < 4; round++) {
    for (const call of scene.phones.flatMap(({ calls }) => calls)) {
      call.cancel()
      call.refuse(480)
      call.bye()
    }
    await scene.world.run(60_000)
  }
}

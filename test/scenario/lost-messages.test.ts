import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { answersAfter, assertNothingLeft, callUp, openScene, outcomes } from '../support/scene.ts'

describe('lost messages', () => {
  const lost: readonly (readonly [what: string, drop: RegExp])[] = [
    ['every first ACK', /^ACK /],
    ['every first BYE', /^BYE /],
    ['every first 200', /^SIP\/2\.0 200/],
    ['every first INVITE', /^INVITE /],
  ]
  for (const [what, pattern] of lost) {
    test(`${what} is lost: nobody notices`, async () => {
      const scene = await openScene()
      const seen = new Set<string>()
      scene.world.network.drop = ({ from, to, data }) => {
        const once = `${from} ${to} ${data}`
        if (!pattern.test(data) || seen.has(once)) return false
        seen.add(once)
        return true
      }
      answersAfter(scene.bob, 1_000)
      const call = scene.alice.call('bob')
      await scene.world.run(10_000)
      assert.equal(call.state, 'up')
      call.bye()
      await assertNothingLeft(scene)
      assert.deepEqual(outcomes(scene), [[200, 'caller']])
    })
  }

  test('no ACK ever comes: both parties are hung up', async () => {
    const scene = await openScene()
    scene.world.network.drop = ({ from, data }) => from === scene.alice.address && data.startsWith('ACK ')
    answersAfter(scene.bob, 1_000)
    scene.alice.call('bob')
    await assertNothingLeft(scene)
    assert.deepEqual(outcomes(scene), [[200, 'timer']])
  })

  test('the BYE of the gateway never arrives: the call is over all the same', async () => {
    const scene = await callUp()
    scene.world.network.drop = ({ to, data }) => to === scene.bob.address && data.startsWith('BYE ')
    scene.calling.bye()
    await scene.world.run(40_000)
    assert.equal(scene.gateway.core.counts().calls, 0)
    scene.called.bye()
    await assertNothingLeft(scene)
  })
})

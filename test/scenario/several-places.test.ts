import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CARRIER } from '../support/gateway-node.ts'
import type { PhoneCall } from '../support/phone-call.ts'
import { answersAfter, assertNothingLeft, openScene } from '../support/scene.ts'

describe('several places', () => {
  test('all devices of a user ring; the first that answers gets the call, the others stop', async () => {
    const scene = await openScene()
    const { world, alice, bob, browser } = scene
    browser.register()
    await world.run(1_000)
    answersAfter(bob, 3_000)
    answersAfter(browser, 1_000)
    const call = alice.call('bob')
    await world.run(5_000)
    assert.equal(call.state, 'up')
    assert.deepEqual([bob.calls[0]?.state, browser.calls[0]?.state], ['ended', 'up'])
    call.bye()
    await assertNothingLeft(scene)
  })

  test('two devices answer in the same moment: one talks, the other is hung up', async () => {
    const scene = await openScene()
    const { world, alice, bob, browser } = scene
    browser.register()
    await world.run(1_000)
    answersAfter(bob, 1_000)
    answersAfter(browser, 1_000)
    const call = alice.call('bob')
    await world.run(5_000)
    assert.equal(call.state, 'up')
    assert.deepEqual([bob.calls[0]?.state, browser.calls[0]?.state].sort(), ['ended', 'up'])
    call.bye()
    await assertNothingLeft(scene)
  })

  for (const [how, fails] of [
    ['refuses with 503', (call: PhoneCall) => call.refuse(503)],
    ['is silent', undefined],
  ] as const) {
    test(`a carrier whose first machine ${how} is reached at the second`, async () => {
      const scene = await openScene()
      const { world, alice, carrier, backup } = scene
      if (fails === undefined) world.network.drop = ({ to }) => to === CARRIER[0]
      else carrier.onInvite = fails
      answersAfter(backup, 500)
      const call = alice.call('+15550123')
      await world.run(40_000)
      assert.equal(call.state, 'up')
      call.bye()
      await assertNothingLeft(scene)
    })
  }

  test('a busy line is not tried at the second machine', async () => {
    const scene = await openScene()
    scene.carrier.onInvite = (call) => call.refuse(486)
    const call = scene.alice.call('+15550123')
    await assertNothingLeft(scene)
    assert.equal(call.status, 486)
    assert.equal(scene.backup.calls.length, 0)
  })
})

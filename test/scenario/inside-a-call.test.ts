import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { answersAfter, assertNothingLeft, callUp, openScene, outcomes } from '../support/scene.ts'

describe('inside a call', () => {
  for (const who of ['calling', 'called'] as const) {
    for (const method of ['INVITE', 'UPDATE'] as const) {
      test(`the ${who} party holds and resumes by ${method}`, async () => {
        const scene = await callUp()
        const party = scene[who]
        const other = scene[who === 'calling' ? 'called' : 'calling']
        party.reoffer(method, true)
        await scene.world.run(1_000)
        assert.match(other.heard, /a=sendonly/)
        assert.match(party.heard, /a=recvonly/)
        party.reoffer(method, false)
        await scene.world.run(1_000)
        assert.match(other.heard, /a=sendrecv/)
        assert.match(party.heard, /a=sendrecv/)
        await scene.world.run(40_000) // Longer than anybody waits for an ACK.
        assert.deepEqual([party.state, other.state], ['up', 'up'])
        party.bye()
        await assertNothingLeft(scene)
      })
    }
  }

  for (const who of ['browser', 'phone'] as const) {
    test(`between a browser and a phone the ${who} holds and resumes; roles and payload types stay`, async () => {
      const scene = await openScene()
      const { world, alice, browser, gateway } = scene
      browser.register()
      await world.run(1_000)
      answersAfter(alice, 500)
      const ofBrowser = browser.call('alice')
      await world.run(1_000)
      const ofPhone = alice.calls[0]
      assert.ok(ofPhone)
      const remote = () => gateway.engine.sessions()[0]?.sides.map((side) => side.remote)
      const agreed = remote()
      const party = who === 'browser' ? ofBrowser : ofPhone
      party.reoffer('INVITE', true)
      await world.run(1_000)
      assert.match((who === 'browser' ? ofPhone : ofBrowser).heard, /a=sendonly/)
      assert.notDeepEqual(remote(), agreed)
      party.reoffer('INVITE', false)
      await world.run(1_000)
      assert.deepEqual([ofBrowser.state, ofPhone.state], ['up', 'up'])
      assert.deepEqual(remote(), agreed)
      party.bye()
      await assertNothingLeft(scene)
    })
  }

  test('both hold, one resumes, the other still holds', async () => {
    const scene = await callUp()
    const { calling, called, world } = scene
    for (const party of [calling, called]) {
      party.reoffer('INVITE', true)
      await world.run(1_000)
    }
    assert.match(calling.heard, /a=(inactive|sendonly)/)
    calling.reoffer('INVITE', false)
    await world.run(1_000)
    assert.match(calling.heard, /a=sendonly/)
    called.reoffer('INVITE', false)
    await world.run(1_000)
    assert.match(calling.heard, /a=sendrecv/)
    called.bye()
    await assertNothingLeft(scene)
  })

  test('both renegotiate in the same moment: each gets 491, and later it works', async () => {
    const scene = await callUp()
    const { calling, called, world } = scene
    calling.reoffer('INVITE', true)
    called.reoffer('INVITE', true)
    await world.run(2_000)
    assert.ok(calling.log.includes('INVITE 491') || called.log.includes('INVITE 491'))
    calling.reoffer('INVITE', true)
    await world.run(2_000)
    assert.ok(calling.log.includes('INVITE 200'))
    calling.bye()
    await assertNothingLeft(scene)
  })

  test('INFO reaches the other party', async () => {
    const scene = await callUp()
    scene.calling.info('5')
    await scene.world.run(1_000)
    assert.ok(scene.called.log.includes('INFO'))
    assert.ok(scene.calling.log.includes('INFO 200'))
    scene.calling.bye()
    await assertNothingLeft(scene)
  })

  const TIMER = {
    headers: [
      { name: 'Supported', value: 'timer' },
      { name: 'Session-Expires', value: '90' },
    ],
  }

  test('a caller that refreshes by UPDATE stays for as long as it does so', async () => {
    const scene = await callUp(TIMER)
    for (let refresh = 0; refresh < 5; refresh++) {
      await scene.world.run(45_000)
      scene.calling.refresh()
    }
    await scene.world.run(1_000)
    assert.deepEqual([scene.calling.state, scene.called.state], ['up', 'up'])
    assert.equal(scene.called.log.includes('UPDATE'), false)
    scene.calling.bye()
    await assertNothingLeft(scene)
  })

  test('a caller that vanishes is noticed by its session timer', async () => {
    const scene = await callUp(TIMER)
    scene.world.network.drop = ({ from, to }) => from === scene.alice.address || to === scene.alice.address
    await scene.world.run(80_000)
    assert.equal(scene.called.state, 'ended')
    assert.deepEqual(outcomes(scene), [])
    scene.calling.bye()
    await assertNothingLeft(scene)
    assert.deepEqual(outcomes(scene), [[200, 'timer']])
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { answersAfter, assertNothingLeft, callUp, openScene, outcomes } from '../support/scene.ts'

describe('two parties', () => {
  test('phone to phone: rings, is answered, and the caller hangs up', async () => {
    const scene = await callUp()
    const { calling, called, gateway } = scene
    assert.deepEqual(calling.log, ['180', '200'])
    assert.deepEqual(called.log, ['INVITE', 'ACK'])
    const [session] = gateway.engine.sessions()
    assert.deepEqual(
      session?.sides.map(({ to }) => to),
      [
        { kind: 'side', side: 'b1' },
        { kind: 'side', side: 'a' },
      ],
    )
    calling.bye()
    await assertNothingLeft(scene)
    assert.equal(called.log.at(-1), 'ended: BYE')
    assert.deepEqual(outcomes(scene), [[200, 'caller']])
  })

  test('the called party hangs up', async () => {
    const scene = await callUp()
    scene.called.bye()
    await assertNothingLeft(scene)
    assert.equal(scene.calling.log.at(-1), 'ended: BYE')
    assert.deepEqual(outcomes(scene), [[200, 'callee']])
  })

  for (const caller of ['browser', 'alice'] as const) {
    test(`${caller === 'browser' ? 'browser to phone' : 'phone to browser'}: both get SDP in their own terms`, async () => {
      const scene = await openScene()
      const { world, alice, browser, bob } = scene
      browser.register()
      await world.run(1_000)
      bob.onInvite = (call) => call.refuse(486)
      answersAfter(browser, 500)
      answersAfter(alice, 500)
      const calling = caller === 'browser' ? browser.call('alice') : alice.call('bob')
      await world.run(2_000)
      const called = (caller === 'browser' ? alice : browser).calls.at(-1)
      assert.deepEqual([calling.state, called?.state], ['up', 'up'])
      const [ofBrowser, ofPhone] = caller === 'browser' ? [calling, called] : [called, calling]
      assert.match(ofBrowser?.heard ?? '', /a=ice-lite/)
      assert.match(ofBrowser?.heard ?? '', /UDP\/TLS\/RTP\/SAVPF/)
      assert.match(ofPhone?.heard ?? '', /m=audio 4\d{4} RTP\/AVP/)
      assert.doesNotMatch(ofPhone?.heard ?? '', /ice-|fingerprint/)
      called?.bye()
      await assertNothingLeft(scene)
    })
  }

  test('to the carrier by prefix, and from the carrier to a number', async () => {
    const scene = await openScene()
    const { alice, carrier, world } = scene
    answersAfter(carrier, 500)
    answersAfter(alice, 500)
    const out = alice.call('+15550123')
    await world.run(2_000)
    assert.equal(out.state, 'up')
    out.bye()
    const into = carrier.call('+15550100')
    await world.run(2_000)
    assert.equal(into.state, 'up')
    into.bye()
    await assertNothingLeft(scene)
    assert.deepEqual(
      scene.gateway.ended.map(({ caller, callee }) => [caller.kind, callee?.kind]),
      [
        ['user', 'trunk'],
        ['trunk', 'user'],
      ],
    )
  })

  test('the echo answers at once', async () => {
    const scene = await openScene()
    const call = scene.alice.call('*43')
    await scene.world.run(500)
    assert.equal(call.state, 'up')
    assert.deepEqual(scene.gateway.engine.sessions()[0]?.sides[0]?.to, { kind: 'echo' })
    call.bye()
    await assertNothingLeft(scene)
  })

  test('a caller that offers late and answers in its ACK', async () => {
    const scene = await callUp({ late: true })
    const [session] = scene.gateway.engine.sessions()
    assert.equal(session?.sides.filter(({ remote, to }) => remote && to.kind === 'side').length, 2)
    scene.calling.bye()
    await assertNothingLeft(scene)
  })
})

describe('calls that do not come about', () => {
  for (const status of [404, 480, 486, 488, 503, 603]) {
    test(`the called phone refuses with ${status}`, async () => {
      const scene = await openScene()
      scene.bob.onInvite = (call) => call.refuse(status)
      const call = scene.alice.call('bob')
      await assertNothingLeft(scene)
      assert.equal(call.status, status)
      assert.deepEqual(outcomes(scene), [[status, 'callee']])
    })
  }

  test('nobody of that name: 404', async () => {
    const scene = await openScene()
    const call = scene.alice.call('nobody')
    await assertNothingLeft(scene)
    assert.equal(call.status, 404)
  })

  test('the caller cancels while it rings', async () => {
    const scene = await openScene()
    scene.bob.onInvite = (call) => call.ring()
    const call = scene.alice.call('bob')
    scene.world.after(5_000, () => call.cancel())
    await assertNothingLeft(scene)
    assert.equal(call.status, 487)
    assert.ok(scene.bob.calls[0]?.log.includes('CANCEL'))
  })

  test('the caller cancels before anything was answered', async () => {
    const scene = await openScene()
    scene.alice.call('bob').cancel()
    await assertNothingLeft(scene)
    assert.equal(scene.alice.calls[0]?.status, 487)
  })

  test('CANCEL and 200 cross, at every moment of the race', async () => {
    let won = 0
    for (let lead = -30; lead <= 30; lead += 2) {
      const scene = await openScene()
      const { world, alice, bob } = scene
      answersAfter(bob, 1_000)
      const call = alice.call('bob')
      world.after(1_000 + 20 + lead, () => call.cancel())
      world.after(5_000, () => call.bye()) // If it was too late to cancel.
      await assertNothingLeft(scene)
      assert.ok(call.status === 487 || call.log.includes('ended: left'), `lead ${lead}: ${call.log.join(', ')}`)
      if (call.log.includes('cancel') && call.status === 200) won++
      assert.equal(bob.calls.length, 1)
    }
    assert.ok(won > 0, 'the 200 never won the race')
  })

  test('nobody picks up', async () => {
    const scene = await openScene()
    scene.bob.onInvite = (call) => call.ring()
    const call = scene.alice.call('bob')
    await assertNothingLeft(scene)
    assert.equal(call.status, 480)
    assert.ok(scene.bob.calls[0]?.log.includes('CANCEL'))
  })

  test('the called phone is switched off: 408 or 480 when its time is over', async () => {
    const scene = await openScene()
    scene.world.network.drop = ({ to }) => to === scene.bob.address
    const call = scene.alice.call('bob')
    await assertNothingLeft(scene)
    assert.ok(call.status === 408 || call.status === 480, `${call.status}`)
  })
})

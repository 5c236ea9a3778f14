import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CARRIER } from '../support/gateway-node.ts'
import type { Phone } from '../support/phone.ts'
import type { PhoneCall } from '../support/phone-call.ts'
import { answersAfter, assertNothingLeft, openScene, type Scene } from '../support/scene.ts'

interface Up extends Scene {
  readonly calling: PhoneCall
  readonly called: PhoneCall
}

/** A call of alice to bob's phone, answered after a second, up for another. */
async function callUp(options: Parameters<Phone['call']>[1] = {}): Promise<Up> {
  const scene = await openScene()
  answersAfter(scene.bob, 1_000)
  const calling = scene.alice.call('bob', options)
  await scene.world.run(2_000)
  const called = scene.bob.calls[0]
  assert.ok(called)
  assert.deepEqual([calling.state, called.state], ['up', 'up'])
  return { ...scene, calling, called }
}

function outcomes({ gateway }: Scene): unknown[] {
  return gateway.ended.map(({ status, endedBy }) => [status, endedBy])
}

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
    await scene.world.run(100_000)
    assert.equal(scene.called.state, 'ended')
    assert.deepEqual(outcomes(scene), [])
    scene.calling.bye()
    await assertNothingLeft(scene)
    assert.deepEqual(outcomes(scene), [[200, 'timer']])
  })
})

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

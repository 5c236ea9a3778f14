import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { flow, type Stage } from '../support/flow.ts'
import { answersAfter } from '../support/scene.ts'

const NUMBER = '+15550123'
const MUSIC = '198.51.100.99'

/** Alice calls bob, who answers. */
async function talking({ world, alice, bob }: Stage) {
  answersAfter(bob, 500)
  const ofAlice = alice.call('bob')
  await world.run(2_000)
  const [ofBob] = bob.calls
  return { ofAlice, ofBob }
}

describe('RFC 5359: services of telephones', () => {
  flow('RFC 5359 §2.1: call hold', async (stage) => {
    const { world, check } = stage
    const { ofAlice, ofBob } = await talking(stage)
    ofBob?.reoffer('INVITE', true)
    await world.run(3_000)
    check(() => {
      assert.match(ofAlice.heard, /a=sendonly/)
      assert.match(ofBob?.heard ?? '', /a=recvonly/)
    })
    ofBob?.reoffer('INVITE', false)
    await world.run(3_000)
    check(() => assert.match(ofAlice.heard, /a=sendrecv/))
    ofAlice.bye()
    await world.run(3_000)
    check(() => assert.equal(ofBob?.log.at(-1), 'ended: BYE'))
  })

  flow('RFC 5359 §2.2: consultation hold: bob holds alice, talks with the carrier, comes back', async (stage) => {
    const { world, bob, carrier, check } = stage
    const { ofAlice, ofBob } = await talking(stage)
    ofBob?.reoffer('INVITE', true)
    await world.run(2_000)
    answersAfter(carrier, 500)
    const consulting = bob.call(NUMBER)
    await world.run(3_000)
    check(() => {
      assert.equal(consulting.state, 'up')
      assert.match(ofAlice.heard, /a=sendonly/)
      assert.equal(stage.gateway.core.counts().calls, 2)
    })
    consulting.bye()
    await world.run(2_000)
    ofBob?.reoffer('INVITE', false)
    await world.run(2_000)
    check(() => {
      assert.match(ofAlice.heard, /a=sendrecv/)
      assert.equal(carrier.calls[0]?.state, 'ended')
      assert.deepEqual([ofAlice.state, ofBob?.state], ['up', 'up'])
    })
    ofBob?.bye()
  })

  flow('RFC 5359 §2.3: music on hold comes from a third place', async (stage) => {
    const { world, gateway, check } = stage
    const { ofAlice, ofBob } = await talking(stage)
    const before = JSON.stringify(gateway.engine.sessions()[0]?.sides)
    ofBob?.reoffer('INVITE', true)
    await world.run(2_000)
    ofBob?.moveTo(MUSIC)
    await world.run(2_000)
    check(() => assert.match(JSON.stringify(gateway.engine.sessions()[0]?.sides), new RegExp(MUSIC)))
    ofBob?.moveTo('198.51.100.8')
    await world.run(2_000)
    ofBob?.reoffer('INVITE', false)
    await world.run(2_000)
    check(() => {
      assert.equal(JSON.stringify(gateway.engine.sessions()[0]?.sides), before)
      assert.deepEqual([ofAlice.state, ofBob?.state], ['up', 'up'])
    })
    ofAlice.bye()
  })

  for (const [section, when, before] of [
    ['2.7', 'unconditional', undefined],
    ['2.8', 'when busy', 0],
    ['2.9', 'when nobody answers', 4_000],
  ] as const) {
    flow(`RFC 5359 §${section}: call forwarding, ${when}: the phone says 302, the carrier is called`, async (stage) => {
      const { world, alice, bob, carrier, check } = stage
      bob.onInvite = (call) => {
        const forward = (): void => call.refuse(302, [{ name: 'Contact', value: `<sip:${NUMBER}@example.test>` }])
        if (before === undefined) return forward()
        call.ring()
        world.after(before, forward)
      }
      answersAfter(carrier, 1_000)
      const calling = alice.call('bob')
      await world.run(8_000)
      check(() => {
        assert.deepEqual([calling.state, carrier.calls[0]?.state], ['up', 'up'])
        assert.equal(bob.calls[0]?.state, 'ended')
      })
      carrier.calls[0]?.bye()
      await world.run(2_000)
      check(() => assert.equal(calling.log.at(-1), 'ended: BYE'))
    })
  }

  flow('RFC 5359 §2.12: find-me: every device of bob rings, whoever answers gets the call', async (stage) => {
    const { world, alice, bob, browser, check } = stage
    browser.register()
    await world.run(1_000)
    bob.onInvite = (call) => call.ring()
    answersAfter(browser, 2_000)
    const calling = alice.call('bob')
    await world.run(5_000)
    check(() => {
      assert.equal(calling.state, 'up')
      assert.deepEqual(bob.calls[0]?.log, ['INVITE', 'CANCEL', 'ended: refused 487'])
    })
    calling.bye()
  })

  flow('RFC 5359 §2.13: incoming calls are screened: a carrier reaches its numbers only', async (stage) => {
    const { world, carrier, bob, check } = stage
    const wanted = carrier.call('+15550100')
    const unwanted = carrier.call('bob')
    await world.run(2_000)
    check(() => {
      assert.equal(stage.alice.calls.length, 1)
      assert.deepEqual([unwanted.status, bob.calls.length], [404, 0])
    })
    wanted.cancel()
  })

  flow('RFC 5359 §2.14: outgoing calls are screened: what no route leads to is refused', async (stage) => {
    const { world, alice, carrier, check } = stage
    const calling = alice.call('0190123456')
    await world.run(2_000)
    check(() => assert.deepEqual([calling.status, carrier.calls.length], [404, 0]))
  })
})

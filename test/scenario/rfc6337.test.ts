import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { flow, type Stage } from '../support/flow.ts'
import { answersAfter } from '../support/scene.ts'

async function talking({ world, alice, bob }: Stage, options: { late?: boolean } = {}) {
  answersAfter(bob, 500)
  const ofAlice = alice.call('bob', options)
  await world.run(3_000)
  const [ofBob] = bob.calls
  return { ofAlice, ofBob }
}

/** Every side of the one session is connected to the other. */
function assertConnected({ gateway }: Stage): void {
  const [session] = gateway.engine.sessions()
  assert.deepEqual(
    session?.sides.map(({ to, remote }) => [to.kind, remote !== undefined]),
    [
      ['side', true],
      ['side', true],
    ],
  )
}

describe('RFC 6337: patterns of offer and answer', () => {
  flow('RFC 6337, pattern 1: offer in INVITE, answer in 2xx', async (stage) => {
    const { ofAlice, ofBob } = await talking(stage)
    stage.check(() => {
      assert.match(ofAlice.heard, /m=audio/)
      assert.match(ofBob?.heard ?? '', /m=audio/)
      assertConnected(stage)
    })
    ofBob?.bye()
  })

  flow('RFC 6337, pattern 2: offer in 2xx, answer in ACK', async (stage) => {
    const { ofAlice } = await talking(stage, { late: true })
    stage.check(() => {
      assert.match(ofAlice.heard, /m=audio/)
      assertConnected(stage)
    })
    ofAlice.bye()
  })

  flow('RFC 6337, pattern 2 in a dialog: a re-INVITE without SDP', async (stage) => {
    const { ofAlice, ofBob } = await talking(stage)
    ofBob?.reinviteLate()
    await stage.world.run(3_000)
    stage.check(() => {
      assert.ok(ofBob?.log.includes('INVITE 200'))
      assert.deepEqual([ofAlice.state, ofBob?.state], ['up', 'up'])
      assertConnected(stage)
    })
    ofAlice.bye()
  })

  for (const who of ['ofAlice', 'ofBob'] as const) {
    flow(`RFC 6337, pattern 6: offer in UPDATE, answer in its 2xx (${who})`, async (stage) => {
      const parties = await talking(stage)
      const other = who === 'ofAlice' ? parties.ofBob : parties.ofAlice
      parties[who]?.reoffer('UPDATE', true)
      await stage.world.run(2_000)
      stage.check(() => {
        assert.ok(parties[who]?.log.includes('UPDATE 200'))
        assert.match(other?.heard ?? '', /a=sendonly/)
      })
      parties[who]?.reoffer('UPDATE', false)
      await stage.world.run(2_000)
      stage.check(() => assert.match(other?.heard ?? '', /a=sendrecv/))
      other?.bye()
    })
  }

  flow('RFC 6337 §2.3: an offer that is refused leaves the session as it was', async (stage) => {
    const { ofAlice, ofBob } = await talking(stage)
    const before = JSON.stringify(stage.gateway.engine.sessions())
    if (ofBob) ofBob.refusesOffers = 488
    ofAlice.reoffer('INVITE', true)
    await stage.world.run(3_000)
    stage.check(() => {
      assert.ok(ofAlice.log.includes('INVITE 488'))
      assert.equal(JSON.stringify(stage.gateway.engine.sessions()), before)
      assert.deepEqual([ofAlice.state, ofBob?.state], ['up', 'up'])
    })
    ofAlice.bye()
  })

  flow('RFC 6337 §4.2: glare: both offer at once, one of them later gets its way', async (stage) => {
    const { world, check } = stage
    const { ofAlice, ofBob } = await talking(stage)
    ofAlice.reoffer('INVITE', true)
    ofBob?.reoffer('UPDATE', true)
    await world.run(3_000)
    check(() => assert.ok([...ofAlice.log, ...(ofBob?.log ?? [])].some((entry) => / (491|500)$/.test(entry))))
    ofAlice.reoffer('INVITE', false)
    await world.run(5_000)
    check(() => {
      assert.equal(ofAlice.log.at(-1), 'INVITE 200')
      assert.deepEqual([ofAlice.state, ofBob?.state], ['up', 'up'])
    })
    ofBob?.bye()
  })

  flow('RFC 6337 §4.1: a re-INVITE overtakes the ACK that it follows', async (stage) => {
    const { world, alice, bob, check } = stage
    bob.onInvite = (call) => {
      call.answer()
      call.reoffer('INVITE', true)
    }
    const calling = alice.call('bob')
    await world.run(8_000)
    const [called] = bob.calls
    check(() => assert.deepEqual([calling.state, called?.state], ['up', 'up']))
    called?.reoffer('INVITE', false)
    await world.run(5_000)
    check(() => {
      assert.equal(called?.log.at(-1), 'INVITE 200')
      assert.match(calling.heard, /a=sendrecv/)
    })
    calling.bye()
  })

  flow('RFC 6337 §5.3: both hold; one that resumes does not resume the other', async (stage) => {
    const { world, check } = stage
    const { ofAlice, ofBob } = await talking(stage)
    ofAlice.reoffer('INVITE', true)
    await world.run(2_000)
    ofBob?.reoffer('INVITE', true)
    await world.run(2_000)
    check(() => assert.match(ofAlice.heard, /a=(inactive|recvonly|sendonly)/))
    ofAlice.reoffer('INVITE', false)
    await world.run(2_000)
    check(() => assert.match(ofAlice.heard, /a=sendonly/))
    ofBob?.reoffer('INVITE', false)
    await world.run(2_000)
    check(() => assert.match(ofAlice.heard, /a=sendrecv/))
    ofAlice.bye()
  })

  flow('RFC 6337 §5.3: who is on hold asks for an offer, and stays on hold', async (stage) => {
    const { world, check } = stage
    const { ofAlice, ofBob } = await talking(stage)
    ofAlice.reoffer('INVITE', true)
    await world.run(2_000)
    ofBob?.reinviteLate()
    await world.run(3_000)
    check(() => {
      assert.deepEqual([ofAlice.state, ofBob?.state], ['up', 'up'])
      assert.match(ofBob?.heard ?? '', /a=sendonly/)
    })
    ofBob?.bye()
  })
})

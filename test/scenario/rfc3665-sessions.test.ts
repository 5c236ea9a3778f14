import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { flow, type Stage } from '../support/flow.ts'
import { CARRIER } from '../support/gateway-node.ts'
import type { Phone } from '../support/phone.ts'
import { answersAfter, outcomes } from '../support/scene.ts'

const NUMBER = '+15550123'

describe('RFC 3665 §3: sessions', () => {
  flow('RFC 3665 §3.1: INVITE, 180, 200, ACK, BYE from the called side', async (stage) => {
    const { world, alice, bob, check } = stage
    answersAfter(bob, 3_000)
    const calling = alice.call('bob')
    await world.run(5_000)
    const [called] = bob.calls
    check(() => {
      assert.deepEqual(calling.log, ['180', '200'])
      assert.deepEqual(called?.log, ['INVITE', 'ACK'])
    })
    called?.bye()
    await world.run(2_000)
    check(() => {
      assert.deepEqual([calling.log.at(-1), called?.log.at(-1)], ['ended: BYE', 'ended: left'])
      assert.deepEqual(outcomes(stage), [[200, 'callee']])
    })
  })

  flow('RFC 3665 §3.2: the same from a user through us to a carrier, ended by the caller', async (stage) => {
    const { calling, called } = await throughCarrier(stage)
    stage.check(() => assert.deepEqual([calling.state, called()?.state], ['up', 'up']))
    calling.bye()
    await stage.world.run(2_000)
    stage.check(() => assert.equal(called()?.log.at(-1), 'ended: BYE'))
  })

  flow('RFC 3665 §3.3: each hop challenges for itself: the caller by us, we by the carrier', async (stage) => {
    const { carrier, world, alice, check } = stage
    carrier.onInvite = challenging(carrier)
    const calling = alice.call(NUMBER)
    await world.run(5_000)
    check(() => {
      assert.equal(calling.state, 'up')
      assert.equal(carrier.calls.length, 2)
      assert.equal(calling.log.includes('407'), false)
    })
    calling.bye()
  })

  flow('RFC 3665 §3.4: a carrier whose first machine answers nothing is called at its second', async (stage) => {
    const { world, alice, backup, check } = stage
    world.network.drop = ({ to }) => to === CARRIER[0]
    answersAfter(backup, 1_000)
    const calling = alice.call(NUMBER)
    await world.run(40_000)
    check(() => assert.deepEqual([calling.state, backup.calls[0]?.state], ['up', 'up']))
    backup.calls[0]?.bye()
  })

  flow('RFC 3665 §3.6: a redirect of the carrier to a host that is not ours to call ends the call', async (stage) => {
    const { world, alice, carrier, backup, check } = stage
    carrier.onInvite = (call) => call.refuse(302, [{ name: 'Contact', value: '<sip:bob@203.0.113.99>' }])
    const calling = alice.call(NUMBER)
    await world.run(3_000)
    check(() => assert.deepEqual([calling.status, backup.calls.length], [480, 0]))
  })

  flow('RFC 3665 §3.7: a re-INVITE with another address of the media', async (stage) => {
    const { world, gateway, alice, bob, check } = stage
    answersAfter(bob, 500)
    const calling = alice.call('bob')
    await world.run(2_000)
    bob.calls[0]?.moveTo('198.51.100.88')
    await world.run(2_000)
    check(() => {
      assert.ok(bob.calls[0]?.log.includes('INVITE 200'))
      assert.match(JSON.stringify(gateway.engine.sessions()[0]?.sides), /198\.51\.100\.88/)
      assert.deepEqual([calling.state, bob.calls[0]?.state], ['up', 'up'])
    })
    calling.bye()
  })

  flow('RFC 3665 §3.8: no answer: CANCEL, its 200, 487 and the ACK of it', async (stage) => {
    const { world, alice, bob, check } = stage
    bob.onInvite = (call) => call.ring()
    const calling = alice.call('bob')
    world.after(9_000, () => calling.cancel())
    await world.run(12_000)
    check(() => {
      assert.deepEqual(calling.log, ['180', 'cancel', '487', 'ended: refused 487'])
      assert.deepEqual(bob.calls[0]?.log, ['INVITE', 'CANCEL', 'ended: refused 487'])
      assert.deepEqual(outcomes(stage), [[487, 'caller']])
    })
  })

  flow('RFC 3665 §3.9: busy', async (stage) => {
    await refused(stage, 486)
  })

  flow('RFC 3665 §3.10: no response: the caller is told when the time of the transaction is over', async (stage) => {
    const { world, alice, bob, check } = stage
    world.network.drop = ({ to }) => to === bob.address
    const calling = alice.call('bob')
    await world.run(40_000)
    check(() => assert.ok(calling.status === 408 || calling.status === 480, `${calling.status}`))
  })

  flow('RFC 3665 §3.11: temporarily unavailable', async (stage) => {
    await refused(stage, 480)
  })
})

async function throughCarrier({ world, alice, carrier }: Stage) {
  answersAfter(carrier, 1_000)
  const calling = alice.call(NUMBER)
  await world.run(4_000)
  return { calling, called: () => carrier.calls[0] }
}

/** Asks the first INVITE for credentials, and answers the one that brings some. */
function challenging(carrier: Phone): Phone['onInvite'] {
  const challenge = 'Digest realm="carrier.test", nonce="n", algorithm=MD5, qop="auth"'
  return (call) => {
    if (carrier.calls.length === 1) return call.refuse(407, [{ name: 'Proxy-Authenticate', value: challenge }])
    call.ring()
    carrier.world.after(500, () => call.answer())
  }
}

async function refused({ world, alice, bob, check }: Stage, status: number): Promise<void> {
  bob.onInvite = (call) => {
    call.ring()
    world.after(1_000, () => call.refuse(status, [{ name: 'Retry-After', value: '30' }]))
  }
  const calling = alice.call('bob')
  await world.run(4_000)
  check(() => {
    assert.deepEqual(calling.log, ['180', String(status), `ended: refused ${status}`])
    assert.deepEqual(bob.calls[0]?.log, ['INVITE', `ended: refused ${status}`])
  })
}

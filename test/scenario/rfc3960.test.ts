import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { flow, type Stage } from '../support/flow.ts'

const NUMBER = '+15550123'

/** The one session's link of the caller's side, and where its partner's media goes. */
function heardBy({ gateway }: Stage) {
  const [session] = gateway.engine.sessions()
  return session?.sides.map(({ to }) => to.kind)
}

describe('RFC 3960: early media and ringing tone', () => {
  flow('RFC 3960 §3.2: 180 without SDP: the caller makes the ringing tone itself', async (stage) => {
    const { world, alice, carrier, check } = stage
    carrier.onInvite = (call) => call.ring()
    const calling = alice.call(NUMBER)
    await world.run(2_000)
    check(() => {
      assert.deepEqual(calling.log, ['180'])
      assert.equal(calling.heard, '')
    })
    calling.cancel()
  })

  flow('RFC 3960 §3.2: 183 with SDP: the caller hears what the carrier plays, before the answer', async (stage) => {
    const { world, alice, carrier, check } = stage
    carrier.onInvite = (call) => {
      call.ring(183, { sdp: true })
      world.after(3_000, () => call.answer())
    }
    const calling = alice.call(NUMBER)
    await world.run(2_000)
    const early = calling.heard
    check(() => {
      assert.deepEqual(calling.log, ['183'])
      assert.match(early, /m=audio/)
      assert.deepEqual(heardBy(stage), ['side', 'side'])
    })
    await world.run(3_000)
    check(() => {
      assert.equal(calling.state, 'up')
      assert.equal(carrier.calls[0]?.state, 'up')
    })
    calling.bye()
  })

  flow('RFC 3960 §3.2: 183 with SDP, then 180: the announcement goes on', async (stage) => {
    const { world, alice, carrier, check } = stage
    carrier.onInvite = (call) => {
      call.ring(183, { sdp: true })
      world.after(1_000, () => call.ring(180))
      world.after(2_000, () => call.answer())
    }
    const calling = alice.call(NUMBER)
    await world.run(1_500)
    check(() => {
      assert.deepEqual(calling.log, ['183', '180'])
      assert.deepEqual(heardBy(stage), ['side', 'side'])
    })
    await world.run(3_000)
    check(() => assert.equal(calling.state, 'up'))
    carrier.calls[0]?.bye()
  })

  flow('RFC 3960 §3: an announcement instead of an answer: the caller hears why, then is refused', async (stage) => {
    const { world, alice, carrier, check } = stage
    carrier.onInvite = (call) => {
      call.ring(183, { sdp: true })
      world.after(5_000, () => call.refuse(404))
    }
    const calling = alice.call(NUMBER)
    await world.run(8_000)
    check(() => assert.deepEqual(calling.log, ['183', '404', 'ended: refused 404']))
  })

  flow('RFC 3960 §3.1: the carrier forks, two devices play early media, the second one answers', async (stage) => {
    const { world, alice, carrier, gateway, check } = stage
    carrier.onInvite = (call) => {
      call.ring(183, { sdp: true, tag: 'first' })
      call.mediaAddress = '198.51.100.77'
      world.after(500, () => call.ring(183, { sdp: true, tag: 'second' }))
      world.after(2_000, () => call.answer('second'))
    }
    const calling = alice.call(NUMBER)
    await world.run(4_000)
    check(() => {
      assert.equal(calling.state, 'up')
      assert.match(JSON.stringify(gateway.engine.sessions()[0]?.sides), /198\.51\.100\.77/)
    })
    calling.bye()
    await world.run(2_000)
    check(() => assert.equal(carrier.calls[0]?.log.at(-1), 'ended: BYE'))
  })

  flow('RFC 3262 §3: a caller that asks for reliable ringing and never acknowledges it is refused', async (stage) => {
    const { world, alice, carrier, check } = stage
    carrier.onInvite = (call) => call.ring(183, { sdp: true })
    const calling = alice.call(NUMBER, { headers: [{ name: 'Require', value: '100rel' }] })
    await world.run(40_000)
    check(() => {
      assert.equal(calling.status, 504)
      assert.ok(carrier.calls[0]?.log.includes('CANCEL'))
    })
  })
})

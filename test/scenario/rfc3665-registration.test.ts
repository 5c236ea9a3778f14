import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { flow } from '../support/flow.ts'
import { Phone } from '../support/phone.ts'
import { register } from '../support/registering.ts'

const HOME = '198.51.100.8'
const OFFICE = '198.51.100.18'

describe('RFC 3665 §2: registration', () => {
  flow('RFC 3665 §2.1: a new registration is challenged, then granted', async ({ world, browser, check }) => {
    browser.register()
    await world.run(1_000)
    check(() => assert.equal(browser.registered, true))
  })

  flow('RFC 3665 §2.2: a second contact is told with the first, and both ring', async (stage) => {
    const { world, alice, bob, browser, check } = stage
    const added = register(browser, [`<${browser.contact}>;expires=600`])
    await world.run(1_000)
    check(() => {
      assert.equal(added.status, 200)
      assert.deepEqual([...added.contacts].sort(), [bob.contact, browser.contact].sort())
    })
    const call = alice.call('bob')
    await world.run(1_000)
    check(() => assert.deepEqual([bob.calls.length, browser.calls.length], [1, 1]))
    call.cancel()
  })

  flow('RFC 3665 §2.3: without a Contact it asks for the contacts there are', async ({ world, bob, check }) => {
    const asked = register(bob, [])
    await world.run(1_000)
    check(() => assert.deepEqual(asked, { status: 200, contacts: [bob.contact] }))
  })

  flow('RFC 3665 §2.4: Contact: * with Expires: 0 takes all back; nobody rings then', async (stage) => {
    const { world, alice, bob, check } = stage
    const gone = register(bob, ['*'], [{ name: 'Expires', value: '0' }])
    await world.run(1_000)
    check(() => assert.deepEqual(gone, { status: 200, contacts: [] }))
    const call = alice.call('bob')
    await world.run(1_000)
    check(() => assert.deepEqual([call.status, bob.calls.length], [480, 0]))
  })

  flow('RFC 3665 §2.5: a wrong password is challenged again and registers nothing', async (stage) => {
    const { world, gateway, bob, check } = stage
    gateway.connect(OFFICE, 'udp')
    const thief = world.add(new Phone(world, { user: 'bob', address: OFFICE, password: 'a guess' }))
    const tried = register(thief, [`<${thief.contact}>`])
    await world.run(1_000)
    const asked = register(bob, [])
    await world.run(1_000)
    check(() => {
      assert.equal(tried.status, 401)
      assert.deepEqual(asked.contacts, [`sip:bob@${HOME}:5060`])
    })
  })
})

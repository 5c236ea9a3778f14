import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoreRig, header } from '../../test/support/core-rig.ts'

const callers: readonly (readonly [from: string, told: string])[] = [
  ['<sip:I%20have%20spaces@example.net>;tag=1', '<sip:I%20have%20spaces@example.test>'],
  ['<sip:x%0D%0AEvil:%20yes@example.net>;tag=1', '<sip:x%0D%0AEvil@example.test>'], // What follows the colon is a password.
  ['<sip:x%0D%0AEvil%3a%20yes@example.net>;tag=1', '<sip:x%0D%0AEvil%3A%20yes@example.test>'],
  ['<sip:a%3Eb%40c;x=1@example.net>;tag=1', '<sip:a%3Eb%40c;x=1@example.test>'],
  ['<tel:+15550100;phone-context=x>;tag=1', '<sip:+15550100@example.test>'],
  ['<sip:example.net>;tag=1', '<sip:anonymous@example.test>'],
]
for (const [from, told] of callers) {
  test(`RFC 3261 §19.1.2: a carrier's caller ${from} is shown as ${told}, and no header is smuggled in`, async () => {
    const rig = new CoreRig()
    const [alice, carrier] = [rig.peer('198.51.100.7'), rig.peer('203.0.113.5')]
    await alice.register('alice', 'wonderland')
    await carrier.send(carrier.request('INVITE', 'sip:+15550100@192.0.2.1', { From: from }))
    const invite = alice.take('INVITE')
    assert.equal(header(invite, 'From').split(';tag=')[0], told)
    assert.equal(header(invite, 'Evil'), '')
    assert.deepEqual(
      rig.logged().filter(({ level }) => level === 'error'),
      [],
    )
  })
}

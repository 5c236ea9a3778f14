import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CoreRig, header } from '../../test/support/core-rig.ts'
import { phoneSdp } from '../../test/support/sdp-texts.ts'

const SDP = { 'Content-Type': 'application/sdp' }

describe('who is a trunk', () => {
  test('a carrier reaches the numbers it was given, and nothing else', async () => {
    const rig = new CoreRig()
    const [alice, carrier] = [rig.peer('198.51.100.6'), rig.peer('203.0.113.5')]
    await alice.register('alice', 'wonderland')
    const from = { From: '<sip:+4930123456@203.0.113.5>;tag=1', ...SDP }
    await carrier.send(carrier.request('INVITE', 'sip:+15550100@192.0.2.1', from, phoneSdp()))
    assert.match(header(alice.take('INVITE'), 'From'), /\+4930123456/)
    await carrier.send(carrier.request('INVITE', 'sip:+15550199@192.0.2.1', from, phoneSdp()))
    carrier.take('SIP/2.0 404')
    await carrier.send(carrier.request('INVITE', 'sip:+15559999@other.test', from, phoneSdp()))
    carrier.take('SIP/2.0 404')
  })

  test('a user’s name from the carrier’s address has to be proved', async () => {
    const rig = new CoreRig()
    const carrier = rig.peer('203.0.113.5')
    for (const from of ['alice@example.test', 'alice@192.0.2.1', '%61lice@example.test']) {
      const headers = { From: `<sip:${from}>;tag=1`, ...SDP }
      await carrier.send(carrier.request('INVITE', 'sip:+15550100@example.test', headers, phoneSdp()))
      carrier.take('SIP/2.0 407')
    }
  })
})

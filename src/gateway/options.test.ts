import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoreRig, header } from '../../test/support/core-rig.ts'

test('RFC 3261 §11.2: OPTIONS tells what we can do', async () => {
  const peer = new CoreRig().peer('198.51.100.7')
  await peer.send(peer.request('OPTIONS', 'sip:example.test'))
  const told = peer.take('SIP/2.0 200')
  for (const method of [
    'INVITE',
    'ACK',
    'CANCEL',
    'BYE',
    'UPDATE',
    'INFO',
    'OPTIONS',
    'REGISTER',
    'MESSAGE',
    'SUBSCRIBE',
    'PUBLISH',
  ]) {
    assert.match(header(told, 'Allow'), new RegExp(`\\b${method}\\b`))
  }
  for (const tag of ['timer', 'path']) assert.match(header(told, 'Supported'), new RegExp(`\\b${tag}\\b`))
  assert.match(header(told, 'Accept'), /\bapplication\/sdp\b.*\btext\/\*/)
  assert.equal(header(told, 'Allow-Events'), 'dialog, message-summary, presence, reg')
})

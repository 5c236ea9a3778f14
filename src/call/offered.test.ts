import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallRig } from '../../test/support/call-rig.ts'

const accepts: readonly (readonly [accept: string, isTaken: boolean])[] = [
  ['text/nobodyKnowsThis', false],
  ['application/isup, text/*', false],
  ['application/sdp', true],
  ['application/dtmf-relay, Application/SDP;level=1', true],
  ['application/*', true],
  ['text/plain;q=0.5, */*', true],
  ['', true], // Some send it empty and mean nothing by it.
]
for (const [accept, isTaken] of accepts) {
  test(`RFC 3261 §21.4.7: a caller with "Accept: ${accept}" ${isTaken ? 'is put through' : 'could not take our answer: 406'}`, () => {
    const rig = new CallRig()
    const invite = rig.offer({ headers: [{ name: 'Accept', value: accept }] })
    assert.deepEqual(rig.statuses(invite), isTaken ? [] : [406])
    assert.equal(rig.requests.length, isTaken ? 1 : 0)
  })
}

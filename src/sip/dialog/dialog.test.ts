import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRequest, replyTo, withHeaders } from '../message/create.ts'
import {
  acceptInDialog,
  ackInDialog,
  type Dialog,
  dialogFromRequest,
  dialogFromResponse,
  nextHopUri,
  refreshTarget,
  requestInDialog,
} from './dialog.ts'

const invite = createRequest({
  method: 'INVITE',
  uri: 'sip:bob@example.test',
  headers: [
    { name: 'Via', value: 'SIP/2.0/UDP p2;branch=z9hG4bK2' },
    { name: 'Record-Route', value: '<sip:p2;lr>' },
    { name: 'Record-Route', value: '<sip:p1;lr>;x=y' },
    { name: 'From', value: '"Alice" <sip:alice@example.test>;tag=a;other=1' },
    { name: 'To', value: 'sip:bob@example.test' },
    { name: 'Call-ID', value: 'c' },
    { name: 'CSeq', value: '314 INVITE' },
    { name: 'Contact', value: '"A" <sip:alice@192.0.2.1>;q=1' },
  ],
})

const ringing = replyTo(invite, 180, { toTag: 'b', headers: [{ name: 'Contact', value: '<sip:bob@192.0.2.2>' }] })

const uas = (): Dialog => dialogFromRequest(invite, 'b', 'confirmed')
const uac = (): Dialog => dialogFromResponse(invite, ringing)

describe('RFC 3261 §12.1: both ends of a dialog see it mirrored', () => {
  test('UAS', () => {
    assert.deepEqual(uas(), {
      callId: 'c',
      localTag: 'b',
      remoteTag: 'a',
      localUri: '<sip:bob@example.test>',
      remoteUri: '"Alice" <sip:alice@example.test>;other=1',
      remoteTarget: 'sip:alice@192.0.2.1',
      routeSet: ['<sip:p2;lr>', '<sip:p1;lr>;x=y'],
      localSequence: 0,
      remoteSequence: 314,
      secure: false,
      state: 'confirmed',
    })
  })

  test('UAC: the route set is reversed; a provisional response makes an early dialog', () => {
    assert.deepEqual(uac(), {
      callId: 'c',
      localTag: 'a',
      remoteTag: 'b',
      localUri: '"Alice" <sip:alice@example.test>;other=1',
      remoteUri: '<sip:bob@example.test>',
      remoteTarget: 'sip:bob@192.0.2.2',
      routeSet: ['<sip:p1;lr>;x=y', '<sip:p2;lr>'],
      localSequence: 314,
      secure: false,
      state: 'early',
    })
  })

  test('an INVITE without Contact makes no dialog; of a response without one the Request-URI is the target', () => {
    const nowhere = withHeaders(invite, [{ name: 'Contact', value: '*' }])
    assert.throws(() => dialogFromRequest(nowhere, 'b', 'early'), { code: 'SIP_MALFORMED_MESSAGE' })
    assert.equal(dialogFromResponse(invite, replyTo(invite, 200, { toTag: 'b' })).remoteTarget, invite.uri)
  })

  test('it survives being stored', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(uas())), uas())
  })
})

describe('RFC 3261 §12.2.1.1: requests inside a dialog', () => {
  test('the peer’s names and numbers, one CSeq after the other, over the route set', () => {
    const first = requestInDialog(uac(), 'BYE', { headers: [{ name: 'Reason', value: 'Q.850;cause=16' }] })
    const { request } = first
    assert.equal(request.uri, 'sip:bob@192.0.2.2')
    assert.deepEqual(request.headers.fields(), [
      { name: 'Route', value: '<sip:p1;lr>;x=y' },
      { name: 'Route', value: '<sip:p2;lr>' },
      { name: 'From', value: '"Alice" <sip:alice@example.test>;other=1;tag=a' },
      { name: 'To', value: '<sip:bob@example.test>;tag=b' },
      { name: 'Call-ID', value: 'c' },
      { name: 'CSeq', value: '315 BYE' },
      { name: 'Reason', value: 'Q.850;cause=16' },
    ])
    assert.equal(requestInDialog(first.dialog, 'INFO').request.headers.cseq.sequence, 316)
    assert.equal(nextHopUri(first.dialog), 'sip:p1;lr')
  })

  test('a strict router gets itself as Request-URI and the target as last Route', () => {
    const strict: Dialog = { ...uac(), routeSet: ['<sip:old;x=1>', '<sip:p2;lr>'] }
    const { request } = requestInDialog(strict, 'BYE')
    assert.equal(request.uri, 'sip:old;x=1')
    assert.deepEqual(request.headers.values('Route'), ['<sip:p2;lr>', '<sip:bob@192.0.2.2>'])
    assert.equal(nextHopUri(strict), 'sip:old;x=1')
  })

  test('§13.2.2.4: ACK has the number of its INVITE and counts nothing', () => {
    const ack = ackInDialog(uac(), 314, { body: { type: 'application/sdp', content: 'v=0' } })
    assert.deepEqual(ack.headers.cseq, { sequence: 314, method: 'ACK' })
    assert.equal(ack.headers.contentType, 'application/sdp')
  })

  test('without a route set the target is the next hop; without a remote tag none is made up', () => {
    const bare: Dialog = { ...uac(), routeSet: [], remoteTag: '' }
    assert.equal(nextHopUri(bare), 'sip:bob@192.0.2.2')
    assert.equal(requestInDialog(bare, 'BYE').request.headers.toTag, undefined)
  })
})

describe('RFC 3261 §12.2.2: requests that come in', () => {
  const numbered = (sequence: number, method = 'INFO') =>
    createRequest({ ...invite, method, headers: [{ name: 'CSeq', value: `${sequence} ${method}` }], body: undefined })

  test('a lower number than the last is refused with 500, gaps are fine', () => {
    const accepted = acceptInDialog(uas(), numbered(400))
    assert.equal(accepted.kind === 'ok' && accepted.dialog.remoteSequence, 400)
    assert.deepEqual(acceptInDialog(uas(), numbered(313)), { kind: 'refuse', status: 500 })
    assert.deepEqual(acceptInDialog(uas(), numbered(1, 'ACK')), { kind: 'ok', dialog: uas() })
  })

  test('a target refresh moves the dialog to the new Contact, if there is one', () => {
    assert.equal(refreshTarget(uas(), ringing).remoteTarget, 'sip:bob@192.0.2.2')
    assert.equal(refreshTarget(uas(), numbered(1)).remoteTarget, 'sip:alice@192.0.2.1')
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRequest, replyTo, withHeaders } from './create.ts'
import { parseMessage } from './parse.ts'
import { reasonPhrase } from './reason-phrase.ts'
import { writeMessage } from './write.ts'

const invite = createRequest({
  method: 'INVITE',
  uri: 'sip:b@c',
  headers: [
    { name: 'v', value: 'SIP/2.0/UDP one;branch=z9hG4bK1' },
    { name: 'Via', value: 'SIP/2.0/TCP two;branch=z9hG4bK2' },
    { name: 'Record-Route', value: '<sip:p1;lr>' },
    { name: 'Record-Route', value: '<sip:p2;lr>' },
    { name: 'From', value: 'sip:a@b;tag=1' },
    { name: 'To', value: 'sip:b@c' },
    { name: 'Call-ID', value: 'i' },
    { name: 'CSeq', value: '1 INVITE' },
    { name: 'Timestamp', value: '54' },
    { name: 'Subject', value: 'x' },
  ],
})

test('RFC 3261 §8.2.6.2: a response copies what ties it to its request, and nothing else', () => {
  const names = replyTo(invite, 200, { toTag: 't' })
    .headers.fields()
    .map(({ name }) => name)
  assert.deepEqual(names, ['Via', 'Via', 'Record-Route', 'Record-Route', 'From', 'To', 'Call-ID', 'CSeq'])
})

test('§8.2.6.2: To gets a tag, but not in a 100 and not if it has one', () => {
  assert.equal(replyTo(invite, 180, { toTag: 't' }).headers.toTag, 't')
  assert.equal(replyTo(invite, 100, { toTag: 't' }).headers.toTag, undefined)
  const inDialog = withHeaders(invite, [{ name: 'To', value: '<sip:b@c>;tag=theirs' }])
  assert.equal(replyTo(inDialog, 200, { toTag: 't' }).headers.toTag, 'theirs')
})

test('§12.1.1: Record-Route only where a dialog can come of it; §8.2.6.1: Timestamp in a 100', () => {
  assert.equal(replyTo(invite, 404).headers.has('Record-Route'), false)
  assert.equal(replyTo(invite, 100).headers.get('timestamp'), '54')
  assert.equal(replyTo(invite, 180).headers.has('Timestamp'), false)
})

test('headers are replaced in their place, all lines of a name at once, and new ones go to the end', () => {
  const changed = withHeaders(invite, [
    { name: 'record-route', value: '<sip:p3;lr>' },
    { name: 'X-New', value: '1' },
  ])
  const fields = changed.headers.fields()
  assert.deepEqual(changed.headers.values('Record-Route'), ['<sip:p3;lr>'])
  assert.equal(fields[2]?.name, 'Record-Route')
  assert.deepEqual(fields.at(-1), { name: 'X-New', value: '1' })
  assert.equal(invite.headers.values('Record-Route').length, 2)
})

test('Content-Length is that of the body, whatever stood there', () => {
  const body = { type: 'application/sdp', content: 'v=0\r\n' }
  const wrong = createRequest({ ...invite, headers: [...invite.headers.fields(), { name: 'l', value: '99' }], body })
  const written = writeMessage(wrong)
  assert.match(written, /\r\nContent-Length: 5\r\n\r\nv=0\r\n$/)
  assert.equal(parseMessage(written).headers.contentType, 'application/sdp')
})

test('every status has words, unknown ones those of their class', () => {
  assert.deepEqual([100, 486, 603, 499, 699].map(reasonPhrase), [
    'Trying',
    'Busy Here',
    'Decline',
    'Request Failure',
    'Global Failure',
  ])
})

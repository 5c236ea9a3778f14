import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ID, idAt, idOfName, isList, nameOf } from './header-names.ts'

test('the ids in code are the places in the table', () => {
  const names: Record<Exclude<keyof typeof ID, 'unknown'>, string> = {
    via: 'Via',
    from: 'From',
    to: 'To',
    callId: 'Call-ID',
    cseq: 'CSeq',
    maxForwards: 'Max-Forwards',
    contentLength: 'Content-Length',
    contentType: 'Content-Type',
    contact: 'Contact',
    route: 'Route',
    recordRoute: 'Record-Route',
    expires: 'Expires',
  }
  for (const [key, name] of Object.entries(names)) assert.equal(nameOf(ID[key as keyof typeof ID]), name)
})

test('every known name is found inside a message in any case, alone and beside others', () => {
  for (let id = 1; nameOf(id) !== ''; id++) {
    for (const name of [nameOf(id), nameOf(id).toLowerCase(), nameOf(id).toUpperCase()]) {
      assert.equal(idOfName(name), id)
      assert.equal(idAt(`x${name}:`, 1, 1 + name.length), id)
      assert.notEqual(idAt(`${name}x`, 0, name.length + 1), id)
    }
  }
})

const compact: readonly (readonly [string, string])[] = [
  ['a', 'Accept-Contact'],
  ['b', 'Referred-By'],
  ['c', 'Content-Type'],
  ['d', 'Request-Disposition'],
  ['e', 'Content-Encoding'],
  ['f', 'From'],
  ['i', 'Call-ID'],
  ['j', 'Reject-Contact'],
  ['k', 'Supported'],
  ['l', 'Content-Length'],
  ['m', 'Contact'],
  ['o', 'Event'],
  ['r', 'Refer-To'],
  ['s', 'Subject'],
  ['t', 'To'],
  ['u', 'Allow-Events'],
  ['v', 'Via'],
  ['x', 'Session-Expires'],
  ['y', 'Identity'],
]

for (const [short, long] of compact) {
  test(`${short} is ${long}`, () => {
    assert.equal(nameOf(idOfName(short)), long)
    assert.equal(idAt(short.toUpperCase(), 0, 1), idOfName(long))
  })
}

test('a name that differs by a character that only looks alike is unknown', () => {
  assert.equal(idAt('Call\x0dID', 0, 7), ID.unknown) // CR is '-' without one bit.
  assert.equal(idAt('\x56\x09\x61', 0, 3), ID.unknown)
})

test('list headers are those that commas may join', () => {
  assert.deepEqual(
    ['Via', 'Contact', 'Route', 'Authorization', 'Date', 'From'].map((name) => isList(idOfName(name))),
    [true, true, true, false, false, false],
  )
})

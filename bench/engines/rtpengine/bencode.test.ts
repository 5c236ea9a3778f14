import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode } from './bencode.ts'

test('values of every kind survive the way there and back', () => {
  const value = { command: 'offer', sdp: 'v=0\r\ns=ü\r\n', flags: ['a', 'b'], n: -7, empty: {}, none: [] }
  assert.deepEqual(decode(Buffer.from(encode(value))), value)
})

test('lengths count bytes, and what is undefined is left out', () => {
  assert.equal(encode({ a: 'ü', b: undefined, c: [1] }), 'd1:a2:ü1:cli1eee')
})

for (const broken of ['', 'd', 'l1:a', '5:abc', 'i5', 'd1:ae', '1:ab', 'x']) {
  test(`no value: ${JSON.stringify(broken)}`, () => {
    assert.throws(() => decode(Buffer.from(broken)))
  })
}

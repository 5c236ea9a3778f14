import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerStun } from './stun-keep-alive.ts'

const bytes = (hex: string): string => Buffer.from(hex.replace(/\s/g, ''), 'hex').toString('latin1')
const hex = (data: string | undefined): string | undefined =>
  data === undefined ? undefined : Buffer.from(data, 'latin1').toString('hex')

const COOKIE = '2112a442'
/** That of the test vectors in RFC 5769. */
const TRANSACTION = 'b7e7a701bc34d686fa87dfae'

test('RFC 5769 §2.2: the address of an IPv4 sender is mixed as in the test vector', () => {
  const answer = answerStun(bytes(`0001 0000 ${COOKIE} ${TRANSACTION}`), { host: '192.0.2.1', port: 32_853 })
  assert.equal(hex(answer), `0101000c${COOKIE}${TRANSACTION}002000080001a147e112a643`)
})

test('RFC 5769 §2.3: the address of an IPv6 sender is mixed as in the test vector', () => {
  const remote = { host: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 }
  const answer = answerStun(bytes(`0001 0000 ${COOKIE} ${TRANSACTION}`), remote)
  const address = '0113a9faa5d3f179bc25f4b5bed2b9d9'
  assert.equal(hex(answer), `01010018${COOKIE}${TRANSACTION}00200014` + `0002a147${address}`)
})

test('RFC 8489 §6.3.1: an attribute that has to be understood is refused with 420; one that need not is ignored', () => {
  const remote = { host: '192.0.2.1', port: 5_060 }
  const software = '8022 0004 74657374'
  assert.ok(hex(answerStun(bytes(`0001 0008 ${COOKIE} ${TRANSACTION} ${software}`), remote))?.startsWith('0101'))
  const user = '0006 0003 626f6200'
  const refused = hex(answerStun(bytes(`0001 0008 ${COOKIE} ${TRANSACTION} ${user}`), remote))
  assert.match(refused ?? '', /^0111.*00000414.*000a000200060000$/)
})

test('an answer is never much longer than its request', () => {
  const remote = { host: '192.0.2.1', port: 5_060 }
  const many = '00060000'.repeat(300)
  const answer = answerStun(bytes(`0001 04b0 ${COOKIE} ${TRANSACTION} ${many}`), remote)
  assert.ok(answer !== undefined && answer.length < 100)
})

const OTHERS: readonly (readonly [what: string, data: string])[] = [
  ['nothing', ''],
  ['a short one', '0001 0000 2112'],
  ['without the cookie', `0001 0000 00000000 ${TRANSACTION}`],
  ['with a wrong length', `0001 0004 ${COOKIE} ${TRANSACTION}`],
  ['an indication', `0011 0000 ${COOKIE} ${TRANSACTION}`],
  ['an answer', `0101 0000 ${COOKIE} ${TRANSACTION}`],
  ['with half an attribute', `0001 0004 ${COOKIE} ${TRANSACTION} 80220010`],
]
for (const [what, data] of OTHERS) {
  test(`no answer to what is no Binding request: ${what}`, () => {
    assert.equal(answerStun(bytes(data), { host: '192.0.2.1', port: 5_060 }), undefined)
  })
}

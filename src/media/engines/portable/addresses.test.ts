import assert from 'node:assert/strict'
import { test } from 'node:test'
import { localAddressTowards } from './addresses.ts'

const cases: readonly (readonly [advertised: readonly string[], towards: string | undefined, told: string])[] = [
  [['127.0.0.1'], undefined, '127.0.0.1'],
  [['127.0.0.1'], '192.0.2.9', '127.0.0.1'], // There is nothing else to tell.
  [['192.0.2.1', '127.0.0.1'], undefined, '192.0.2.1'],
  [['127.0.0.1', '192.0.2.1'], '198.51.100.7', '192.0.2.1'],
  [['192.0.2.1', '127.0.0.1'], '127.0.0.1', '127.0.0.1'],
  [['192.0.2.1'], '127.0.0.1', '192.0.2.1'], // Not ours: behind a NAT the operator knows better.
  [['192.0.2.1', '2001:db8::1'], '2001:db8::9', '2001:db8::1'],
  [['192.0.2.1'], '2001:db8::9', '192.0.2.1'],
  [['2001:db8::1', '192.0.2.1'], 'proxy.example', '2001:db8::1'],
]

for (const [advertised, towards, told] of cases) {
  test(`of ${advertised.join(', ')} a peer at ${towards ?? 'nobody knows where'} is told ${told}`, () => {
    assert.equal(localAddressTowards(advertised, towards), told)
  })
}

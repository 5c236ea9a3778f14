import { test } from 'node:test'
import { fuzzDtls } from './dtls.ts'
import { fuzzStun } from './stun.ts'

// Run `node --import tsx test/fuzz/stun.ts` (or dtls.ts) for as long as you like; these are the short runs.

test('STUN: seeds and 20,000 mutations of them never throw and never authenticate', { timeout: 60_000 }, () => {
  fuzzStun(20_000, 1)
})

test('DTLS: 300 handshakes with mutated datagrams mixed in', { timeout: 60_000 }, () => {
  fuzzDtls(300, 1)
})

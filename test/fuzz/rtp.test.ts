import { test } from 'node:test'
import { fuzzRtcp, fuzzRtp, fuzzSrtp } from './rtp.ts'

// Run `node --import tsx test/fuzz/rtp.ts` for as long as you like; these are the short runs.

test('RTP: 500 streams of changed packets leave as one line of ours', { timeout: 60_000 }, () => {
  fuzzRtp(500, 1)
})

test('RTCP: seeds and 10,000 mutations of them are read without a fault', { timeout: 60_000 }, () => {
  fuzzRtcp(10_000, 1)
})

test('SRTP: seeds and 2,000 mutations for each suite never authenticate', { timeout: 60_000 }, () => {
  fuzzSrtp(2_000, 1)
})

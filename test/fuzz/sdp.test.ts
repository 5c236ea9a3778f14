import { test } from 'node:test'
import { fuzzSdp } from './sdp.ts'

test('no SDP of a peer makes a fault, a leak or a delay', () => fuzzSdp(3_000, 1))

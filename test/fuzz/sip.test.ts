import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzSip } from './sip.ts'

test('damaged SIP is refused with a GatewayError or read, within 50 ms each, and never throws out of the endpoint', () => {
  const { findings, inputs } = fuzzSip({ seconds: 2, seed: 20_260_101 })
  assert.deepEqual(findings, [])
  assert.ok(inputs > 100)
})

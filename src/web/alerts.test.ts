import assert from 'node:assert/strict'
import { test } from 'node:test'
import { soundOf } from './alerts.ts'
import type { CallPhase, PhoneCall, PhoneState } from './phone/model.ts'

const call = (phase: CallPhase, change: Partial<PhoneCall> = {}): PhoneCall => ({
  id: phase,
  direction: 'outgoing',
  peer: 'bob',
  redial: 'bob',
  phase,
  startedAt: 0,
  muted: false,
  heldByUs: false,
  heldByPeer: false,
  earlyMedia: false,
  ...change,
})
const state = (...calls: readonly PhoneCall[]): PhoneState => ({
  connection: { kind: 'open' },
  registration: { kind: 'registered' },
  calls,
  recent: [],
})

test('an incoming call rings, but not over a call that is talked in', () => {
  assert.equal(soundOf(state(call('incoming'))), 'ring')
  assert.equal(soundOf(state(call('talking'), call('incoming'))), 'none')
  assert.equal(soundOf(state(call('talking', { heldByUs: true }), call('incoming'))), 'ring')
})

test('ringback is ours to play unless the network sends sound of its own', () => {
  assert.equal(soundOf(state(call('ringing'))), 'ringback')
  assert.equal(soundOf(state(call('ringing', { earlyMedia: true }))), 'none')
  assert.equal(soundOf(state(call('dialling'))), 'none')
})

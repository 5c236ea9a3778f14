import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallView, TimelineEntry } from '../../api/model.ts'
import { applyDetail, applyEvent, applyView, callBySip, hasHole, type ObservedCalls } from './calls.ts'

const view = (id: string, sipCallId = `sip-${id}`): CallView => ({
  id,
  tenant: 'x',
  state: 'ringing',
  from: 'sip:alice@x',
  to: 'sip:bob@x',
  startedAt: 1,
  legs: [{ id: 'a', party: 'user:alice', profile: 'webrtc', state: 'early', sipCallId }],
})
const note = (seq: number): TimelineEntry => ({ seq, at: seq, kind: 'note', topic: 't', summary: `n${seq}` })
const seqs = (calls: ObservedCalls, id: string): readonly number[] =>
  calls.get(id)?.timeline.map((entry) => entry.seq) ?? []
const entryEvent = (call: string, seq: number) => ({ event: 'timeline', data: { call, entry: note(seq) } }) as const

test('entries that came before, during and after the fetch stand once and in order', () => {
  let calls = applyView(new Map(), view('c'))
  calls = applyEvent(calls, entryEvent('c', 4))
  calls = applyDetail(calls, { ...view('c'), timeline: [note(1), note(2), note(3), note(4)], timelineDropped: 0 })
  calls = applyEvent(calls, entryEvent('c', 4))
  calls = applyEvent(calls, entryEvent('c', 5))
  assert.deepEqual(seqs(calls, 'c'), [1, 2, 3, 4, 5])
})

test('an entry that was lost on the way is noticed', () => {
  let calls = applyView(new Map(), view('c'))
  for (const seq of [1, 2]) calls = applyEvent(calls, entryEvent('c', seq))
  assert.equal(hasHole([...calls.values()].at(0) ?? assert.fail('no call')), false)
  calls = applyEvent(calls, entryEvent('c', 4))
  assert.equal(hasHole([...calls.values()].at(0) ?? assert.fail('no call')), true)
})

test('a call is found by the Call-ID of one of its legs', () => {
  const calls = applyView(applyView(new Map(), view('c1')), view('c2'))
  assert.equal(callBySip(calls, 'sip-c2')?.view.id, 'c2')
  assert.equal(callBySip(calls, 'other'), undefined)
  assert.equal(callBySip(calls, undefined), undefined)
})

test('quality replaces the figures of the legs and nothing else', () => {
  const legs = [{ id: 'a', party: 'user:alice', profile: 'webrtc', state: 'talking', codec: 'PCMU' }] as const
  const calls = applyEvent(applyView(new Map(), view('c')), { event: 'quality', data: { call: 'c', legs } })
  assert.equal(calls.get('c')?.view.legs[0]?.codec, 'PCMU')
  assert.equal(calls.get('c')?.view.state, 'ringing')
})

test('law: however many calls come, only the latest are kept', () => {
  let calls: ObservedCalls = new Map()
  for (let n = 0; n < 100; n++) calls = applyView(calls, view(`c${n}`))
  assert.equal(calls.size, 20)
  assert.ok(calls.has('c99') && !calls.has('c0'))
})

test('an event of a call that nobody told us of changes nothing', () => {
  const calls = applyView(new Map(), view('c'))
  assert.equal(applyEvent(calls, entryEvent('unknown', 1)), calls)
})

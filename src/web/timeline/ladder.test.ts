import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LegView, TimelineEntry } from '../../api/model.ts'
import type { ObservedCall } from './calls.ts'
import { buildLadder, formatOffset, type Row, sipTone } from './ladder.ts'

const leg = (id: string, party: string): LegView => ({ id, party, profile: 'rtp', transport: 'udp', state: 'talking' })
const sip = (seq: number, legId: string, direction: 'in' | 'out', summary: string): TimelineEntry => ({
  seq,
  at: 1_000 + seq,
  leg: legId,
  kind: 'sip',
  direction,
  summary,
  repeated: false,
  remote: '192.0.2.1:5060',
  transport: 'udp',
  text: summary,
})

function observed(timeline: readonly TimelineEntry[]): ObservedCall {
  const legs = [leg('b1', 'user:bob'), leg('a', 'user:alice'), leg('b2', 'trunk:carrier')]
  const view = { id: 'c', tenant: 'x', state: 'talking', from: 'alice', to: 'bob', startedAt: 1_000, legs }
  return { view, timeline, dropped: 0, complete: true }
}

const ends = (row: Row | undefined): readonly number[] => (row?.kind === 'arrow' ? [row.from, row.to] : [])

test('the caller stands left, the gateway next, the called legs to the right; one is you', () => {
  const { lanes } = buildLadder(observed([]), 'b1')
  assert.deepEqual(
    lanes.map((lane) => lane.label),
    ['alice', 'Trunkline', 'bob (you)', 'carrier'],
  )
})

test('an arrow goes the way the message went', () => {
  const { rows } = buildLadder(
    observed([sip(1, 'a', 'in', 'INVITE sip:bob@x'), sip(2, 'b2', 'out', 'INVITE sip:bob@y')]),
    'a',
  )
  assert.deepEqual(ends(rows[0]), [0, 1])
  assert.deepEqual(ends(rows[1]), [1, 3])
  assert.equal(rows[1]?.offsetMs, 1)
})

test('what belongs to no leg, or to one that is not known, stands at the gateway', () => {
  const { rows } = buildLadder(
    observed([
      { seq: 1, at: 1_000, kind: 'note', topic: 'route', summary: 'routed' },
      { seq: 2, at: 1_001, kind: 'media', leg: 'zz', event: 'ice-connected', summary: 'ICE', facts: { remote: 'x' } },
    ]),
    undefined,
  )
  assert.deepEqual(
    rows.map((row) => row.kind === 'mark' && row.lane),
    [1, 1],
  )
})

const tones: readonly (readonly [summary: string, tone: string])[] = [
  ['INVITE sip:100@x', 'request'],
  ['100 Trying (INVITE)', 'provisional'],
  ['200 OK (BYE)', 'success'],
  ['302 Moved (INVITE)', 'failure'],
  ['486 Busy Here (INVITE)', 'failure'],
]
for (const [summary, tone] of tones) {
  test(`${summary} is drawn as ${tone}`, () => assert.equal(sipTone(summary), tone))
}

test('offsets read well from milliseconds to minutes', () => {
  assert.deepEqual([0, 250, 1_250, 65_000].map(formatOffset), ['+0 ms', '+250 ms', '+1.25 s', '+1:05'])
})

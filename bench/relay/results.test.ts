import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoadGroup, LoadSummary, Mode } from '../load/index.ts'
import type { Cell } from './measure.ts'
import { Results, summaryOf } from './results.ts'

interface Measured {
  readonly engine: string
  readonly pps: number
  readonly mode?: Mode
  /** Busy time of the core in a measurement of one second, µs. */
  readonly busyUs: number
  readonly lost?: number
  readonly delayUs?: number
}

function delays(us: number, count: number): LoadSummary {
  return { count, mean: us, p50: us, p99: us, p999: us, max: us, buckets: [[us, count]] }
}

function group(sent: number, received: number, delayUs: number): LoadGroup {
  const none = { duplicates: 0, reordered: 0, misrouted: 0 }
  return { name: 'all', sent, received, ...none, latencyUs: delays(delayUs, received) }
}

function cell({ engine, pps, mode = 'srtp-rtp', busyUs, lost = 0, delayUs = 100 }: Measured): Cell {
  const usage = {
    wallUs: 1e6,
    coreBusyUs: busyUs,
    coreStolenUs: 0,
    processUs: busyUs / 2,
    waitingUs: null,
    ownUs: 0,
    dropped: 0,
  }
  const counters = { rtcp: 0, strays: 0, refused: 0, unsent: 0, ownDropped: 0, connected: 0, failures: [] }
  const result = { keptPace: true, latenessUs: delays(0, pps), groups: [group(pps, pps - lost, delayUs)], ...counters }
  const frame = { engine, name: engine, mode, pps, calls: pps / 100, memoryKiBPerCall: 10 }
  return { ...frame, result: { ...result, joins: null, usage } }
}

function resultsOf(...all: readonly Measured[]): Results {
  const results = new Results()
  for (const each of all) {
    results.direct.set(each.pps, group(each.pps, each.pps, 4))
    results.add(cell(each))
  }
  return results
}

test('the ratio is of whole-core cost per packet relayed, at equal load', () => {
  const all = resultsOf(
    { engine: 'native', pps: 50_000, busyUs: 400_000 },
    { engine: 'rtpengine', pps: 50_000, busyUs: 1_000_000 },
    { engine: 'native', pps: 100_000, busyUs: 700_000 },
  ).all()
  assert.deepEqual(summaryOf(all, 'native', 'rtpengine').wholeCoreRatio, { 'srtp-rtp': { 50000: 0.4 } })
  assert.equal(all[0]?.figures.wholeCoreUs, 8)
})

test('a relay that loses packets is no measure of cost', () => {
  const all = resultsOf(
    { engine: 'native', pps: 80_000, busyUs: 400_000 },
    { engine: 'rtpengine', pps: 80_000, busyUs: 1_000_000, lost: 8_000 },
  ).all()
  assert.deepEqual(summaryOf(all, 'native', 'rtpengine').wholeCoreRatio, {})
})

test('calls count at the highest load that was carried: little lost, little delayed', () => {
  const load = (pps: number, more: Partial<Measured>): Measured => ({ engine: 'native', pps, busyUs: 1e5, ...more })
  const calls = (...all: Measured[]) => summaryOf(resultsOf(...all).all(), 'native', 'rtpengine').callsPerCore
  assert.deepEqual(calls(load(50_000, {}), load(90_000, {}), load(100_000, { lost: 11 })), { 'srtp-rtp': 900 })
  assert.deepEqual(calls(load(50_000, {}), load(90_000, { delayUs: 5_010 })), { 'srtp-rtp': 500 })
  assert.deepEqual(calls(load(50_000, { lost: 50 })), { 'srtp-rtp': 0 })
})

test('latency is what comes on top of the direct path', () => {
  const all = resultsOf({ engine: 'native', pps: 50_000, busyUs: 1, delayUs: 104 }).all()
  assert.deepEqual(summaryOf(all, 'native', 'rtpengine').p99Us, { 'srtp-rtp': { 50000: 100 } })
})

test('of several rounds the middle one counts', () => {
  const rounds = [300, 100, 200].map((ms): Measured => ({ engine: 'native', pps: 1_000, busyUs: ms * 1_000 }))
  const [result] = resultsOf(...rounds).all()
  assert.equal(result?.figures.wholeCoreUs, 200)
  assert.deepEqual(result?.costs, [300, 100, 200])
})

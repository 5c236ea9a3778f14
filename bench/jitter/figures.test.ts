import assert from 'node:assert/strict'
import { test } from 'node:test'
import { figuresOf, ratioOf } from './figures.ts'
import { Tally } from './measure.ts'

/** A tally of packets that took `delayMs`, of which every tenth is lost if `loses`. */
function tallyOf(delayMs: number, { loses = false, cpuMs }: { loses?: boolean; cpuMs?: number } = {}): Tally {
  const tally = new Tally()
  for (const meter of [tally.toSip, tally.toWeb, tally.direct]) {
    const receive = meter.receiver()
    meter.begin()
    for (let n = 0; n < 100; n++) {
      const payload = meter.stamp()
      if (loses && n % 10 === 5) continue
      const atMs = payload.readDoubleBE(4) + (meter === tally.direct ? 1 : delayMs)
      receive({ sequence: n, timestamp: n * 160, ssrc: 1, payloadType: 0, payload, atMs })
    }
    meter.end()
    receive({ sequence: 100, timestamp: 0, ssrc: 1, payloadType: 0, payload: meter.stamp(), atMs: 1e9 })
  }
  tally.setUpMs.add(delayMs * 10)
  tally.talkedSeconds = 2
  tally.cpuMs = cpuMs
  return tally
}

test('added is the delay less that of the direct path, and packets outside of the measurement do not count', () => {
  const { toSip, direct } = figuresOf('ours', tallyOf(3))
  assert.deepEqual([toSip.delayMs.p50, direct.delayMs.p50, toSip.addedMs.p99], [3, 1, 2])
  assert.deepEqual([toSip.sent, toSip.lost], [100, 0])
})

test('loss is what was sent and did not come', () => {
  const { toSip } = figuresOf('ours', tallyOf(3, { loses: true }))
  assert.deepEqual([toSip.lost, toSip.lossPercent], [10, 10])
})

test('a ratio is ours divided by theirs; CPU only where both are known', () => {
  const theirs = figuresOf('theirs', tallyOf(4, { cpuMs: 40 }))
  const ratio = ratioOf(figuresOf('ours', tallyOf(2, { cpuMs: 20 })), theirs)
  assert.deepEqual([ratio.toSip.delayMs.p50, ratio.setUpMs.max, ratio.cpuPerPacketUs], [0.5, 0.5, 0.5])
  assert.equal('cpuPerPacketUs' in ratioOf(figuresOf('ours', tallyOf(2)), theirs), false)
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CallRecord } from '../call/index.ts'
import { logCallRecord } from './cdr.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { redactNumbers } from './redact.ts'

const record: CallRecord = {
  id: 'c1',
  tenant: 'a.test',
  caller: { kind: 'user', tenant: 'a.test', user: 'alice' },
  callee: { kind: 'trunk', tenant: 'a.test', trunk: 'carrier' },
  from: 'sip:alice@a.test',
  to: 'sip:+15550100@a.test',
  startedAt: 1_000,
  answeredAt: 1_400,
  endedAt: 11_400,
  status: 200,
  endedBy: 'caller',
  reason: 'BYE',
}

function logging(format: 'json' | 'text') {
  const lines: string[] = []
  return { lines, log: createLog({ level: 'debug', format, destination: { write: (line) => lines.push(line) } }) }
}

describe('numbers in logs', () => {
  for (const [text, redacted] of [
    ['call to +15550100', 'call to +******00'],
    ['sip:15550100@a.test', 'sip:******00@a.test'],
    ['tel:+4915550100', 'tel:+********00'],
    ['a port 20000 and 127.0.0.1:5060', 'a port 20000 and 127.0.0.1:5060'],
    ['sip:alice@10.0.0.1', 'sip:alice@10.0.0.1'],
  ] as const) {
    test(text, () => assert.equal(redactNumbers(text), redacted))
  }
})

describe('the log', () => {
  test('blanks secrets and numbers in what it is given', () => {
    const { lines, log } = logging('json')
    log.info({ password: 'hunter2', trunk: { authorization: 'Digest x' }, to: '+15550100' }, 'calling +15550100')
    const line = lines.join()
    assert.doesNotMatch(line, /hunter2|Digest|5550100/)
    assert.deepEqual(JSON.parse(line).trunk, { authorization: '[secret]' })
    assert.equal(JSON.parse(line).level, 'info')
  })

  test('is one readable line on a terminal, whatever a peer put into it', () => {
    const { lines, log } = logging('text')
    log.warn({ trunk: 'carrier', text: 'two words' }, 'evil \u001b[2J\r\n line')
    assert.match(
      lines.join(''),
      /^\d\d:\d\d:\d\d\.\d{3} WARN {2}evil {2}\[2J {3}line trunk=carrier text="two words"\n$/,
    )
  })

  test('has one line for each call that ended', () => {
    const { lines, log } = logging('json')
    logCallRecord(log, record)
    const line = JSON.parse(lines.join(''))
    assert.deepEqual(
      { caller: line.caller, callee: line.callee, to: line.to, setupMs: line.setupMs, talkedMs: line.talkedMs },
      { caller: 'user:alice', callee: 'trunk:carrier', to: 'sip:+******00@a.test', setupMs: 400, talkedMs: 10_000 },
    )
  })
})

describe('metrics', () => {
  test('no label takes what a peer chose', async () => {
    const metrics = createMetrics()
    for (let n = 0; n < 100; n++) metrics.sipMessage('in', 'udp', `METHOD${n}`)
    metrics.sipMessage('in', 'udp', 'INVITE')
    metrics.sipMessage('out', 'udp', 999)
    const { text } = await metrics.render()
    const rows = text.split('\n').filter((line) => line.startsWith('trunkline_sip_messages_total{'))
    assert.equal(rows.length, 3)
    assert.match(text, /what="other"\} 100/)
  })

  test('an ended call is counted with its set-up time and duration', async () => {
    const metrics = createMetrics()
    metrics.callStarted()
    metrics.callEnded(record)
    const { text } = await metrics.render()
    assert.match(text, /^trunkline_calls_started_total 1$/m)
    assert.match(text, /^trunkline_calls_ended_total\{status="2xx",ended_by="caller"\} 1$/m)
    assert.match(text, /^trunkline_call_duration_seconds_sum 10$/m)
  })

  test('packets of an ended call are counted; duplicates are no negative loss', async () => {
    const metrics = createMetrics()
    const stream = { kind: 'audio', packetsReceived: 10, bytesReceived: 1, packetsLost: -1, jitterMs: 0 } as const
    const media = [{ ...stream, packetsSent: 9, bytesSent: 1, packetsDiscarded: 2 }]
    metrics.callEnded({ ...record, media: { id: 'c1', sides: [{ side: 'a', media }] } })
    const { text } = await metrics.render()
    assert.match(text, /^trunkline_media_packets_total\{direction="received"\} 10$/m)
    assert.match(text, /^trunkline_media_packets_lost_total 0$/m)
    assert.match(text, /^trunkline_media_packets_discarded_total 2$/m)
  })

  test('the engine’s latency is a histogram, its buckets those of the engine added up', async () => {
    const metrics = createMetrics()
    const latency = [
      [48, 70],
      [96, 20],
      [3_072, 9],
      [200_000, 1],
    ] as const
    const mediaEngine = () => ({ packetsIn: 101, packetsOut: 100, restarts: 2, latency })
    metrics.observe({ calls: () => 0, registrations: () => 0, connections: () => 0, mediaEngine })
    const { text } = await metrics.render()
    for (const line of [
      'trunkline_media_latency_seconds_bucket{le="0.00005"} 70',
      'trunkline_media_latency_seconds_bucket{le="0.0001"} 90',
      'trunkline_media_latency_seconds_bucket{le="0.0025"} 90',
      'trunkline_media_latency_seconds_bucket{le="0.005"} 99',
      'trunkline_media_latency_seconds_bucket{le="+Inf"} 100',
      'trunkline_media_latency_seconds_count 100',
      'trunkline_media_relayed_packets_total{direction="in"} 101',
      'trunkline_media_relay_restarts_total 2',
    ]) {
      assert.ok(text.split('\n').includes(line), line)
    }
  })

  test('stray datagrams are what the engine says, however often somebody looks', async () => {
    const metrics = createMetrics()
    let strays = 0
    const refresh = async (): Promise<void> => {
      strays = 5 // Counted elsewhere.
    }
    metrics.observe({
      calls: () => 0,
      registrations: () => 0,
      connections: () => 0,
      mediaStrays: () => strays,
      refresh,
    })
    await metrics.render()
    assert.match((await metrics.render()).text, /^trunkline_media_strays_total 5$/m)
  })

  test('gauges are read when somebody looks', async () => {
    const metrics = createMetrics()
    let calls = 0
    metrics.observe({ calls: () => calls, registrations: () => 1, connections: () => 2 })
    calls = 7
    assert.match((await metrics.render()).text, /^trunkline_calls_active 7$/m)
  })
})

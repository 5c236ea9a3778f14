import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Secret } from '../../../base/index.ts'
import type { MediaEvent } from '../../events.ts'
import type { SessionSpec } from '../../model.ts'
import { NativeEngine } from './engine.ts'
import type { Answer, Op } from './protocol.ts'
import { type Behaviour, RelayDouble, socketFolder } from './relay-double.test-support.ts'

const CALL: SessionSpec = { id: 'call', sides: [{ kind: 'rtp', id: 'a', media: ['audio'] }] }
const KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd'
const OPENED: Answer = {
  kind: 'opened',
  session: {
    id: 'call',
    sides: [
      {
        kind: 'rtp',
        id: 'a',
        media: [
          {
            kind: 'audio',
            ssrc: 1,
            cname: 'c',
            address: '127.0.0.1',
            port: 4,
            rtcpPort: 5,
            crypto: [{ tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', key: KEY }],
          },
        ],
      },
    ],
  },
}

const obliging: Behaviour = (op) => {
  if (op.op === 'open') return OPENED
  if (op.op === 'change') return { kind: 'changed', sides: [] }
  if (op.op === 'list') return { kind: 'sessions', sessions: [] }
  if (op.op === 'close') return { kind: 'closed', id: op.session, sides: [] }
  return { kind: 'done' }
}

interface Rig {
  readonly engine: NativeEngine
  readonly double: RelayDouble
  readonly path: string
  /** Lines of the log. */
  readonly log: string[]
  readonly events: MediaEvent[]
}

function rig(t: TestContext, behaviour: Behaviour = obliging): Rig {
  const path = join(socketFolder(t), 'control.sock')
  const double = new RelayDouble(behaviour)
  const log: string[] = []
  const note = (_fields: unknown, message: string): void => void log.push(message)
  const launch = (at: string) => double.launch(at)
  const engine = new NativeEngine({ path, gateway: 'test', launch, log: { info: note, warn: note } })
  const events: MediaEvent[] = []
  void (async () => {
    for await (const event of engine.events) events.push(event)
  })()
  t.after(() => engine.stop())
  return { engine, double, path, log, events }
}

async function started(t: TestContext, behaviour: Behaviour = obliging): Promise<Rig> {
  const made = rig(t, behaviour)
  await made.engine.start()
  return made
}

/** One turn of the event loop after the other, until it is so; the test's time-out bounds it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

const isOp = (name: Op['op']) => (op: Op) => op.op === name

test('keys are open on the wire and secret on our side', { timeout: 5_000 }, async (t) => {
  const { engine, double } = await started(t)
  const { sides } = await engine.open(CALL)
  const [side] = sides
  assert.ok(side?.kind === 'rtp')
  const key = side.media[0]?.crypto[0]?.key
  assert.equal(key?.reveal(), KEY)
  assert.doesNotMatch(JSON.stringify(sides), new RegExp(KEY))

  const keys = { tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', key: new Secret(KEY) } as const
  const codecs = { sendCodecs: [], receiveCodecs: [] }
  const place = { address: '127.0.0.1', port: 6, rtcpAddress: '127.0.0.1', rtcpPort: 7, rtcpMux: false }
  const flow = { kind: 'audio', active: true, send: true, receive: true } as const
  const media = [{ ...flow, ...codecs, ...place, srtp: { local: keys, remote: keys } }]
  await engine.change('call', { kind: 'remote', side: 'a', remote: { kind: 'rtp', media } })
  const said = await double.hears(isOp('change'))
  assert.equal(JSON.stringify(said).split(KEY).length, 3, 'both keys stand in the command')
})

test('a spec that makes no sense is not even said', { timeout: 5_000 }, async (t) => {
  const { engine, double } = await started(t)
  await assert.rejects(engine.open({ id: 'x', sides: [] }), { code: 'MEDIA_SPEC_INVALID' })
  assert.deepEqual(double.heard.filter(isOp('open')), [])
})

test('a fault of the engine keeps its code; one that we do not know is a bug with its name', {
  timeout: 5_000,
}, async (t) => {
  let code = 'MEDIA_PORTS_EXHAUSTED'
  const { engine } = await started(t, (op) => (op.op === 'open' ? { code, message: 'the reason' } : obliging(op)))
  await assert.rejects(engine.open(CALL), { code: 'MEDIA_PORTS_EXHAUSTED', message: 'the reason' })
  code = 'MEDIA_FROM_THE_FUTURE'
  await assert.rejects(engine.open(CALL), { code: 'INTERNAL', message: /MEDIA_FROM_THE_FUTURE: the reason/ })
})

test('a relay that is replaced: sessions are claimed, then what was not answered is said again', {
  timeout: 5_000,
}, async (t) => {
  const { engine, double, log, events } = await started(t)
  await engine.open(CALL)
  double.behaviour = (op) => (op.op === 'change' ? undefined : obliging(op))
  const changes = ['a', 'b'].map((side) => engine.change('call', { kind: 'restart-ice', side }))
  await until(() => double.heard.filter(isOp('change')).length === 2)
  double.heard.length = 0
  double.behaviour = obliging
  double.replaceRelay()
  await Promise.all(changes)
  assert.deepEqual(
    double.heard.map((op) => (op.op === 'change' ? [op.op, 'side' in op.change && op.change.side] : [op.op])),
    [['claim'], ['change', 'a'], ['change', 'b']],
  )
  const claim = double.heard.find(isOp('claim'))
  assert.deepEqual(claim?.op === 'claim' && claim.sessions, ['call'])
  assert.ok(log.some((line) => /another relay serves/.test(line)))
  assert.deepEqual(events, [], 'no call has to know')
})

test('digits that may have been heard are not sent twice', { timeout: 5_000 }, async (t) => {
  const { engine, double } = await started(t, (op) => (op.op === 'change' ? undefined : obliging(op)))
  const digits = engine.change('call', { kind: 'send-dtmf', side: 'a', digits: '1' })
  await double.hears(isOp('change'))
  double.replaceRelay()
  await assert.rejects(digits, { code: 'MEDIA_DEADLINE_MISSED' })
  await engine.open(CALL)
  assert.equal(double.heard.filter(isOp('change')).length, 1)
})

test('events go on after a relay was replaced; a kind that we do not know is left out', {
  timeout: 5_000,
}, async (t) => {
  const { engine, double, events } = await started(t)
  const ended = { kind: 'ended', session: 'call', side: 'a' } as const
  double.tell({ events: [ended] })
  await until(() => events.length === 1)
  double.replaceRelay()
  await engine.open(CALL)
  const fromTheFuture = JSON.parse('{ "kind": "from-the-future", "session": "call" }')
  double.tell({ events: [fromTheFuture, { ...ended, side: 'b' }] })
  await until(() => events.length === 2)
  assert.deepEqual(events, [ended, { ...ended, side: 'b' }])
})

test('keeper and relay gone: it is told, commands are refused, and a new engine serves new calls', {
  timeout: 5_000,
}, async (t) => {
  const { engine, double, events } = await started(t, (op) => (op.op === 'stats' ? undefined : obliging(op)))
  await engine.open(CALL)
  const asked = engine.stats('call')
  await double.hears(isOp('stats'))
  await double.die()
  await assert.rejects(asked, { code: 'MEDIA_ENGINE_LOST' })
  await assert.rejects(engine.open(CALL), { code: 'MEDIA_ENGINE_LOST' })
  await until(() => events.length > 0)
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['engine-lost'],
  )
  double.heard.length = 0
  const claim = await double.hears(isOp('claim'))
  assert.deepEqual(claim.op === 'claim' && claim.sessions, [], 'the old sessions are gone')
  await engine.open(CALL)
})

test('a session that was opened too late is closed: its caller was told that nothing is bound', {
  timeout: 5_000,
}, async (t) => {
  const { engine, double } = await started(t, (op) => (op.op === 'open' ? undefined : obliging(op)))
  await assert.rejects(engine.open(CALL, { deadlineMs: 10 }), { code: 'MEDIA_DEADLINE_MISSED' })
  const close = await double.hears(isOp('close'))
  assert.equal(close.op === 'close' && close.session, 'call')
})

test('an engine that still has calls is used; one without ends, for it may be of an older build', {
  timeout: 5_000,
}, async (t) => {
  const busy = rig(t, (op) => (op.op === 'list' ? { kind: 'sessions', sessions: ['old'] } : obliging(op)))
  await busy.double.launch(busy.path)
  await busy.engine.start()
  assert.ok(!busy.double.heard.some(isOp('stop')))
  assert.ok(busy.log.some((line) => /still has sessions/.test(line)))
  await busy.engine.open(CALL)

  const idle = rig(t)
  await idle.double.launch(idle.path)
  await idle.engine.start()
  assert.ok(idle.double.heard.some(isOp('stop')))
  await idle.engine.open(CALL)
})

test('one engine serves one gateway; that of a gateway which died is free', { timeout: 5_000 }, async (t) => {
  const first = await started(t)
  const options = { path: first.path, gateway: 'second', launch: () => Promise.reject(new Error('not needed')) }
  await assert.rejects(new NativeEngine(options).start(), { code: 'LISTEN_FAILED', message: /another gateway/ })
  await first.engine.open(CALL)
})

test('an engine of another protocol is refused', { timeout: 5_000 }, async (t) => {
  const { engine, double } = rig(t)
  double.protocol = 2
  await assert.rejects(engine.start(), { code: 'LISTEN_FAILED' })
})

test('what cannot be read is noted and disturbs nothing', { timeout: 5_000 }, async (t) => {
  const { engine, double, log } = await started(t)
  double.raw(Buffer.from([0, 0, 0, 1, 0x7b]))
  await until(() => log.some((line) => /cannot be read/.test(line)))
  await engine.open(CALL)
  double.raw(Buffer.from([0xff, 0xff, 0xff, 0xff]))
  await until(() => double.heard.filter(isOp('claim')).length === 2)
  await engine.open(CALL)
})

test('strays and counters are those of the last count, which may fail', { timeout: 5_000 }, async (t) => {
  const thread = { sessions: 1, packetsIn: 3, packetsOut: 2, strays: 1, handshakes: 0 }
  const latency = { count: 3, p50: 1, p99: 1, p999: 1, max: 1 }
  const threads = [
    { ...thread, latencyUs: { ...latency, buckets: [[48, 2]] as const } },
    {
      ...thread,
      latencyUs: {
        ...latency,
        buckets: [
          [32, 1],
          [48, 5],
        ] as const,
      },
    },
  ]
  const counted = { version: '1', sessions: 2, strays: 2, packetsIn: 6, packetsOut: 4, restarts: 1, threads }
  const { engine, double } = await started(t, (op) =>
    op.op === 'engine' ? { kind: 'engine', engine: counted } : obliging(op),
  )
  assert.equal(engine.strays(), 0)
  await engine.refresh()
  double.behaviour = () => ({ code: 'MEDIA_DEADLINE_MISSED', message: 'overload' })
  await engine.refresh()
  assert.equal(engine.strays(), 2)
  assert.deepEqual(engine.counters(), {
    packetsIn: 6,
    packetsOut: 4,
    restarts: 1,
    latency: [
      [32, 1],
      [48, 7],
    ],
  })
  assert.equal(engine.about, 'native, 2 threads, io batch (test)')
})

test('after a stop nothing can be asked', { timeout: 5_000 }, async (t) => {
  const { engine, double } = await started(t)
  await engine.stop()
  await engine.stop()
  assert.equal(double.heard.filter(isOp('stop')).length, 1)
  await assert.rejects(engine.open(CALL), { code: 'MEDIA_ENGINE_LOST' })
  await assert.rejects(engine.stats('call'), { code: 'MEDIA_ENGINE_LOST' })
})

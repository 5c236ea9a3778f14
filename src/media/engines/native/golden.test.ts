import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type {
  ConnectedTo,
  LocalRtpSide,
  LocalRtpStream,
  LocalWebRtcSide,
  PayloadCodec,
  RemoteRtpMedium,
  RtpSideSpec,
  SessionChange,
  SideStats,
  StreamStats,
} from '../../model.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import {
  type Answer,
  type Command,
  EVENT_KINDS,
  type Hello,
  type LatencyStats,
  type Message,
  type Op,
  type ThreadStats,
} from './protocol.ts'
import { fromWire, toWire } from './wire.ts'

const FOLDER = new URL('../../../../native/crates/control/golden/', import.meta.url)
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.replace(/\.json$/, ''))
  .sort()

function golden(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'))
}

const isOurs = (name: string): boolean => /^(?:command|change)-/.test(name)
const commands = NAMES.filter(isOurs).map((name) => golden(name) as Command)
const messages = NAMES.filter((name) => !isOurs(name)).map((name) => golden(name) as Message)
const answers = messages.flatMap((message) => ('ok' in message && message.ok ? [message.ok] : []))
const changes = commands.flatMap((command) => (command.op === 'change' ? [command.change] : []))

for (const name of NAMES) {
  test(`${name}: a frame of it is read again, and its way through the model changes nothing`, () => {
    const value = golden(name)
    const frame = encodeFrame(toWire(fromWire(value)))
    assert.ok(frame)
    assert.deepEqual(new FrameReader().push(frame), [{ kind: 'value', value }])
  })
}

test('no key that came in can be read by accident', () => {
  const text = NAMES.map((name) => readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')).join('')
  const keys = [...text.matchAll(/"key": "([^"]+)"/g)].flatMap(([, key]) => key ?? [])
  assert.ok(keys.length > 0)
  const seen = JSON.stringify(NAMES.map((name) => fromWire(golden(name))))
  assert.deepEqual(
    keys.filter((key) => seen.includes(key)),
    [],
  )
})

/** All members of a union, or all fields of a type: the compiler misses none. */
type Every<Name extends string> = { readonly [Key in Name]-?: null }

const OPS: Every<Op['op']> = {
  hello: null,
  open: null,
  change: null,
  stats: null,
  close: null,
  list: null,
  claim: null,
  engine: null,
  upgrade: null,
  stop: null,
  skip: null,
}
const CHANGES: Every<SessionChange['kind']> = {
  'add-side': null,
  'drop-side': null,
  remote: null,
  'restart-ice': null,
  connect: null,
  mute: null,
  'send-dtmf': null,
}
const PARTNERS: Every<ConnectedTo['kind']> = { side: null, echo: null, tone: null, silence: null, nothing: null }
const ANSWERS: Every<Answer['kind']> = {
  hello: null,
  opened: null,
  changed: null,
  stats: null,
  closed: null,
  sessions: null,
  engine: null,
  done: null,
}

for (const [what, all, seen] of [
  ['commands', OPS, commands.map(({ op }) => op)],
  ['changes', CHANGES, changes.map(({ kind }) => kind)],
  ['partners', PARTNERS, changes.flatMap((change) => (change.kind === 'connect' ? [change.to.kind] : []))],
  ['answers', ANSWERS, answers.map(({ kind }) => kind)],
  ['events', EVENT_KINDS, messages.flatMap((each) => ('events' in each ? each.events : [])).map(({ kind }) => kind)],
] as const) {
  test(`the engine and we know the same ${what}`, () => {
    assert.deepEqual([...new Set<string>(seen)].sort(), Object.keys(all).sort())
  })
}

const SPEC: Every<keyof RtpSideSpec> = {
  kind: null,
  id: null,
  media: null,
  towards: null,
  signalledFrom: null,
  ports: null,
}
const LOCAL_WEBRTC: Every<keyof LocalWebRtcSide> = {
  kind: null,
  id: null,
  ice: null,
  candidates: null,
  fingerprint: null,
  feedback: null,
  media: null,
}
const LOCAL_RTP: Every<keyof LocalRtpSide> = { kind: null, id: null, media: null }
const LOCAL_STREAM: Every<keyof LocalRtpStream> = {
  kind: null,
  ssrc: null,
  cname: null,
  address: null,
  port: null,
  rtcpPort: null,
  crypto: null,
}
const MEDIUM: Every<keyof RemoteRtpMedium> = {
  kind: null,
  active: null,
  send: null,
  receive: null,
  sendCodecs: null,
  receiveCodecs: null,
  mid: null,
  midExtensionId: null,
  transportCcExtensionId: null,
  nack: null,
  ptimeMs: null,
  address: null,
  port: null,
  rtcpAddress: null,
  rtcpPort: null,
  rtcpMux: null,
  srtp: null,
}
const CODEC: Every<keyof PayloadCodec> = {
  payloadType: null,
  name: null,
  clockRateHz: null,
  channels: null,
  fmtp: null,
}
const SIDE_STATS: Every<keyof SideStats> = {
  side: null,
  media: null,
  ice: null,
  dtls: null,
  srtpSuite: null,
  remote: null,
}
const STREAM_STATS: Every<keyof StreamStats> = {
  kind: null,
  packetsReceived: null,
  bytesReceived: null,
  packetsLost: null,
  jitterMs: null,
  packetsSent: null,
  bytesSent: null,
  remoteLossFraction: null,
  remoteJitterMs: null,
  roundTripMs: null,
  packetsDiscarded: null,
  codec: null,
  packetsDuplicated: null,
  packetsReordered: null,
  rFactor: null,
  mos: null,
  silentForMs: null,
}
const HELLO: Every<keyof Hello> = {
  kind: null,
  protocol: null,
  version: null,
  relayPid: null,
  keeperPid: null,
  threads: null,
  io: null,
}
const THREAD: Every<keyof ThreadStats> = {
  sessions: null,
  packetsIn: null,
  packetsOut: null,
  strays: null,
  handshakes: null,
  latencyUs: null,
}
const LATENCY: Every<keyof LatencyStats> = { count: null, p50: null, p99: null, p999: null, max: null, buckets: null }

const specs = [
  ...commands.flatMap((command) => (command.op === 'open' ? command.spec.sides : [])),
  ...changes.flatMap((change) => (change.kind === 'add-side' ? [change.side] : [])),
]
const locals = answers.flatMap((answer) => (answer.kind === 'opened' ? answer.session.sides : []))
const remotes = changes.flatMap((change) => (change.kind === 'remote' ? [change.remote] : []))
const media: readonly { readonly sendCodecs: readonly object[] }[] = remotes.flatMap((remote) => [...remote.media])
const stats = answers.flatMap((answer) => (answer.kind === 'closed' ? answer.sides : []))
const engines = answers.flatMap((answer) => (answer.kind === 'engine' ? [answer.engine] : []))

for (const [what, all, values] of [
  ['spec of an RTP side', SPEC, specs.filter(({ kind }) => kind === 'rtp')],
  ['facts of a WebRTC side', LOCAL_WEBRTC, locals.filter(({ kind }) => kind === 'webrtc')],
  ['facts of an RTP side', LOCAL_RTP, locals.filter(({ kind }) => kind === 'rtp')],
  ['stream of an RTP side', LOCAL_STREAM, locals.flatMap((side) => (side.kind === 'rtp' ? side.media : []))],
  ['negotiated medium', MEDIUM, media],
  ['codec', CODEC, media.flatMap(({ sendCodecs }) => sendCodecs)],
  ['counters of a side', SIDE_STATS, stats],
  ['counters of a stream', STREAM_STATS, stats.flatMap((side) => side.media)],
  ['hello', HELLO, answers.filter(({ kind }) => kind === 'hello')],
  ['counters of a thread', THREAD, engines.flatMap(({ threads }) => threads)],
  ['latency', LATENCY, engines.flatMap(({ threads }) => threads.map(({ latencyUs }) => latencyUs))],
] as const) {
  test(`the engine and we know the same fields: ${what}`, () => {
    const seen = new Set(values.flatMap((value: object) => Object.keys(value)))
    assert.deepEqual([...seen].sort(), Object.keys(all).sort())
  })
}

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { CallRecord } from '../call/index.ts'
import type { DnsType, TransportName } from '../sip/index.ts'
import { type LatencyCounts, latencyText } from './latency.ts'

/** Numbers read when somebody looks (`/metrics`), not pushed at each change. */
export interface MetricSources {
  readonly calls: () => number
  readonly registrations: () => number
  readonly connections: () => number
  readonly subscriptions?: () => number
  /** Instant messages that wait for their receivers. */
  readonly messages?: () => number
  readonly transactions?: () => number
  readonly mediaSessions?: () => number
  /** Datagrams since the start that belonged to no media session. */
  readonly mediaStrays?: () => number
  readonly mediaEngine?: () => MediaEngineCounts
  /** Waited for before the numbers are read: some are counted in another process. Never fails. */
  readonly refresh?: () => Promise<void>
}

/** What an engine counts packet by packet; here it is only read. */
export interface MediaEngineCounts {
  readonly packetsIn: number
  readonly packetsOut: number
  /** Times the relay was replaced. */
  readonly restarts: number
  readonly latency: LatencyCounts
}

/**
 * The counters of the product. No label takes a value that a peer can choose: methods outside the known list are
 * `other`, statuses are counted by class.
 */
export interface Metrics {
  /** `what`: a method, or a status as number. */
  sipMessage(direction: 'in' | 'out', transport: TransportName, what: string | number): void
  sipRetransmitted(transport: TransportName): void
  /** A message was refused or ignored before it reached a call; `code` is ours (a fault or `SIP_STRAY_…`). */
  sipRejected(code: string): void
  authFailed(kind: 'sip' | 'api'): void
  callStarted(): void
  callEnded(record: CallRecord): void
  /** A fault of the table in `base/errors.ts` was raised. */
  fault(code: string): void
  /** A target of a trunk did not serve a request (RFC 3263 §4.3). */
  targetFailed(cause: 'silent' | 'timeout' | 'transport' | '503'): void
  /** The DNS answered a question of ours, or could not. */
  dnsAnswered(type: DnsType, outcome: 'found' | 'none' | 'failed'): void
  /** The relay was replaced with sessions up. */
  mediaRecovered(gapMs: number): void
  /** The engine closed a session that nobody asked it to close. */
  mediaClosedByEngine(): void
  /** Text for `/metrics`, with its content type. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>
  /** Names where the gauges get their values. Call once. */
  observe(sources: MetricSources): void
}

const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'ACK',
  'BYE',
  'CANCEL',
  'INFO',
  'INVITE',
  'MESSAGE',
  'NOTIFY',
  'OPTIONS',
  'PRACK',
  'PUBLISH',
  'REFER',
  'REGISTER',
  'SUBSCRIBE',
  'UPDATE',
])

/** A registry of its own for each gateway, so that several in one process (tests) do not mix. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const sip = sipCounters(registry)
  const calls = callCounters(registry)
  const locating = locatingCounters(registry)
  const media = mediaCounters(registry)
  let refresh = async (): Promise<void> => {}
  let latency = (): string => ''
  return {
    sipMessage: (direction, transport, what) => sip.messages.inc({ direction, transport, what: messageLabel(what) }),
    sipRetransmitted: (transport) => sip.retransmissions.inc({ transport }),
    sipRejected: (code) => sip.rejected.inc({ code }),
    authFailed: (kind) => sip.authFailures.inc({ kind }),
    callStarted: () => calls.started.inc(),
    callEnded: (record) => {
      countEnd(calls, record)
      countMedia(media, record)
    },
    fault: (code) => calls.faults.inc({ code }),
    targetFailed: (cause) => locating.failures.inc({ cause }),
    dnsAnswered: (type, outcome) => locating.answers.inc({ type, outcome }),
    mediaRecovered: (gapMs) => media.gaps.observe(gapMs / 1000),
    mediaClosedByEngine: () => media.closedByEngine.inc(),
    async render() {
      await refresh()
      return { contentType: registry.contentType, text: (await registry.metrics()) + latency() }
    },
    observe(sources) {
      gauges(registry, sources)
      const { mediaEngine } = sources
      refresh = sources.refresh ?? refresh
      if (mediaEngine === undefined) return
      engineCounters(registry, mediaEngine)
      latency = () => latencyText(mediaEngine().latency)
    },
  }
}

function messageLabel(what: string | number): string {
  if (typeof what === 'number') return `${Math.min(6, Math.max(1, Math.floor(what / 100)))}xx`
  return KNOWN_METHODS.has(what) ? what : 'other'
}

function sipCounters(registry: Registry) {
  const registers = [registry]
  return {
    messages: new Counter({
      name: 'trunkline_sip_messages_total',
      help: 'SIP messages by direction, transport and method or status class',
      labelNames: ['direction', 'transport', 'what'],
      registers,
    }),
    retransmissions: new Counter({
      name: 'trunkline_sip_retransmissions_total',
      help: 'SIP messages sent again by a transaction timer',
      labelNames: ['transport'],
      registers,
    }),
    rejected: new Counter({
      name: 'trunkline_sip_rejected_total',
      help: 'Messages refused or ignored before they reached a call, by fault code',
      labelNames: ['code'],
      registers,
    }),
    authFailures: new Counter({
      name: 'trunkline_auth_failures_total',
      help: 'Wrong credentials, over SIP and at the API',
      labelNames: ['kind'],
      registers,
    }),
  }
}

function callCounters(registry: Registry) {
  const registers = [registry]
  return {
    started: new Counter({ name: 'trunkline_calls_started_total', help: 'Calls that were offered', registers }),
    ended: new Counter({
      name: 'trunkline_calls_ended_total',
      help: 'Calls that ended, by status class and by who ended them',
      labelNames: ['status', 'ended_by'],
      registers,
    }),
    setup: new Histogram({
      name: 'trunkline_call_setup_seconds',
      help: 'From the INVITE to the answer',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80],
      registers,
    }),
    duration: new Histogram({
      name: 'trunkline_call_duration_seconds',
      help: 'From the answer to the end',
      buckets: [1, 5, 15, 30, 60, 180, 600, 1_800, 3_600, 14_400],
      registers,
    }),
    faults: new Counter({
      name: 'trunkline_faults_total',
      help: 'Faults by the code of docs/errors.md',
      labelNames: ['code'],
      registers,
    }),
  }
}

function locatingCounters(registry: Registry) {
  const registers = [registry]
  return {
    failures: new Counter({
      name: 'trunkline_sip_target_failures_total',
      help: 'Requests that a target of a trunk did not serve, by cause; the next target was tried if there was one',
      labelNames: ['cause'],
      registers,
    }),
    answers: new Counter({
      name: 'trunkline_dns_answers_total',
      help: 'Questions to the DNS, by type of record and outcome',
      labelNames: ['type', 'outcome'],
      registers,
    }),
  }
}

function mediaCounters(registry: Registry) {
  const registers = [registry]
  return {
    packets: new Counter({
      name: 'trunkline_media_packets_total',
      help: 'RTP packets of ended calls',
      labelNames: ['direction'],
      registers,
    }),
    lost: new Counter({
      name: 'trunkline_media_packets_lost_total',
      help: 'RTP packets that did not reach us, of ended calls',
      registers,
    }),
    discarded: new Counter({
      name: 'trunkline_media_packets_discarded_total',
      help: 'Packets from a wrong source, replayed, not authentic or of an unknown payload type, of ended calls',
      registers,
    }),
    gaps: new Histogram({
      name: 'trunkline_media_recovery_gap_seconds',
      help: 'Time without media when the relay was replaced with sessions up',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.031, 0.05, 0.1, 0.5, 1],
      registers,
    }),
    closedByEngine: new Counter({
      name: 'trunkline_media_sessions_closed_by_engine_total',
      help: 'Sessions that the media engine closed by itself, because no gateway claimed them',
      registers,
    }),
  }
}

function countEnd(calls: ReturnType<typeof callCounters>, record: CallRecord): void {
  calls.ended.inc({ status: messageLabel(record.status), ended_by: record.endedBy })
  if (record.answeredAt === undefined) return
  calls.setup.observe((record.answeredAt - record.startedAt) / 1000)
  calls.duration.observe((record.endedAt - record.answeredAt) / 1000)
}

function countMedia(media: ReturnType<typeof mediaCounters>, record: CallRecord): void {
  for (const stream of record.media?.sides.flatMap((side) => side.media) ?? []) {
    media.packets.inc({ direction: 'received' }, stream.packetsReceived)
    media.packets.inc({ direction: 'sent' }, stream.packetsSent)
    media.lost.inc(Math.max(0, stream.packetsLost)) // Negative with duplicates, RFC 3550 A.3.
    media.discarded.inc(stream.packetsDiscarded)
  }
}

function gauges(registry: Registry, sources: MetricSources): void {
  const add = (name: string, help: string, read: (() => number) | undefined): void => {
    if (read === undefined) return
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }
  add('trunkline_calls_active', 'Calls that are ringing or talking', sources.calls)
  add('trunkline_registrations_active', 'Contacts registered', sources.registrations)
  add('trunkline_subscriptions_active', 'Subscriptions to the state of users', sources.subscriptions)
  add('trunkline_messages_waiting', 'Instant messages that wait for their receivers', sources.messages)
  add('trunkline_connections_open', 'TCP and WebSocket connections', sources.connections)
  add('trunkline_sip_transactions_active', 'Live SIP transactions', sources.transactions)
  add('trunkline_media_sessions_active', 'Open media sessions', sources.mediaSessions)
  strayCounter(registry, sources.mediaStrays)
}

function engineCounters(registry: Registry, read: () => MediaEngineCounts): void {
  new Counter({
    name: 'trunkline_media_relayed_packets_total',
    help: 'Packets of media that the engine got and sent',
    labelNames: ['direction'],
    registers: [registry],
    collect() {
      const { packetsIn, packetsOut } = read()
      this.reset()
      this.inc({ direction: 'in' }, packetsIn)
      this.inc({ direction: 'out' }, packetsOut)
    },
  })
  new Counter({
    name: 'trunkline_media_relay_restarts_total',
    help: 'Times the process that relays media was replaced, by an upgrade or after it died',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(read().restarts)
    },
  })
}

function strayCounter(registry: Registry, read: (() => number) | undefined): void {
  if (read === undefined) return
  new Counter({
    name: 'trunkline_media_strays_total',
    help: 'Datagrams at the WebRTC ports that belonged to nobody: garbage, strangers, checks with wrong credentials',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(read())
    },
  })
}

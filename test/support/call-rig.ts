import assert from 'node:assert/strict'
import { type Millis, seededIds } from '../../src/base/index.ts'
import {
  type CallConfig,
  type CallEffect,
  type CallEvent,
  type CallRecord,
  type CallState,
  callMachine,
  createCall,
  type Destination,
  type LegId,
  type Party,
  type RouteDecision,
} from '../../src/call/index.ts'
import type { LocalSide, SessionChange, SideSpec } from '../../src/media/index.ts'
import {
  createRequest,
  createResponse,
  type Flow,
  type HeaderField,
  type SipRequest,
  type SipResponse,
} from '../../src/sip/index.ts'
import { phoneSdp } from './sdp-texts.ts'

export const POLICY = {
  audioCodecs: [
    'opus/48000',
    'G722/8000',
    'PCMU/8000',
    'PCMA/8000',
    'telephone-event/8000',
    'telephone-event/48000',
    'CN/8000',
  ],
  video: false,
  srtp: 'never' as const,
}

export const CALL_CONFIG: CallConfig = {
  contactFor: { udp: 'sip:192.0.2.1:5060', tcp: 'sip:192.0.2.1:5060;transport=tcp', ws: 'sip:192.0.2.1;transport=ws' },
  product: 'Trunkline/test',
  sdp: { user: POLICY, trunk: POLICY },
  earlyMedia: 'connect',
  sessionTimer: { seconds: 1_800, minSeconds: 90 },
  trustedTrunks: [],
}

/** A transport address as a flow. */
export function flowTo(host: string, transport: Flow['transport'] = 'udp'): Flow {
  return {
    id: `${transport}:${host}`,
    transport,
    local: { host: '192.0.2.1', port: 5060 },
    remote: { host, port: 5060 },
  }
}

/** A destination of the callee's domain, reached over UDP. */
export function destination(user: string, host: string, party?: Party): Destination {
  return {
    party: party ?? { kind: 'user', tenant: 'example.test', user },
    uri: `sip:${user}@${host}`,
    target:
      party?.kind === 'trunk'
        ? { kind: 'address', transport: 'udp', to: { host, port: 5060 } }
        : { kind: 'flow', flow: flowTo(host) },
    profile: 'rtp',
    route: [],
    srtp: 'never',
  }
}

export interface OfferOptions {
  readonly decision?: RouteDecision
  readonly sdp?: string
  readonly headers?: readonly HeaderField[]
  readonly caller?: Party
  readonly transport?: Flow['transport']
}

interface InDialogOptions {
  readonly sdp?: string
  readonly headers?: readonly HeaderField[]
  readonly body?: { readonly type: string; readonly content: string }
  /** Of another early dialog than the one that the leg shows. */
  readonly toTag?: string
  readonly fromTag?: string
}

interface OutRequest {
  readonly leg: LegId
  readonly key: string
  readonly request: SipRequest
}

const CALLER_HOST = '198.51.100.7'

/** Drives one call machine by hand: peers are messages, media answers at once unless it is told to wait. */
export class CallRig {
  state: CallState
  now: Millis = 1_000_000
  readonly requests: OutRequest[] = []
  readonly responses: { readonly leg: LegId; readonly key: string; readonly response: SipResponse }[] = []
  readonly effects: CallEffect[] = []
  readonly changes: SessionChange[] = []
  readonly records: CallRecord[] = []
  mediaAnswers: 'at once' | 'by hand' = 'at once'
  readonly heldMedia: CallEvent[] = []
  readonly #machine
  #sequence = 100
  #serverKeys = 0
  #sides = 0
  readonly #requestsOf = new Map<string, SipRequest>()

  constructor(config: Partial<CallConfig> = {}) {
    this.state = createCall('c1')
    this.#machine = callMachine({ config: { ...CALL_CONFIG, ...config }, ids: seededIds(7) })
  }

  /** Gives the machine an event and the machine's media operations their results. */
  event(event: CallEvent): void {
    const before = JSON.stringify(this.state)
    const input = this.state
    const { state, effects } = this.#machine.step(this.state, event, this.now)
    assert.equal(JSON.stringify(input), before, 'step changed the state it was given')
    this.state = state
    for (const effect of effects) this.#take(effect)
  }

  /** Lets the time pass until `ms` later, waking the machine at each deadline. */
  pass(ms: number): void {
    const until = this.now + ms
    for (let at = this.deadline(); at !== undefined && at <= until; at = this.deadline()) {
      this.now = Math.max(at, this.now)
      this.event({ kind: 'wake' })
    }
    this.now = until
  }

  deadline(): Millis | undefined {
    return this.#machine.deadline(this.state)
  }

  /** An INVITE that begins the call. Returns its key. */
  offer(options: OfferOptions = {}): string {
    const transport = options.transport ?? 'udp'
    const request = this.fromCaller('INVITE', {
      sdp: options.sdp ?? phoneSdp(),
      ...(options.headers && { headers: options.headers }),
    })
    const key = this.#register(request)
    this.event({
      kind: 'offered',
      key,
      request,
      flow: flowTo(CALLER_HOST, transport),
      caller: options.caller ?? { kind: 'user', tenant: 'example.test', user: 'alice' },
      decision: options.decision ?? { kind: 'ring', groups: [[destination('bob', '198.51.100.8')]] },
      limits: { ringTimeoutMs: 60_000, maxDurationMs: 3_600_000 },
    })
    return key
  }

  /** A message of the caller as it would come from the wire. */
  fromCaller(
    method: string,
    options: { sdp?: string; headers?: readonly HeaderField[]; toTag?: string; sequence?: number } = {},
  ): SipRequest {
    const to = options.toTag === undefined ? '' : `;tag=${options.toTag}`
    return createRequest({
      method,
      uri: 'sip:bob@example.test',
      headers: [
        { name: 'Via', value: `SIP/2.0/UDP ${CALLER_HOST};branch=z9hG4bK${this.#sequence}` },
        { name: 'From', value: '"Alice" <sip:alice@example.test>;tag=caller' },
        { name: 'To', value: `<sip:bob@example.test>${to}` },
        { name: 'Call-ID', value: 'of-the-caller' },
        { name: 'CSeq', value: `${options.sequence ?? this.#sequence++} ${method}` },
        { name: 'Contact', value: `<sip:alice@${CALLER_HOST}>` },
        ...(options.headers ?? [{ name: 'Max-Forwards', value: '70' }]),
      ],
      body:
        options.sdp === undefined || options.sdp === '' ? undefined : { type: 'application/sdp', content: options.sdp },
    })
  }

  /** A request inside a dialog of the call. Returns its key. */
  request(leg: LegId, method: string, options: InDialogOptions = {}): string {
    const request = this.#inDialog(leg, method, options)
    const key = this.#register(request)
    this.event({ kind: 'request', leg, key, request, flow: this.state.legs[leg]?.flow ?? flowTo(CALLER_HOST) })
    return key
  }

  ack(leg: LegId, sdp?: string): void {
    this.event({ kind: 'ack', leg, request: this.#inDialog(leg, 'ACK', sdp === undefined ? {} : { sdp }) })
  }

  /** A peer answers a request of ours. */
  answer(
    key: string,
    status: number,
    options: { sdp?: string; tag?: string; headers?: readonly HeaderField[]; contact?: false } = {},
  ): void {
    const asked = this.requests.find((each) => each.key === key)
    assert.ok(asked, `there is no request ${key}`)
    const { request, leg } = asked
    const to = request.headers.get('To') ?? ''
    const tagged = request.headers.toTag === undefined ? `${to};tag=${options.tag ?? `tag-${leg}`}` : to
    const response = createResponse({
      status,
      headers: [
        { name: 'From', value: request.headers.get('From') ?? '' },
        { name: 'To', value: tagged },
        { name: 'Call-ID', value: request.headers.callId },
        { name: 'CSeq', value: request.headers.get('CSeq') ?? '' },
        ...(options.contact === false ? [] : [{ name: 'Contact', value: `<sip:${leg}@198.51.100.8:5070>` }]),
        ...(options.headers ?? []),
      ],
      body: options.sdp === undefined ? undefined : { type: 'application/sdp', content: options.sdp },
    })
    this.event({ kind: 'response', key, response, flow: flowTo('198.51.100.8') })
  }

  /** The newest request of ours on a leg. */
  sent(leg: LegId, method = 'INVITE'): OutRequest {
    const found = this.requests.findLast((each) => each.leg === leg && each.request.method === method)
    assert.ok(found, `nothing of ${method} was sent on ${leg}`)
    return found
  }

  /** Statuses of our answers to `key`. */
  statuses(key: string): number[] {
    return this.responses.filter((each) => each.key === key).map(({ response }) => response.status)
  }

  final(key: string): SipResponse {
    const found = this.responses.find((each) => each.key === key && each.response.status >= 200)
    assert.ok(found, `${key} was not answered`)
    return found.response
  }

  /** Ends what the machine still waits for: peers answer each request with 200, INVITEs that were cancelled with 487. */
  settle(): void {
    for (const { key, purpose } of this.state.sent) {
      this.answer(key, purpose === 'invite' || purpose === 'reinvite' ? 487 : 200)
    }
  }

  effectsOf<Kind extends CallEffect['kind']>(kind: Kind): Extract<CallEffect, { readonly kind: Kind }>[] {
    return this.effects.filter((effect): effect is Extract<CallEffect, { readonly kind: Kind }> => effect.kind === kind)
  }

  #take(effect: CallEffect): void {
    this.effects.push(effect)
    if (effect.kind === 'request') this.requests.push(effect)
    if (effect.kind === 'respond') this.responses.push(effect)
    if (effect.kind === 'ended') this.records.push(effect.record)
    if (effect.kind === 'media-change') this.changes.push(effect.change)
    const result = this.#mediaResult(effect)
    if (result === undefined) return
    if (this.mediaAnswers === 'at once') this.event(result)
    else this.heldMedia.push(result)
  }

  #mediaResult(effect: CallEffect): CallEvent | undefined {
    switch (effect.kind) {
      case 'media-open':
        return {
          kind: 'media-opened',
          op: effect.op,
          opened: { id: 'c1', sides: effect.spec.sides.map((side) => this.#side(side)) },
        }
      case 'media-change': {
        const { change } = effect
        const made = change.kind === 'add-side' ? [this.#side(change.side)] : []
        const restarted =
          change.kind === 'restart-ice' ? [this.#side({ kind: 'webrtc', id: change.side, media: ['audio'] })] : []
        return { kind: 'media-changed', op: effect.op, result: { sides: [...made, ...restarted] } }
      }
      case 'media-close':
        return { kind: 'media-closed', summary: { id: 'c1', sides: [] } }
      default:
        return undefined
    }
  }

  #side(spec: SideSpec): LocalSide {
    const n = ++this.#sides
    if (spec.kind === 'webrtc') {
      return {
        kind: 'webrtc',
        id: spec.id,
        ice: { ufrag: `ours${n}`, pwd: 'our-password-of-24-character', lite: true },
        candidates: [{ foundation: '1', protocol: 'udp', priority: 1, address: '192.0.2.1', port: 3480 }],
        fingerprint: { algorithm: 'sha-256', value: Array(32).fill('CD').join(':') },
        media: spec.media.map((kind) => ({ kind, ssrc: n, cname: 'us' })),
      }
    }
    const media = spec.media.map((kind, index) => {
      const port = 40_000 + 20 * n + 2 * index
      return { kind, ssrc: n, cname: 'us', address: '192.0.2.1', port, rtcpPort: port + 1, crypto: [] }
    })
    return { kind: 'rtp', id: spec.id, media }
  }

  #register(request: SipRequest): string {
    const key = `server-${++this.#serverKeys}`
    this.#requestsOf.set(key, request)
    return key
  }

  #inDialog(leg: LegId, method: string, options: InDialogOptions): SipRequest {
    const { dialog, localTag } = this.state.legs[leg] ?? {}
    assert.ok(dialog, `leg ${leg} has no dialog`)
    const body =
      options.body ?? (options.sdp === undefined ? undefined : { type: 'application/sdp', content: options.sdp })
    const sequence = method === 'ACK' ? (dialog.remoteSequence ?? 1) : this.#sequence++
    return createRequest({
      method,
      uri: 'sip:192.0.2.1:5060',
      headers: [
        { name: 'Via', value: `SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK${leg}${sequence}` },
        { name: 'Max-Forwards', value: '70' },
        { name: 'From', value: `${dialog.remoteUri};tag=${options.fromTag ?? dialog.remoteTag}` },
        { name: 'To', value: `${dialog.localUri};tag=${options.toTag ?? localTag}` },
        { name: 'Call-ID', value: dialog.callId },
        { name: 'CSeq', value: `${sequence} ${method}` },
        { name: 'Contact', value: `<sip:${leg}@198.51.100.7:5090>` },
        ...(options.headers ?? []),
      ],
      body,
    })
  }
}

export const BOB_SDP = phoneSdp({ address: '198.51.100.8', port: 31_000, payloads: [0, 101] })

export function ring(...groups: readonly Destination[][]): RouteDecision {
  return { kind: 'ring', groups }
}

const TRUNK = { kind: 'trunk', tenant: 'example.test', trunk: 'carrier' } as const

/** A trunk with a second target behind the first. */
export const TWO_TARGETS = ring(
  [destination('+1555', '198.51.100.20', TRUNK)],
  [destination('+1555', '198.51.100.21', TRUNK)],
)

/** A call of alice to bob that both talk in. */
export function talkingRig(): { rig: CallRig; invite: string } {
  const rig = new CallRig()
  const invite = rig.offer()
  rig.answer(rig.sent('b1').key, 200, { sdp: BOB_SDP })
  rig.ack('a')
  return { rig, invite }
}

/** The call is over, told once, with its media closed. */
export function assertEnded(rig: CallRig, expected: { status: number; endedBy: string }): void {
  assert.equal(rig.state.phase, 'ended')
  assert.equal(rig.records.length, 1)
  assert.equal(rig.effectsOf('media-close').length, 1)
  assert.deepEqual({ status: rig.records[0]?.status, endedBy: rig.records[0]?.endedBy }, expected)
}

import { asGatewayError } from '../base/index.ts'
import { parseSdp, profileOf } from '../sdp/index.ts'
import { dialogFromRequest, type HeaderField, isSupported, type SipRequest } from '../sip/index.ts'
import { kindsAsked, openSession, sessionId } from './branch.ts'
import { callNextGroup, startRinging } from './forking.ts'
import { hangUp, refusal } from './hangup.ts'
import { identityOf } from './identity.ts'
import { createLeg } from './leg-state.ts'
import type { CallEvent, Party, RouteDecision } from './model.ts'
import { awaitReply } from './replies.ts'
import { sessionExpires, takesUpdate, takeWish } from './session-timer.ts'
import type { Asked } from './state.ts'
import type { Turn } from './turn.ts'

type Offered = CallEvent & { readonly kind: 'offered' }

/** A new INVITE outside any dialog. */
export function onOffered(turn: Turn, event: Offered): void {
  adopt(turn, event)
  turn.move('offered')
  try {
    const fault = faultIn(turn, event.request)
    if (fault !== undefined) return refuse(turn, fault)
    readOffer(turn, event.request, event.caller)
  } catch (thrown) {
    const { code, message, sipStatus } = asGatewayError(thrown)
    turn.note('error', `The INVITE cannot be taken: ${message}`, { leg: 'a', facts: { code } })
    return refuse(turn, { status: sipStatus, reason: message })
  }
  route(turn, event.decision)
}

/** The caller's leg and the facts of its INVITE. Whatever is wrong with it can be answered from here on. */
function adopt(turn: Turn, { key, request, flow, caller, limits }: Offered): void {
  const { headers } = request
  const localTag = turn.deps.ids.token()
  const leg = createLeg({
    id: 'a',
    party: caller,
    profile: flow.transport === 'ws' || flow.transport === 'wss' ? 'webrtc' : 'rtp',
    transport: flow.transport,
    target: { kind: 'flow', flow },
    flow,
    status: 'inviting',
    sipCallId: headers.callId,
    localTag,
    inviteKey: key,
    sessionId: sessionId(turn.deps.ids.token()),
  })
  turn.update({
    legs: { a: leg },
    asked: {
      key,
      at: turn.now,
      caller,
      tenant: caller.tenant,
      from: headers.from.uri,
      to: headers.to.uri,
      fromUser: '',
      maxForwards: 70,
      ...limits,
    },
  })
  awaitReply(turn, 'a', key, request)
  turn.emit({ kind: 'dialog', leg: 'a', sipCallId: headers.callId, localTag })
}

/** The caller, the dialog and the offer of the INVITE. @throws GatewayError `SIP_MALFORMED_MESSAGE`, `SDP_MALFORMED`, `SDP_TOO_LARGE`. */
function readOffer(turn: Turn, request: SipRequest, caller: Party): void {
  const maxForwards = request.headers.maxForwards ?? 70
  turn.update({ asked: { ...turn.asked, ...identityOf(request, caller), maxForwards } })
  turn.updateLeg('a', { dialog: dialogFromRequest(request, turn.leg('a').localTag, 'early') })
  takeWish(turn, 'a', request)
  const reliable = reliability(request)
  if (reliable !== undefined) {
    turn.update({ asked: { ...turn.asked, reliable } })
    turn.updateLeg('a', { updates: takesUpdate(request, turn.leg('a')) })
  }
  if (request.body === '') return
  const offer = parseSdp(request.body)
  turn.updateLeg('a', { profile: profileOf(offer) })
  turn.update({ asked: { ...turn.asked, offer } })
}

/** Whether the caller takes provisional responses reliably (RFC 3262 §3). */
function reliability({ headers }: SipRequest): Asked['reliable'] {
  if (headers.get('Require') !== undefined && lists(headers.values('Require'))) return 'required'
  return lists(headers.values('Supported')) ? 'supported' : undefined
}

function lists(tags: readonly string[]): boolean {
  return tags.some((tag) => tag.toLowerCase() === '100rel')
}

interface Fault {
  readonly status: number
  readonly reason: string
  readonly headers?: readonly HeaderField[]
}

function refuse(turn: Turn, { status, reason, headers = [] }: Fault): void {
  hangUp(turn, { status, endedBy: 'error', reason, headers })
}

/** What makes the INVITE unacceptable, whoever is called (RFC 3261 §8.2, RFC 4028 §6). */
export function faultIn(turn: Turn, request: SipRequest): Fault | undefined {
  const { headers } = request
  const unknown = headers.values('Require').filter((tag) => !isSupported(tag, 'INVITE')) // RFC 3261 §8.2.2.3.
  if (unknown.length > 0) {
    return { status: 420, reason: refusal(420), headers: [{ name: 'Unsupported', value: unknown.join(', ') }] }
  }
  if (headers.maxForwards === 0) return { status: 483, reason: refusal(483) }
  if (request.body !== '' && (headers.contentType !== 'application/sdp' || headers.has('Content-Encoding'))) {
    return { status: 415, reason: refusal(415), headers: [{ name: 'Accept', value: 'application/sdp' }] }
  }
  if (!acceptsSdp(headers)) return { status: 406, reason: refusal(406) }
  const { minSeconds } = turn.deps.config.sessionTimer
  if ((sessionExpires(request)?.seconds ?? minSeconds) < minSeconds) {
    return { status: 422, reason: refusal(422), headers: [{ name: 'Min-SE', value: String(minSeconds) }] }
  }
  return undefined
}

/** Whether an answer of ours could be read (RFC 3261 §20.1). An empty Accept is taken as none. */
function acceptsSdp(headers: SipRequest['headers']): boolean {
  if (!headers.has('Accept')) return true
  const ranges = headers.values('Accept').map((range) => range.split(';')[0]?.trim().toLowerCase())
  return ranges.every((range) => range === '') || ranges.some((range) => range !== undefined && SDP_RANGES.has(range))
}

const SDP_RANGES: ReadonlySet<string> = new Set(['application/sdp', 'application/*', '*/*'])

function route(turn: Turn, decision: RouteDecision): void {
  if (decision.kind === 'refuse') {
    const { status, reason, code } = decision
    turn.note('routing', `Refused: ${reason}`, { facts: { code, status } })
    return refuse(turn, { status, reason })
  }
  if (decision.kind === 'builtin') turn.update({ builtin: decision.builtin })
  else turn.update({ groups: decision.groups })
  turn.note('routing', decision.kind === 'builtin' ? `To ${decision.builtin}` : describe(decision.groups))
  open(turn)
}

function describe(groups: readonly (readonly { readonly uri: string }[])[]): string {
  return `To ${groups.map((group) => group.map(({ uri }) => uri).join(' and ')).join(', then ')}`
}

/** Calls the first group, or answers by itself. */
function open(turn: Turn): void {
  const isBuiltin = turn.call.builtin !== undefined
  if (turn.call.groups.length === 0 && !isBuiltin) return refuse(turn, { status: 480, reason: 'Nobody to ring' })
  if (kindsAsked(turn).length === 0) {
    return refuse(turn, { status: 488, reason: 'The offer has no medium that we relay' })
  }
  startRinging(turn)
  if (isBuiltin) openSession(turn, [])
  else callNextGroup(turn)
}

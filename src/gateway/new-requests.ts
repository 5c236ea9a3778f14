import { asGatewayError, type ByteString, LIMITS, type Millis } from '../base/index.ts'
import { isLoop, type Party, type RouteDecision } from '../call/index.ts'
import { ALLOW_EVENTS } from '../events/index.ts'
import { MESSAGE_TYPES } from '../messages/index.ts'
import { dialled } from '../routing/index.ts'
import {
  ALLOW,
  type Flow,
  type HeaderField,
  isSupported,
  outsideDialog,
  parseUri,
  replyTo,
  type ServerKey,
  type SipEndpoint,
  type SipRequest,
  type SipUri,
  SUPPORTED,
} from '../sip/index.ts'
import type { Tenant } from '../tenancy/index.ts'
import { type Answer, answer } from './answer.ts'
import type { BeyondCalls } from './beyond-calls.ts'
import type { CallTable } from './call-table.ts'
import { type Calls, seenFrom } from './calls.ts'
import type { CoreOptions } from './core-model.ts'
import type { Decisions } from './decisions.ts'
import { parseReplaces, transferPolicy } from './referrals.ts'
import { type AuthResult, type AuthRole, UserAuth } from './user-auth.ts'

/** A request outside any dialog, as the endpoint reported it. */
export interface NewRequest {
  readonly key: ServerKey
  readonly request: SipRequest
  readonly flow: Flow
  /** Its bytes. */
  readonly data: string
}

export interface NewRequestsDeps {
  readonly options: CoreOptions
  readonly endpoint: SipEndpoint
  readonly table: CallTable
  readonly calls: Calls
  readonly decisions: Decisions
  readonly beyond: BeyondCalls
}

/** Who sends a request: an authenticated user, or a trunk known by its address. */
interface Sender {
  readonly tenant: Tenant
  readonly caller: Party
}

/** When a caller may try again after 503, in seconds. */
const RETRY_AFTER: HeaderField = { name: 'Retry-After', value: '10' }

/** An INVITE of somebody who may call. */
interface Offering extends Sender {
  readonly incoming: NewRequest
  readonly uri: SipUri
}

/** Requests that belong to no call yet: who sends them, whether they may, and what becomes of them. */
export class NewRequests {
  readonly #deps: NewRequestsDeps
  readonly #auth: UserAuth
  draining = false

  constructor(deps: NewRequestsDeps) {
    this.#deps = deps
    this.#auth = new UserAuth(deps.options)
  }

  handle(incoming: NewRequest, now: Millis): void {
    this.#answering(incoming, now, () => this.#dispatch(incoming, now))
  }

  #answering(incoming: NewRequest, now: Millis, decide: () => Answer | undefined): void {
    try {
      const reply = decide()
      if (reply !== undefined) this.#send(incoming, reply, now)
    } catch (thrown) {
      const { sipStatus, code, message } = asGatewayError(thrown)
      this.#deps.options.count?.fault(code)
      this.#send(incoming, answer(sipStatus, sipStatus === 500 ? [] : [warning(message)]), now)
      if (sipStatus === 500) throw thrown // Ours to mend: the core logs it.
    }
  }

  /**
   * Whether a request in a dialog of `party` that came over a connection nobody registered on is that user's. One that
   * does not show it is answered here.
   */
  isFrom(party: Party | undefined, incoming: NewRequest, now: Millis): boolean {
    const tenant = party?.kind === 'user' ? this.#deps.decisions.tenantOf(party.tenant) : undefined
    if (party?.kind !== 'user' || tenant === undefined) {
      this.#send(incoming, answer(481), now)
      return false
    }
    let isUser = false
    this.#answering(incoming, now, () => {
      const who = this.#authenticate(incoming, tenant, 'proxy', now)
      if (who.kind === 'challenge') return answer(407, who.headers)
      isUser = who.user.name === party.user
      return isUser ? undefined : answer(403)
    })
    return isUser
  }

  #send({ key, request }: NewRequest, reply: Answer, now: Millis): void {
    const { status, headers } = reply
    const response = replyTo(request, status, { headers })
    this.#deps.endpoint.handle({ kind: 'respond', key, response, forget: isToStranger(request, status) }, now)
  }

  /** What to answer at once; `undefined`: it was handed on, or answered already. */
  #dispatch(incoming: NewRequest, now: Millis): Answer | undefined {
    const { method, headers } = incoming.request
    if (headers.toTag !== undefined) return this.#inDialog(incoming, now)
    const uri = parseUri(incoming.request.uri)
    const place = outsideDialog(method)
    if (place === undefined) return answer(501, [ALLOW])
    const isNumber = uri.scheme === 'tel' && method === 'INVITE' // RFC 3966: a number without a host is for us.
    if (uri.scheme !== 'sip' && !isNumber && !isSecured(uri, incoming.flow)) return answer(416)
    if (!isNumber && !this.#deps.decisions.isOurs(uri.host)) return answer(404)
    if (method === 'INVITE') return this.#invite(incoming, uri, now)
    const unknown = unknownExtensions(incoming.request)
    if (unknown.length > 0) return answer(420, [{ name: 'Unsupported', value: unknown.join(', ') }])
    if (method === 'OPTIONS') return OPTIONS_ANSWER
    if (method === 'REGISTER') return this.#register(incoming, now)
    if (place === 'taken') return this.#beyondCalls(incoming, uri, now)
    return place === 'no-dialog' ? answer(481) : answer(405, [ALLOW])
  }

  #register(incoming: NewRequest, now: Millis): Answer | undefined {
    const { request, flow } = incoming
    const aor = parseUri(request.headers.to.uri)
    const tenant = this.#tenantNamed(aor.host)
    if (tenant === undefined) return answer(404)
    const who = this.#authenticate(incoming, tenant, 'server', now)
    if (who.kind === 'challenge') return answer(401, who.headers)
    const user = who.user.name
    if (!isUser(aor, user)) return answer(403) // RFC 3261 §10.3, step 4.
    const { replacedFlows = [], ...reply } = this.#deps.decisions.register(request, flow, { tenant, user }, now)
    this.#send(incoming, reply, now)
    for (const flowId of replacedFlows) this.#deps.endpoint.handle({ kind: 'flow-replaced', flowId, flow }, now)
    this.#deps.calls.ways.registered({ tenant: tenant.domain, user }, flow, now)
    return undefined
  }

  #invite(incoming: NewRequest, uri: SipUri, now: Millis): Answer | undefined {
    if (this.#isMerged(incoming.request)) return answer(482)
    if (incoming.request.headers.has('Join')) return answer(420, [{ name: 'Unsupported', value: 'join' }]) // RFC 3911 §4.
    if (isLoop(incoming.flow)) return this.#fromOtherCall(incoming, now)
    const sender = this.#sender(incoming, uri, 'proxy', now)
    return 'status' in sender ? sender : this.#offer({ incoming, uri, ...sender }, now)
  }

  /** MESSAGE, SUBSCRIBE, PUBLISH. What we answer ourselves is challenged as by a server (RFC 3261 §22.2). */
  #beyondCalls(incoming: NewRequest, uri: SipUri, now: Millis): Answer | undefined {
    const role = incoming.request.method === 'MESSAGE' ? 'proxy' : 'server'
    const sender = this.#sender(incoming, uri, role, now)
    if ('status' in sender) return sender
    return this.#deps.beyond.handle({ incoming, user: dialledUser(uri), ...sender }, now)
  }

  /** RFC 3261 §12.2.2: a dialog that is none of a call's is a subscription's, or there is none. */
  #inDialog(incoming: NewRequest, now: Millis): Answer | undefined {
    const { request } = incoming
    const { beyond } = this.#deps
    if (request.method !== 'SUBSCRIBE' || !beyond.isSubscribed(request)) return answer(481)
    const sender = this.#sender(incoming, parseUri(request.uri), 'server', now)
    return 'status' in sender ? sender : beyond.refresh(incoming, sender.caller, now)
  }

  /** Who sends it, or why that is not good enough. */
  #sender(incoming: NewRequest, uri: SipUri, role: AuthRole, now: Millis): Sender | Answer {
    const from = parseUri(incoming.request.headers.from.uri)
    const trunk = this.#trunkOf(incoming.flow, from, uri)
    if (trunk !== undefined) {
      const caller: Party = { kind: 'trunk', tenant: trunk.tenant.domain, trunk: trunk.trunk.name }
      return { tenant: trunk.tenant, caller }
    }
    const tenant = this.#tenantNamed(from.host)
    if (tenant === undefined) return answer(403)
    const named = this.#deps.decisions.tenantOf(uri.host)
    if (named !== undefined && named !== tenant) return answer(404) // Another tenant's bob is not ours.
    const who = this.#authenticate(incoming, tenant, role, now)
    if (who.kind === 'challenge') return answer(role === 'proxy' ? 407 : 401, who.headers)
    const user = who.user.name
    if (!isUser(from, user)) return answer(403)
    return { tenant, caller: { kind: 'user', tenant: tenant.domain, user } }
  }

  #offer({ incoming, uri, tenant, caller }: Offering, now: Millis): Answer | undefined {
    const { options, table, calls, decisions } = this.#deps
    const { key, request, flow, data } = incoming
    if (request.headers.has('Replaces')) return this.#replace(incoming, { tenant, caller }, now)
    const isFull = table.size >= (options.limits?.calls ?? LIMITS.calls)
    if (this.draining || isFull || table.ofTenant(tenant.domain) >= tenant.limits.concurrentCalls) {
      if (!this.draining) options.count?.fault('CALLS_EXHAUSTED')
      return answer(503, [RETRY_AFTER])
    }
    const { ringTimeoutMs, maxCallDurationMs } = tenant.limits
    const decision: RouteDecision = decisions.route({ user: dialledUser(uri), caller, tenant }, now)
    const limits = { ringTimeoutMs, maxDurationMs: maxCallDurationMs }
    calls.offer({ key, request, flow, caller, decision, limits }, seenFrom(request, flow, data), now)
    return undefined
  }

  /** RFC 3891 §3: the INVITE takes the place of a dialog of the same tenant, or there is no such dialog. */
  #replace(
    { key, request, flow, data }: NewRequest,
    { tenant, caller }: Pick<Offering, 'tenant' | 'caller'>,
    now: Millis,
  ): Answer | undefined {
    if (caller.kind === 'trunk' && transferPolicy(tenant, caller) === 'refuse') return answer(403)
    const named = parseReplaces(request.headers.get('Replaces') ?? '')
    const found = named && this.#deps.table.byTags(named)
    if (found?.call.tenant !== tenant.domain) return answer(481)
    if (named?.earlyOnly === true) return answer(486) // Only calls that are up are replaced.
    this.#deps.calls.replace(found, { key, request, flow, party: caller }, seenFrom(request, flow, data), now)
    return undefined
  }

  /** A call of ours that is being transferred into another one. */
  #fromOtherCall(incoming: NewRequest, now: Millis): Answer | undefined {
    const { headers } = incoming.request
    const call = this.#deps.table.byDialog(headers.callId, headers.fromTag)?.call
    const tenant = call && this.#deps.decisions.tenantOf(call.tenant)
    const stays = call?.state.transfer?.stays
    const caller = stays === undefined ? undefined : call?.state.legs[stays]?.party
    if (tenant === undefined || caller === undefined) return answer(481)
    return this.#replace(incoming, { tenant, caller }, now)
  }

  #authenticate(incoming: NewRequest, tenant: Tenant, role: AuthRole, now: Millis): AuthResult {
    const result = this.#auth.check(incoming.request, incoming.flow, { tenant, role }, now)
    if (result.kind === 'challenge' && result.wrong) this.#deps.options.count?.authFailed('sip')
    return result
  }

  /**
   * The trunk that calls, by its address. A request that says it is from one of the tenant's own users is that user's to
   * prove: phones and trunks may share an address.
   */
  #trunkOf(flow: Flow, from: SipUri, uri: SipUri) {
    const { decisions } = this.#deps
    const named = decisions.tenantOf(uri.host)
    const candidates = decisions.trunksAt(flow).filter(({ tenant }) => named === undefined || tenant === named)
    const claimed = this.#tenantNamed(from.host)
    if (claimed !== undefined && from.user !== undefined) {
      if (decisions.isUser(claimed, from.user) || decisions.isUser(claimed, dialled(from.user))) return undefined
    }
    const number = dialled(dialledUser(uri))
    return candidates.find(({ tenant }) => decisions.isNumber(tenant, number)) ?? candidates[0]
  }

  /** Phones are often given our address for a domain; that is clear only if there is one tenant. */
  #tenantNamed(host: string): Tenant | undefined {
    const { decisions, options } = this.#deps
    const [only, ...others] = options.tenants
    return decisions.tenantOf(host) ?? (others.length === 0 && decisions.isOurs(host) ? only : undefined)
  }

  /** The same INVITE on a second path (RFC 3261 §8.2.2.2). */
  #isMerged({ headers }: SipRequest): boolean {
    const call = this.#deps.table.byMessage(headers.callId, undefined)?.call
    if (call === undefined || call.callerTag !== headers.fromTag) return false
    return call.callerSequence === headers.cseq.sequence
  }
}

/**
 * Whoever has not shown who it is costs us no memory (RFC 3261 §26.3.2.4). What credentials were used for is remembered:
 * they are good once.
 */
function isToStranger({ headers }: SipRequest, status: number): boolean {
  return status === 401 || status === 407 || !(headers.has('Authorization') || headers.has('Proxy-Authorization'))
}

/** RFC 3261 §11.2: what we can do, told to whoever asks. */
const CONTENT = ['application/sdp', 'application/pidf+xml', MESSAGE_TYPES].join(', ')
const OPTIONS_ANSWER = answer(200, [ALLOW, { name: 'Accept', value: CONTENT }, ALLOW_EVENTS, SUPPORTED])

/** What is required of us and we do not know (RFC 3261 §8.2.2.3); of an INVITE the call tells. */
function unknownExtensions({ method, headers }: SipRequest): readonly string[] {
  return headers.values('Require').filter((tag) => !isSupported(tag, method))
}

/** Whether a URI is that user's, escaped or not. */
function isUser(uri: SipUri, name: string): boolean {
  return uri.user !== undefined && (uri.user === name || dialled(uri.user) === name)
}

/** User part of a SIP URI, number of a `tel:` URI. */
function dialledUser(uri: SipUri): ByteString {
  return uri.user ?? uri.opaque ?? ''
}

/** RFC 3261 §20.43: a text for whoever looks at the other end's log. */
function warning(text: string): HeaderField {
  const clean = text.replace(/[^\x20-\x7e]|["\\]/g, ' ').slice(0, 200)
  return { name: 'Warning', value: `399 trunkline "${clean}"` }
}

/** RFC 3261 §26.2.2: what is asked for by `sips:` came over TLS all the way. */
function isSecured({ scheme }: SipUri, { transport }: Flow): boolean {
  return scheme === 'sips' && (transport === 'tls' || transport === 'wss')
}

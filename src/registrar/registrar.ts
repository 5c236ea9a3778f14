import { createDeadlineQueue, LIMITS, type Millis } from '../base/index.ts'
import { type Flow, type HeaderField, isReliable, type SipRequest, uriEquals, writeNameAddr } from '../sip/index.ts'
import { type Asked, type AskedContact, asked, pathOf } from './asked.ts'
import type { Binding, ContactsChanged, ReachableContact, RegisterResult, RegistrarConfig } from './model.ts'
import { isWebSocket, reach, trustedAddress } from './reach.ts'

/**
 * Who is reachable where (RFC 3261 §10.3). It has no clock: each call is told the time, `deadline` says when `expire`
 * has something to do; being late only keeps memory longer, nothing expired is ever returned.
 */
export class Registrar {
  readonly #changed: ContactsChanged | undefined
  readonly #bindings = new Map<string, readonly Binding[]>()
  readonly #usersOfFlow = new Map<string, Set<string>>()
  readonly #config: Required<RegistrarConfig>
  /** When the first binding of each user ends. */
  readonly #ends = createDeadlineQueue()
  #count = 0

  /** @param changed Told whenever a user's contacts may have changed; they are as told from then on. */
  constructor(config: RegistrarConfig = {}, changed?: ContactsChanged) {
    this.#config = { ...DEFAULTS, ...config }
    this.#changed = changed
  }

  /** Bindings kept, expired ones that were not swept yet included. */
  get count(): number {
    return this.#count
  }

  /**
   * Answers a REGISTER of a user who has proved to be it. All contacts of it are taken or none.
   *
   * @throws GatewayError `SIP_MALFORMED_MESSAGE`.
   */
  register(
    request: SipRequest,
    flow: Flow,
    who: { readonly tenant: string; readonly user: string },
    now: Millis,
  ): RegisterResult {
    const wanted = asked(request, this.#config.maxExpiresSeconds)
    const key = keyOf(who.tenant, who.user)
    const live = this.#live(key, now)
    const refusal = this.#refusal(wanted, live, request)
    if (refusal) return refusal
    const after = this.#room(applied(wanted, live, (contact) => this.#binding(contact, request, flow, who, now)))
    if (after.length > this.#config.contactsPerUser) return { status: 403, headers: [] }
    if (this.#count - this.#kept(key) + after.length > this.#config.registrations)
      return { status: 503, headers: [RETRY_AFTER] }
    this.#store(key, after)
    const headers = [...contactHeaders(after, now), ...pathHeaders(request)]
    const replacedFlows = this.#replaced(wanted, live, flow)
    return { status: 200, headers, ...(replacedFlows.length === 0 ? {} : { replacedFlows }) }
  }

  /** Contacts that can be rung, the preferred first. Those whose connection closed wait out of sight. */
  contacts(tenant: string, user: string, now: Millis): readonly ReachableContact[] {
    const reachable = this.#live(keyOf(tenant, user), now).filter((binding) => binding.goneAt === undefined)
    return reachable.toSorted((a, b) => b.q - a.q).map(reach)
  }

  /**
   * Contacts to ring for a call, the preferred first: those that can be rung, and WebSocket contacts whose connection
   * closed a moment ago, if the user has no other one. A page that was loaded anew takes the place of its old contact.
   */
  toRing(tenant: string, user: string, now: Millis): readonly ReachableContact[] {
    const live = this.#live(keyOf(tenant, user), now)
    const reachable = live.filter((binding) => binding.goneAt === undefined)
    const isWaitedFor = !reachable.some(({ flow }) => isWebSocket(flow))
    const away = isWaitedFor ? live.filter(({ goneAt, flow }) => goneAt !== undefined && isWebSocket(flow)) : []
    return [...reachable, ...away].toSorted((a, b) => b.q - a.q).map(reach)
  }

  /** WebSocket contacts that can be given up at `goneAt` only, because their connection may come back. */
  away(tenant: string, user: string, now: Millis): readonly { readonly uri: string; readonly goneAt: Millis }[] {
    return this.#live(keyOf(tenant, user), now).flatMap(({ uri, goneAt, flow }) =>
      goneAt === undefined || !isWebSocket(flow) ? [] : [{ uri, goneAt }],
    )
  }

  isRegisteredOn(flowId: string, tenant: string, user: string, now: Millis): boolean {
    return this.#live(keyOf(tenant, user), now).some((binding) => binding.flow.id === flowId)
  }

  /** A connection is gone: its contacts follow after the grace time, unless they register again. */
  flowClosed(flowId: string, now: Millis): void {
    const goneAt = now + this.#config.graceMs
    for (const key of this.#usersOfFlow.get(flowId) ?? []) {
      const after = this.#live(key, now).map((binding): Binding => {
        if (binding.flow.id !== flowId || binding.isFlowClosed) return binding
        // A phone that closed its TCP connection may still listen where its Contact says (RFC 3261 §18.1.1).
        const isAddressed = binding.address !== undefined && binding.path.length === 0
        return isAddressed ? { ...binding, isFlowClosed: true } : { ...binding, isFlowClosed: true, goneAt }
      })
      this.#store(key, after)
    }
    this.#usersOfFlow.delete(flowId)
  }

  /** Everything a user registered that is valid. */
  bindings(tenant: string, user: string, now: Millis): readonly Binding[] {
    return this.#live(keyOf(tenant, user), now)
  }

  list(now: Millis): readonly Binding[] {
    return [...this.#bindings.keys()].flatMap((key) => this.#live(key, now))
  }

  /** When the first binding ends. */
  deadline(): Millis | undefined {
    return this.#ends.next()
  }

  /** Forgets what has expired. */
  expire(now: Millis): void {
    for (let key = this.#ends.due(now); key !== undefined; key = this.#ends.due(now)) {
      this.#store(key, this.#live(key, now))
    }
  }

  /** Connections on which nobody else registered, and whose contact this REGISTER brought to another one. */
  #replaced(wanted: Asked, live: readonly Binding[], { id }: Flow): readonly string[] {
    if (wanted.kind !== 'contacts') return []
    const moved = live.filter(
      (binding) =>
        binding.flow.id !== id &&
        isWebSocket(binding.flow) &&
        !binding.isFlowClosed &&
        wanted.contacts.some((contact) => contact.expires > 0 && replaces(contact, binding)),
    )
    return moved.map(({ flow }) => flow.id).filter((flowId) => this.#usersOfFlow.get(flowId)?.size === 1)
  }

  #live(key: string, now: Millis): readonly Binding[] {
    return (this.#bindings.get(key) ?? []).filter((binding) => endOf(binding) > now)
  }

  #kept(key: string): number {
    return this.#bindings.get(key)?.length ?? 0
  }

  #refusal(wanted: Asked, live: readonly Binding[], request: SipRequest): RegisterResult | undefined {
    const { callId, cseq } = request.headers
    // RFC 3261 §10.3 step 6 and 7: an older request of the same client changes nothing.
    const late = live.some((binding) => binding.callId === callId && binding.sequence >= cseq.sequence)
    if (wanted.kind !== 'query' && late) return { status: 500, headers: [] }
    if (wanted.kind !== 'contacts') return undefined
    // Far more than could be kept: not even compared with those that are.
    if (wanted.contacts.length > 2 * this.#config.contactsPerUser) return { status: 403, headers: [] }
    const least = this.#config.minExpiresSeconds
    const brief = wanted.contacts.some(({ expires }) => expires > 0 && expires < least)
    return brief ? { status: 423, headers: [{ name: 'Min-Expires', value: String(least) }] } : undefined
  }

  #binding(
    contact: AskedContact,
    request: SipRequest,
    flow: Flow,
    who: { readonly tenant: string; readonly user: string },
    now: Millis,
  ): Binding {
    const { expires, ...rest } = contact
    const seconds = Math.min(expires, this.#config.maxExpiresSeconds)
    const userAgent = request.headers.get('User-Agent')
    const address = trustedAddress(contact.uri, request, flow)
    return {
      ...who,
      ...rest,
      flow,
      callId: request.headers.callId,
      sequence: request.headers.cseq.sequence,
      expiresAt: now + seconds * 1_000,
      ...(userAgent === undefined ? {} : { userAgent }),
      path: pathOf(request),
      ...(address === undefined ? {} : { address }),
    }
  }

  #store(key: string, after: readonly Binding[]): void {
    const before = this.#bindings.get(key) ?? []
    this.#count += after.length - before.length
    if (after.length === 0) this.#bindings.delete(key)
    else this.#bindings.set(key, after)
    this.#ends.set(key, after.length === 0 ? undefined : Math.min(...after.map(endOf)))
    for (const { flow, isFlowClosed } of after) {
      if (isReliable(flow.transport) && !isFlowClosed) this.#remember(flow.id, key)
    }
    const [known] = after.length > 0 ? after : before
    if (known !== undefined) this.#changed?.({ tenant: known.tenant, user: known.user }, { before, after })
  }

  /** Contacts that only wait for their connection to come back make room for new ones, the oldest first. */
  #room(after: readonly Binding[]): readonly Binding[] {
    const surplus = after.length - this.#config.contactsPerUser
    if (surplus <= 0) return after
    const waiting = after.filter(({ goneAt }) => goneAt !== undefined).slice(0, surplus)
    return after.filter((binding) => !waiting.includes(binding))
  }

  #remember(flowId: string, key: string): void {
    const users = this.#usersOfFlow.get(flowId)
    if (users) users.add(key)
    else this.#usersOfFlow.set(flowId, new Set([key]))
  }
}

function applied(
  wanted: Asked,
  live: readonly Binding[],
  bind: (contact: AskedContact) => Binding,
): readonly Binding[] {
  if (wanted.kind === 'query') return live
  if (wanted.kind === 'remove-all') return []
  let after = live
  for (const contact of wanted.contacts) {
    const others = after.filter((binding) => !replaces(contact, binding))
    after = contact.expires === 0 ? others : [...others, bind(contact)]
  }
  return after
}

/** The same device (RFC 5626 §6), or for those that do not say so, the same URI (RFC 3261 §19.1.4). */
function replaces(contact: AskedContact, binding: Binding): boolean {
  if (contact.instance !== undefined && contact.instance === binding.instance) return contact.regId === binding.regId
  return uriEquals(contact.uri, binding.uri)
}

function endOf(binding: Binding): Millis {
  return binding.goneAt === undefined ? binding.expiresAt : Math.min(binding.goneAt, binding.expiresAt)
}

function contactHeaders(bindings: readonly Binding[], now: Millis): readonly HeaderField[] {
  return bindings.map(({ uri, expiresAt, instance, regId, q }) => {
    const params = new Map([['expires', String(Math.max(0, Math.round((expiresAt - now) / 1_000)))]])
    if (q !== 1) params.set('q', String(q))
    if (instance !== undefined) params.set('+sip.instance', instance)
    if (regId !== undefined) params.set('reg-id', regId)
    return { name: 'Contact', value: writeNameAddr({ uri, params }) }
  })
}

/** RFC 3327 §5.3: told back to devices that know of it. */
function pathHeaders({ headers }: SipRequest): readonly HeaderField[] {
  const isKnown = headers.values('Supported').some((option) => option.toLowerCase() === 'path')
  return isKnown ? headers.values('Path').map((value) => ({ name: 'Path', value })) : []
}

function keyOf(tenant: string, user: string): string {
  return `${tenant} ${user}`
}

const RETRY_AFTER: HeaderField = { name: 'Retry-After', value: '60' }

const DEFAULTS: Required<RegistrarConfig> = {
  minExpiresSeconds: 30,
  maxExpiresSeconds: 3_600,
  graceMs: 10_000,
  contactsPerUser: LIMITS.contactsPerUser,
  registrations: LIMITS.registrations,
}

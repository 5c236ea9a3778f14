import { LIMITS, type Millis } from '../base/index.ts'
import { type Flow, type HeaderField, isReliable, type SipRequest, targetOf, uriEquals } from '../sip/index.ts'
import { type Asked, type AskedContact, asked } from './asked.ts'
import type { Binding, ReachableContact, RegisterResult, RegistrarConfig } from './model.ts'

/**
 * Who is reachable where (RFC 3261 §10.3). It has no clock: each call is told the time, `deadline` says when `expire`
 * has something to do; being late only keeps memory longer, nothing expired is ever returned.
 */
export class Registrar {
  readonly #bindings = new Map<string, readonly Binding[]>()
  readonly #usersOfFlow = new Map<string, Set<string>>()
  readonly #config: Required<RegistrarConfig>
  #count = 0
  #nextExpiry: Millis | undefined

  constructor(config: RegistrarConfig = {}) {
    this.#config = { ...DEFAULTS, ...config }
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
    const after = applied(wanted, live, (contact) => this.#binding(contact, request, flow, who, now))
    if (after.length > this.#config.contactsPerUser) return { status: 403, headers: [] }
    if (this.#count - this.#kept(key) + after.length > this.#config.registrations)
      return { status: 503, headers: [RETRY_AFTER] }
    this.#store(key, after)
    return { status: 200, headers: contactHeaders(after, now) }
  }

  /** Contacts that can be rung, the preferred first. Those whose connection closed wait out of sight. */
  contacts(tenant: string, user: string, now: Millis): readonly ReachableContact[] {
    const reachable = this.#live(keyOf(tenant, user), now).filter((binding) => binding.goneAt === undefined)
    return reachable.toSorted((a, b) => b.q - a.q).map(reach)
  }

  isRegisteredOn(flowId: string, tenant: string, user: string, now: Millis): boolean {
    return this.#live(keyOf(tenant, user), now).some((binding) => binding.flow.id === flowId)
  }

  /** A connection is gone: its contacts follow after the grace time, unless they register again. */
  flowClosed(flowId: string, now: Millis): void {
    const goneAt = now + this.#config.graceMs
    for (const key of this.#usersOfFlow.get(flowId) ?? []) {
      const after = this.#live(key, now).map((binding) => {
        return binding.flow.id === flowId && binding.goneAt === undefined ? { ...binding, goneAt } : binding
      })
      this.#store(key, after)
    }
    this.#usersOfFlow.delete(flowId)
  }

  list(now: Millis): readonly Binding[] {
    return [...this.#bindings.keys()].flatMap((key) => this.#live(key, now))
  }

  /** When the first binding ends. */
  deadline(): Millis | undefined {
    return this.#nextExpiry
  }

  /** Forgets what has expired. */
  expire(now: Millis): void {
    if (this.#nextExpiry === undefined || now < this.#nextExpiry) return
    this.#nextExpiry = undefined
    for (const key of [...this.#bindings.keys()]) this.#store(key, this.#live(key, now))
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
    return {
      ...who,
      ...rest,
      flow,
      callId: request.headers.callId,
      sequence: request.headers.cseq.sequence,
      expiresAt: now + seconds * 1_000,
      ...(userAgent === undefined ? {} : { userAgent }),
      path: request.headers.values('Path'),
    }
  }

  #store(key: string, after: readonly Binding[]): void {
    this.#count += after.length - this.#kept(key)
    if (after.length === 0) this.#bindings.delete(key)
    else this.#bindings.set(key, after)
    for (const binding of after) {
      const end = endOf(binding)
      if (this.#nextExpiry === undefined || end < this.#nextExpiry) this.#nextExpiry = end
      if (isReliable(binding.flow.transport) && binding.goneAt === undefined) this.#remember(binding.flow.id, key)
    }
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

/** A browser or a phone behind NAT is reached by the way it came. */
function reach({ uri, flow, path }: Binding): ReachableContact {
  const webrtc = flow.transport === 'ws' || flow.transport === 'wss'
  const target = path.length === 0 ? ({ kind: 'flow', flow } as const) : targetOf(firstHop(path))
  return { uri, target, profile: webrtc ? 'webrtc' : 'rtp', path }
}

function firstHop(path: readonly string[]): string {
  return /<([^>]*)>/.exec(path[0] ?? '')?.[1] ?? path[0] ?? ''
}

function contactHeaders(bindings: readonly Binding[], now: Millis): readonly HeaderField[] {
  return bindings.map(({ uri, expiresAt, instance, regId, q }) => {
    const seconds = Math.max(0, Math.round((expiresAt - now) / 1_000))
    const parts = [`<${uri}>`, `expires=${seconds}`]
    if (q !== 1) parts.push(`q=${q}`)
    if (instance !== undefined) parts.push(`+sip.instance=${quoted(instance)}`)
    if (regId !== undefined) parts.push(`reg-id=${regId}`)
    return { name: 'Contact', value: parts.join(';') }
  })
}

function quoted(text: string): string {
  return text.startsWith('"') ? text : `"${text}"`
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

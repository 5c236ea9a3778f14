import type { RegistrationView } from '../api/index.ts'
import type { ByteString, Millis } from '../base/index.ts'
import type { Destination, Party, RouteDecision } from '../call/index.ts'
import type { Binding, ReachableContact, RegisterResult } from '../registrar/index.ts'
import type { Flow, SendTarget, SipRequest } from '../sip/index.ts'
import type { Tenant, TrunkOfTenant } from '../tenancy/index.ts'

export interface UserName {
  readonly tenant: string
  readonly user: string
}

export type Way =
  | { readonly kind: 'open'; readonly target: SendTarget }
  /** The device's WebSocket closed; it may be back until then. */
  | { readonly kind: 'away'; readonly until: Millis }

/** Who is known to us and where calls go: tenancy, routing and registrar as the core needs them. */
export interface Decisions {
  /** The tenant of that domain or alias. */
  tenantOf(host: string): Tenant | undefined
  /** Whether requests to this host are for us at all. */
  isOurs(host: string): boolean
  /** Trunks that may call from there. */
  trunksAt(flow: Flow): readonly TrunkOfTenant[]
  isUser(tenant: Tenant, name: string): boolean
  /** Whether callers on trunks of that tenant reach anybody at this number, given without marks. */
  isNumber(tenant: Tenant, number: string): boolean
  /** @param asked `user`: user part of the Request-URI. */
  route(
    asked: { readonly user: ByteString; readonly caller: Party; readonly tenant: Tenant },
    now: Millis,
  ): RouteDecision
  /** The user of ours that somebody means who may reach it; `undefined` if there is none. */
  calledUser(asked: { readonly user: ByteString; readonly caller: Party; readonly tenant: Tenant }): string | undefined
  /** Where that user can be reached now, the preferred place first. */
  contacts(who: UserName, now: Millis): readonly ReachableContact[]
  /** What that user registered, what cannot be reached at the moment included. */
  bindings(who: UserName, now: Millis): readonly Binding[]
  /** Answers a REGISTER of an authenticated user. @throws GatewayError `SIP_MALFORMED_MESSAGE`. */
  register(
    request: SipRequest,
    flow: Flow,
    who: { readonly tenant: Tenant; readonly user: string },
    now: Millis,
  ): RegisterResult
  /** Whether this user has a contact on that connection. */
  isRegisteredOn(flowId: string, who: UserName, now: Millis): boolean
  /**
   * Where a request to that URI of the user goes now: the target, unless it is a connection that the same device has
   * replaced by another since, or has lost a moment ago.
   */
  wayTo(uri: ByteString, target: SendTarget, who: UserName, now: Millis): Way
  /** URI of the browser that registered on that connection. */
  pageOn(flowId: string, who: UserName, now: Millis): ByteString | undefined
  /** Where contacts of a 3xx lead. */
  redirect(party: Party, contacts: readonly ByteString[], now: Millis): readonly Destination[]
  flowClosed(flowId: string, now: Millis): void
  registrations(now: Millis): readonly RegistrationView[]
  count(): number
  wake(now: Millis): void
  deadline(): Millis | undefined
}

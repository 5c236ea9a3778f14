import type { RegistrationView } from '../api/index.ts'
import type { Millis } from '../base/index.ts'
import type { Party, RouteDecision } from '../call/index.ts'
import type { Flow, SipRequest, SipResponse } from '../sip/index.ts'
import type { Tenant, Trunk } from '../tenancy/model.ts'

/** Who is known to us and where calls go: tenancy, routing and registrar as the core needs them. */
export interface Decisions {
  /** The tenant of that domain or alias. */
  tenantOf(host: string): Tenant | undefined
  /** Whether requests to this host are for us at all. */
  isOurs(host: string): boolean
  /** Trunks that may call from this address. */
  trunksAt(flow: Flow): readonly { readonly tenant: Tenant; readonly trunk: Trunk }[]
  route(request: SipRequest, caller: Party, tenant: Tenant, now: Millis): RouteDecision
  /** Answers a REGISTER of an authenticated user. */
  register(
    request: SipRequest,
    flow: Flow,
    who: { readonly tenant: Tenant; readonly user: string },
    now: Millis,
  ): SipResponse
  /** Whether this user has a contact on that connection. */
  isRegisteredOn(flowId: string, who: { readonly tenant: string; readonly user: string }, now: Millis): boolean
  flowClosed(flowId: string, now: Millis): void
  registrations(now: Millis): readonly RegistrationView[]
  count(): number
  wake(now: Millis): void
  deadline(): Millis | undefined
}

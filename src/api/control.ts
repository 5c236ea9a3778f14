import type { ApiEvent, CallDetail, CallView, RegistrationView, StatusView } from './model.ts'

/**
 * What the API asks of the gateway. The gateway implements it; the API never reaches into calls, the registrar or the
 * media engine. Everything returned is plain data, safe to send.
 */
export interface GatewayControl {
  /** Whether the password is that user's. `false` also for unknown users and domains; takes the same time for all. */
  authenticateUser(credentials: { readonly user: string; readonly domain: string; readonly password: string }): boolean
  /** Calls that are up or ended not long ago (`LIMITS.endedCallsKept`), newest first. */
  calls(): readonly CallView[]
  call(id: string): CallDetail | undefined
  /** Ends a call (BYE or CANCEL on each leg). `false`: there is no such call, or it has ended already. */
  endCall(id: string, reason: string): boolean
  registrations(): readonly RegistrationView[]
  /** Calls `listener` for each event until the returned function is called. Never blocks, never throws. */
  subscribe(listener: (event: ApiEvent) => void): () => void
  status(): StatusView
}

/** Who must act. Kept apart from status: one status covers many faults. */
export type Blame = 'peer-broke-rules' | 'peer-incompatible' | 'caller' | 'overload' | 'upstream' | 'operator' | 'bug'

interface Fault {
  readonly blame: Blame
  readonly sip: number
  readonly http: number
}

/** Every fault the product can name. The codes are API: `docs/errors.md` explains each, and a test compares the two. */
export const FAULTS = {
  SIP_MALFORMED_MESSAGE: { blame: 'peer-broke-rules', sip: 400, http: 502 },
  SIP_MESSAGE_TOO_LARGE: { blame: 'peer-broke-rules', sip: 513, http: 502 },
  SIP_VERSION_UNSUPPORTED: { blame: 'peer-incompatible', sip: 505, http: 502 },
  SIP_TRANSACTIONS_EXHAUSTED: { blame: 'overload', sip: 503, http: 503 },
  SIP_FLOW_GONE: { blame: 'upstream', sip: 480, http: 502 },
  SIP_AUTH_MALFORMED: { blame: 'peer-broke-rules', sip: 400, http: 502 },
  SDP_MALFORMED: { blame: 'peer-broke-rules', sip: 400, http: 422 },
  SDP_TOO_LARGE: { blame: 'peer-broke-rules', sip: 413, http: 422 },
  SDP_UNSUPPORTED: { blame: 'peer-incompatible', sip: 488, http: 422 },
  SDP_NO_COMMON_CODEC: { blame: 'peer-incompatible', sip: 488, http: 422 },
  SDP_ANSWER_MISMATCH: { blame: 'peer-broke-rules', sip: 488, http: 502 },
  MEDIA_PORTS_EXHAUSTED: { blame: 'overload', sip: 503, http: 503 },
  MEDIA_SESSIONS_EXHAUSTED: { blame: 'overload', sip: 503, http: 503 },
  MEDIA_SPEC_INVALID: { blame: 'bug', sip: 500, http: 500 },
  MEDIA_SESSION_UNKNOWN: { blame: 'bug', sip: 500, http: 500 },
  MEDIA_ENGINE_LOST: { blame: 'upstream', sip: 503, http: 503 },
  MEDIA_ENGINE_MISSING: { blame: 'operator', sip: 500, http: 500 },
  MEDIA_DEADLINE_MISSED: { blame: 'overload', sip: 503, http: 503 },
  MEDIA_DTLS_FAILED: { blame: 'peer-incompatible', sip: 488, http: 502 },
  CALL_REFUSED: { blame: 'upstream', sip: 480, http: 502 },
  CALLS_EXHAUSTED: { blame: 'overload', sip: 503, http: 503 },
  ROUTE_NOT_FOUND: { blame: 'caller', sip: 404, http: 404 },
  USER_UNAVAILABLE: { blame: 'upstream', sip: 480, http: 404 },
  TRUNK_FORBIDDEN: { blame: 'caller', sip: 403, http: 403 },
  REGISTRATIONS_EXHAUSTED: { blame: 'overload', sip: 503, http: 503 },
  MESSAGES_EXHAUSTED: { blame: 'overload', sip: 503, http: 503 },
  SUBSCRIPTIONS_EXHAUSTED: { blame: 'overload', sip: 503, http: 503 },
  CONFIG_INVALID: { blame: 'operator', sip: 500, http: 422 },
  CONFIG_UNREADABLE: { blame: 'operator', sip: 500, http: 422 },
  LISTEN_FAILED: { blame: 'operator', sip: 500, http: 500 },
  API_UNAUTHORIZED: { blame: 'caller', sip: 401, http: 401 },
  API_NOT_FOUND: { blame: 'caller', sip: 404, http: 404 },
  API_BAD_REQUEST: { blame: 'caller', sip: 400, http: 400 },
  API_OVERLOADED: { blame: 'overload', sip: 503, http: 429 },
  INTERNAL: { blame: 'bug', sip: 500, http: 500 },
} as const satisfies Record<string, Fault>

export type FaultCode = keyof typeof FAULTS

/** The only error class that crosses a module boundary. `code` is API; `message` is for people. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly code: FaultCode
  constructor(code: FaultCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
  get blame(): Blame {
    return FAULTS[this.code].blame
  }
  get sipStatus(): number {
    return FAULTS[this.code].sip
  }
  get httpStatus(): number {
    return FAULTS[this.code].http
  }
}

/** Any thrown value as a `GatewayError`; what was not one is a bug of ours. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new GatewayError('INTERNAL', message, { cause: thrown })
}

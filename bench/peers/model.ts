/** A gateway to call through and two of its accounts. */
export interface Subject {
  /** URL of its SIP WebSocket (RFC 7118). */
  readonly webSocket: string
  /** Its SIP address over UDP. */
  readonly sip: { readonly host: string; readonly port: number }
  readonly domain: string
  readonly web: Account
  readonly phone: Account
}

export interface Account {
  readonly user: string
  readonly password: string
}

/** A gateway that a bench started for itself. */
export interface RunningGateway {
  /** For tables: product and version. */
  readonly name: string
  readonly subject: Subject
  /** CPU time its processes have used so far, in ms; undefined where the system does not tell. */
  cpuMs(): number | undefined
  stop(): Promise<void>
}

export const DOMAIN = 'bench.test'
export const WEB: Account = { user: 'web', password: 'web-secret' }
export const PHONE: Account = { user: 'phone', password: 'phone-secret' }

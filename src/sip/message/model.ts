import type { ByteString } from '../../base/index.ts'
import type { Headers } from './headers.ts'

/** One header line: the name as the RFC spells it (`Via`, `Call-ID`), the value unfolded and trimmed. */
export interface HeaderField {
  readonly name: string
  readonly value: ByteString
}

/** A SIP request. Immutable; header values are parsed when first asked for. */
export interface SipRequest {
  readonly kind: 'request'
  readonly method: string
  /** Request-URI as it stood on the wire. */
  readonly uri: ByteString
  readonly headers: Headers
  readonly body: ByteString
}

/** A SIP response. */
export interface SipResponse {
  readonly kind: 'response'
  readonly status: number
  readonly reason: ByteString
  readonly headers: Headers
  readonly body: ByteString
}

export type SipMessage = SipRequest | SipResponse

/** A `sip:` or `sips:` URI (RFC 3261 §19.1), or any other scheme kept as it is in `opaque`. */
export interface SipUri {
  readonly scheme: string
  readonly user?: ByteString
  readonly password?: ByteString
  /** Lower case; IPv6 without brackets. Empty for schemes other than sip and sips. */
  readonly host: string
  readonly port?: number
  /** Names in lower case; a parameter without value has ''. */
  readonly params: ReadonlyMap<string, ByteString>
  /** `?name=value` headers, not unescaped. */
  readonly headers: ByteString
  /** The part after the colon of a scheme that is not SIP. */
  readonly opaque?: ByteString
}

/** From, To, Contact, Route, Record-Route, P-Asserted-Identity, Refer-To (RFC 3261 §20.10). */
export interface NameAddr {
  readonly displayName?: ByteString
  readonly uri: ByteString
  /** Header parameters after the `>`; names in lower case. */
  readonly params: ReadonlyMap<string, ByteString>
}

/** One Via value (RFC 3261 §20.42). */
export interface Via {
  /** Upper case: `UDP`, `TCP`, `TLS`, `WS`, `WSS`. */
  readonly transport: string
  readonly host: string
  readonly port?: number
  readonly params: ReadonlyMap<string, ByteString>
}

export interface CSeq {
  readonly sequence: number
  readonly method: string
}

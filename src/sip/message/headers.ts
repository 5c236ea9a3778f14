import type { ByteString } from '../../base/index.ts'
import type { CSeq, HeaderField, NameAddr, Via } from './model.ts'

/**
 * The header section of one message. Names are compared without case, compact forms (RFC 3261 §7.3.3) are the same as
 * long ones. Typed getters parse once, when first asked, and throw GatewayError `SIP_MALFORMED_MESSAGE` with the
 * header's name in the text when the value is not of the RFC's grammar.
 */
export interface Headers {
  has(name: string): boolean
  /** The first line of that name, unfolded and trimmed; not split at commas. */
  get(name: string): ByteString | undefined
  /** Every value, with list headers (Via, Contact, Route, Supported, Allow, …) split at commas outside quotes. */
  values(name: string): readonly ByteString[]
  /** All lines in their order. */
  fields(): readonly HeaderField[]

  readonly callId: ByteString
  readonly cseq: CSeq
  readonly from: NameAddr
  readonly to: NameAddr
  /** `tag` of From and To; `undefined` if there is none. */
  readonly fromTag: ByteString | undefined
  readonly toTag: ByteString | undefined
  readonly topVia: Via
  /** Contact values; `'*'` alone for the REGISTER wildcard. */
  readonly contacts: readonly NameAddr[] | '*'
  readonly route: readonly NameAddr[]
  readonly recordRoute: readonly NameAddr[]
  readonly maxForwards: number | undefined
  /** Lower case, without parameters. */
  readonly contentType: string | undefined
  readonly expires: number | undefined
}

import type { ByteString } from '../../base/index.ts'
import { type HostPortSpan, parseHostPort } from './host-port.ts'
import type { Via } from './model.ts'
import { findParam, parseParams } from './params.ts'
import { isToken, malformed, shown, skipSpace } from './syntax.ts'

/** What the stack itself reads of a Via value; its parameters start at `sentBy.end`. */
export interface ViaSpan {
  readonly text: ByteString
  /** Upper case. */
  readonly transport: string
  readonly sentBy: HostPortSpan
  readonly branch: ByteString | undefined
}

/** One Via value (RFC 3261 §20.42). @throws GatewayError `SIP_MALFORMED_MESSAGE` */
export function parseVia(value: ByteString): Via {
  const { transport, sentBy } = viaSpan(value)
  const { host, port } = sentBy
  const params = parseParams(value, sentBy.end)
  return port === undefined ? { transport, host, params } : { transport, host, port, params }
}

/** @throws GatewayError `SIP_MALFORMED_MESSAGE` */
export function viaSpan(value: ByteString): ViaSpan {
  const usual = value.startsWith('SIP/2.0/') ? value.indexOf(' ') : -1
  const end = usual > 0 ? usual : endOfProtocol(value)
  const slash = value.lastIndexOf('/', end)
  const transport = usual > 0 ? value.slice(8, end) : value.slice(slash + 1, end).trim()
  if (!isToken(transport)) throw malformed(`Bad transport in Via ${shown(value)}`)
  const sentBy = parseHostPort(value, skipSpace(value, end), true)
  const branch = findParam(value, sentBy.end, 'branch')
  return { text: value, transport: transport.toUpperCase(), sentBy, branch }
}

/** The end of `SIP / 2.0 / UDP` with spaces around the slashes. */
function endOfProtocol(value: ByteString): number {
  const match = /^SIP[ \t]*\/[ \t]*\d+\.\d+[ \t]*\/[ \t]*[^ \t/;,]+(?=[ \t])/i.exec(value)
  if (match === null) throw malformed(`Via ${shown(value)} is not of SIP`)
  return match[0].length
}

import { decodeUtf8, encodeUtf8 } from '../base/index.ts'
import { type HeaderField, parseUri, type SipRequest, writeUri } from '../sip/index.ts'
import type { CallConfig } from './config.ts'
import type { Destination, Party } from './model.ts'
import type { Asked } from './state.ts'

/** Who calls and whom, as the caller's headers say it and as far as another leg may know it. */
export interface CallerIdentity {
  readonly displayName?: string | undefined
  readonly fromUser: string
}

/**
 * The caller as the callee is told. A user is who it authenticated as, whatever its From says; a trunk speaks for its
 * callers.
 */
export function identityOf(request: SipRequest, caller: Party): CallerIdentity {
  const { displayName, uri } = request.headers.from
  const name = displayName === undefined ? undefined : decodeUtf8(displayName)
  if (caller.kind === 'user') return { displayName: name, fromUser: caller.user }
  return { displayName: name, fromUser: userOf(uri) }
}

const NO_PARAMS: ReadonlyMap<string, string> = new Map()

/** From, To and, inside a trust domain, P-Asserted-Identity of the INVITE to a destination. */
export function identityHeaders(
  asked: Asked,
  destination: Destination,
  localTag: string,
  config: CallConfig,
): readonly HeaderField[] {
  const { party } = destination
  const user = asked.fromUser === '' ? 'anonymous' : asked.fromUser
  const uri = writeUri({ scheme: 'sip', user, host: party.tenant, params: NO_PARAMS, headers: '' })
  const display = asked.displayName === undefined || asked.displayName === '' ? '' : `${quoted(asked.displayName)} `
  const headers = [
    { name: 'From', value: `${display}<${uri}>;tag=${localTag}` },
    { name: 'To', value: `<${calleeUri(destination)}>` },
  ]
  const trusted = party.kind === 'trunk' && config.trustedTrunks.includes(`${party.tenant}/${party.trunk}`)
  return trusted ? [...headers, { name: 'P-Asserted-Identity', value: `${display}<${uri}>` }] : headers
}

/** A user is called by its address of record; a trunk by the number it is asked to reach. */
function calleeUri({ party, uri }: Destination): string {
  return party.kind === 'user' ? `sip:${party.user}@${party.tenant}` : (uri.split(/[;?]/)[0] ?? uri)
}

/** User part of a SIP URI, number of a `tel:` URI; empty if it has none. */
export function userOf(uri: string): string {
  const parsed = parseUri(uri)
  if (parsed.scheme === 'tel') return (parsed.opaque ?? '').split(';')[0] ?? ''
  return parsed.user ?? ''
}

function quoted(display: string): string {
  const plain = [...display].filter((char) => char >= ' ' && char !== '\u007f').join('')
  return `"${encodeUtf8(plain).replace(/[\\"]/g, '\\$&')}"`
}

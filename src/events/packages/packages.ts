import type { ByteString } from '../../base/index.ts'
import { type HeaderField, parseParams, type SipRequest } from '../../sip/index.ts'
import type { EventName, PackageName } from '../model.ts'

interface EventPackage {
  /** The only form its state is told in. */
  readonly contentType: string
  /** Only the user itself may watch its own state. */
  readonly isPrivate: boolean
}

/** Every event package we notify of (RFC 6665 §7.2). */
export const PACKAGES: Readonly<Record<PackageName, EventPackage>> = {
  dialog: { contentType: 'application/dialog-info+xml', isPrivate: false },
  'message-summary': { contentType: 'application/simple-message-summary', isPrivate: true },
  presence: { contentType: 'application/pidf+xml', isPrivate: false },
  reg: { contentType: 'application/reginfo+xml', isPrivate: true },
}

/** Told with 489 and wherever else somebody may want to know (RFC 6665 §8.2.2). */
export const ALLOW_EVENTS: HeaderField = { name: 'Allow-Events', value: Object.keys(PACKAGES).join(', ') }

/**
 * The Event of a SUBSCRIBE or PUBLISH; `undefined` if it has none that we know.
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`
 */
export function eventOf({ headers }: SipRequest): EventName | undefined {
  const value = headers.get('Event') ?? ''
  const semicolon = value.indexOf(';')
  const name = (semicolon < 0 ? value : value.slice(0, semicolon)).trim()
  if (!isPackage(name)) return undefined
  const id = semicolon < 0 ? undefined : parseParams(value, semicolon).get('id')
  return id === undefined ? { name } : { name, id }
}

function isPackage(name: string): name is PackageName {
  return Object.hasOwn(PACKAGES, name)
}

/** Whether the sender takes documents of that package; without Accept it takes what is usual (RFC 6665 §3.1.3). */
export function accepts({ headers }: SipRequest, name: PackageName): boolean {
  const ranges = headers.values('Accept').map(withoutParams)
  const { contentType } = PACKAGES[name]
  return ranges.length === 0 || ranges.some((range) => ['*/*', 'application/*', contentType].includes(range))
}

function withoutParams(value: ByteString): string {
  return (value.split(';', 1)[0] ?? '').trim().toLowerCase()
}

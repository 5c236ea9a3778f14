import type { Millis } from '../base/index.ts'
import type { AddressTarget, Locator, SipRequest } from '../sip/index.ts'

/** RFC 3261 §18.1.1: the size up to which a request may be sent over UDP where the MTU of the path is not known. */
const LARGEST_BYTES = 1_300

/** What the endpoint adds, in bytes: Via, Content-Length, and in the first line the version. */
const ADDED_BYTES = 160

/** Whether a request is too large for a datagram. */
export function isLarge({ method, uri, headers, body }: SipRequest): boolean {
  let bytes = ADDED_BYTES + method.length + uri.length + body.length
  for (const { name, value } of headers.fields()) bytes += name.length + value.length + 4
  return bytes > LARGEST_BYTES
}

/**
 * The ways of a large request to a target: over TCP, and over UDP if that is refused (RFC 3261 §18.1.1). A target that
 * refused it lately, or whose URI or SRV records allow UDP alone, gets it over UDP.
 */
export function overTcp(
  target: AddressTarget,
  avoided: Locator['avoided'],
  now: Millis,
): readonly [AddressTarget, ...AddressTarget[]] {
  const { transport, leftOpen, to } = target
  const isOpen = leftOpen === 'transport' || leftOpen === 'both'
  const way = target.large ?? (isOpen ? to : undefined)
  if (transport !== 'udp' || way === undefined) return [target]
  const stream: AddressTarget = { kind: 'address', transport: 'tcp', to: way }
  return avoided.has(stream, now) ? [target] : [stream, target]
}

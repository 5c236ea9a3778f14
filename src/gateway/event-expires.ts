import type { HeaderField, SipRequest } from '../sip/index.ts'

/** Shorter times cost more in refreshes than they are worth (RFC 6665 §4.2.1.1, RFC 3903 §6). */
const LEAST_SECONDS = 30
/** Longest time granted; also what is granted if none is asked for. */
const MOST_SECONDS = 3_600

export const MIN_EXPIRES: HeaderField = { name: 'Min-Expires', value: String(LEAST_SECONDS) }

/** Seconds that a SUBSCRIBE or PUBLISH gets; 0 ends what it is about. */
export function grantedSeconds({ headers }: SipRequest): number | 'too-brief' {
  const asked = headers.expires ?? MOST_SECONDS
  if (asked > 0 && asked < LEAST_SECONDS) return 'too-brief'
  return Math.min(asked, MOST_SECONDS)
}

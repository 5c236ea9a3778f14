import type { ByteString, IdSource, Millis } from '../../base/index.ts'

/** Nonces that carry their own proof of origin; only the counts seen are remembered, and those are bounded. */
export interface Nonces {
  issue(now: Millis): string
  /** `stale`: ours, but too old or its count was seen. `unknown`: not ours. */
  check(nonce: ByteString, nonceCount: number | undefined, now: Millis): 'ok' | 'stale' | 'unknown'
}

export interface NonceOptions {
  /** A keyed hash of text, as hex. */
  readonly secretHash: (text: string) => string
  readonly ids: IdSource
  readonly lifetimeMs: number
  /** Nonces whose counts are remembered. Default 10_000; the one not used for longest is forgotten and turns stale. */
  readonly remembered?: number
}

/** Counts below the highest one that may still come, since requests overtake each other over UDP. */
const WINDOW = 32

const MAC_LENGTH = 32

interface Seen {
  readonly highest: number
  /** Bit i: the count `highest - i` was seen. */
  readonly bits: number
}

export function createNonces({ secretHash, ids, lifetimeMs, remembered = 10_000 }: NonceOptions): Nonces {
  const seen = new Map<string, Seen>()
  /** Whatever was issued before may have been used and forgotten. */
  let forgottenUntil: Millis = Number.NEGATIVE_INFINITY

  function remember(nonce: string, counts: Seen): void {
    seen.delete(nonce) // To the end of the order: the map is in the order of last use.
    seen.set(nonce, counts)
    if (seen.size <= remembered) return
    for (const oldest of seen.keys()) {
      seen.delete(oldest)
      forgottenUntil = Math.max(forgottenUntil, issuedAt(oldest))
      return
    }
  }

  return {
    issue(now) {
      const text = `${Math.floor(now).toString(36)}.${ids.token()}`
      return `${text}.${secretHash(text).slice(0, MAC_LENGTH)}`
    },
    check(nonce, nonceCount, now) {
      const end = nonce.lastIndexOf('.')
      if (end < 0 || nonce.slice(end + 1) !== secretHash(nonce.slice(0, end)).slice(0, MAC_LENGTH)) return 'unknown'
      if (now - issuedAt(nonce) > lifetimeMs) return 'stale'
      const known = seen.get(nonce)
      if (known === undefined && issuedAt(nonce) <= forgottenUntil) return 'stale'
      // RFC 2069 clients do not count: theirs is good once.
      if (nonceCount === undefined && known !== undefined) return 'stale'
      const next = counted(known, nonceCount ?? 1)
      if (next === undefined) return 'stale'
      remember(nonce, next)
      return 'ok'
    },
  }
}

function issuedAt(nonce: string): Millis {
  return Number.parseInt(nonce.slice(0, nonce.indexOf('.')), 36)
}

/** The counts seen with one more; undefined if it was seen, or is too far back to know. */
function counted(known: Seen | undefined, count: number): Seen | undefined {
  if (count < 1) return undefined
  if (known === undefined) return { highest: count, bits: 1 }
  const ahead = count - known.highest
  if (ahead > 0) return { highest: count, bits: ahead >= WINDOW ? 1 : (known.bits << ahead) | 1 }
  const bit = 1 << -ahead
  return -ahead >= WINDOW || (known.bits & bit) !== 0 ? undefined : { highest: known.highest, bits: known.bits | bit }
}

/**
 * Where identifiers that a peer must not guess come from: tags, branches, Call-IDs, nonces, ICE passwords.
 *
 * The shell passes a cryptographic source, tests a seeded one. Pure code never makes its own randomness.
 */
export interface IdSource {
  /** A new token of `[a-z0-9]` with at least `bits` bits of entropy (default 64). */
  token(bits?: number): string
}

/** A repeatable source for tests and simulations. Never for the network. */
export function seededIds(seed: number): IdSource {
  let state = seed >>> 0 || 1
  const next = (): number => {
    // xorshift32, Marsaglia 2003: enough to be distinct and repeatable.
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  return {
    token(bits = 64) {
      let out = ''
      while (out.length * 5 < bits) out += (next() % 32).toString(32)
      return out
    },
  }
}

import {
  ATTRIBUTE,
  BINDING,
  buildStun,
  errorCode,
  isAuthentic,
  parseStun,
  type StunMessage,
  xorMappedAddress,
} from '../stun/index.ts'

export interface CheckSource {
  readonly address: string
  readonly port: number
}

/** What came of a STUN datagram. `response` goes back to where the datagram came from. */
export type CheckOutcome =
  | { readonly kind: 'dropped' }
  | { readonly kind: 'refused'; readonly status: number; readonly response: Buffer }
  | {
      readonly kind: 'authentic'
      readonly ufrag: string
      readonly transactionId: Buffer
      /** The peer chose this pair (USE-CANDIDATE, RFC 8445 §7.3.1.5). */
      readonly nominated: boolean
      readonly response: Buffer
    }

/**
 * Answers a connectivity check as an ICE-lite agent (RFC 8445 §7.3): we are controlled, and check nothing ourselves.
 *
 * Nothing follows from a check that does not prove it knows our password: no state, no address, only a short refusal.
 *
 * @param passwordOf Our password for a user fragment of ours.
 */
export function answerCheck(
  datagram: Buffer,
  from: CheckSource,
  passwordOf: (ufrag: string) => string | undefined,
): CheckOutcome {
  const message = parseStun(datagram)
  if (message === undefined || message.class !== 'request' || message.method !== BINDING) return DROPPED
  const username = message.attributes.get(ATTRIBUTE.username)
  if (username === undefined || username.length > MAX_USERNAME_BYTES || message.integrityAt === undefined) {
    return refused(message, 400)
  }
  const [ufrag = '', theirs] = username.toString('latin1').split(':', 2)
  const password = theirs === undefined ? undefined : passwordOf(ufrag) // RFC 8445 §7.3: two fragments and a colon.
  if (password === undefined || !isAuthentic(message, password)) return refused(message, 401)
  if (!message.hasFingerprint) return DROPPED // ICE always has it (RFC 8445 §7.1); without it a bit may have flipped.
  return answerAuthentic(message, from, ufrag, password)
}

function answerAuthentic(message: StunMessage, from: CheckSource, ufrag: string, password: string): CheckOutcome {
  const unknown = [...message.attributes.keys()].filter((type) => type < 0x8000 && !KNOWN.has(type))
  if (unknown.length > 0) {
    const types = Buffer.alloc(unknown.length * 2)
    unknown.forEach((type, index) => {
      types.writeUInt16BE(type, index * 2)
    })
    return refused(message, 420, password, [[ATTRIBUTE.unknownAttributes, types]])
  }
  // A lite agent facing a full one stays controlled: the peer has to switch (RFC 8445 §6.1.1, §7.3.1.1).
  if (message.attributes.has(ATTRIBUTE.iceControlled)) return refused(message, 487, password)
  const mapped = xorMappedAddress(from.address, from.port, message.transactionId)
  const response = buildStun({
    class: 'success',
    transactionId: message.transactionId,
    attributes: [[ATTRIBUTE.xorMappedAddress, mapped]],
    key: password,
  })
  const nominated = message.attributes.has(ATTRIBUTE.useCandidate)
  return { kind: 'authentic', ufrag, transactionId: message.transactionId, nominated, response }
}

function refused(
  message: StunMessage,
  status: number,
  key?: string,
  more: readonly (readonly [number, Buffer])[] = [],
): CheckOutcome {
  const response = buildStun({
    class: 'error',
    transactionId: message.transactionId,
    attributes: [[ATTRIBUTE.errorCode, errorCode(status)], ...more],
    ...(key === undefined ? {} : { key }),
  })
  return { kind: 'refused', status, response }
}

const DROPPED: CheckOutcome = { kind: 'dropped' }
/** RFC 8489 §14.3: fewer than 509 bytes. */
const MAX_USERNAME_BYTES = 508
const KNOWN: ReadonlySet<number> = new Set(Object.values(ATTRIBUTE))

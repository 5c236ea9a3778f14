import { isUnspecified } from '../address.ts'
import type { Direction, MediaSection } from '../model.ts'

export const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive']

export const sends = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'sendonly'
export const receives = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'recvonly'

/**
 * The direction to put in an answer: the offer mirrored, then limited by what we are willing to do.
 *
 * RFC 3264 §6.1. Putting a stream on hold is the case `offered = 'sendonly'` (§8.4).
 */
export function answerDirection(offered: Direction, willing: Direction): Direction {
  return toDirection(receives(offered) && sends(willing), sends(offered) && receives(willing))
}

/** What a section really asks for: `0.0.0.0` is the old way to say that nothing may be sent there (RFC 3264 §8.4). */
export function askedDirection(section: MediaSection): Direction {
  if (!isUnspecified(section.address) || section.ice !== undefined) return section.direction
  return toDirection(sends(section.direction), false)
}

function toDirection(send: boolean, receive: boolean): Direction {
  if (send) return receive ? 'sendrecv' : 'sendonly'
  return receive ? 'recvonly' : 'inactive'
}

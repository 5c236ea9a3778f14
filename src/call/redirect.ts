import { LIMITS } from '../base/index.ts'
import { isIpAddress, type SipResponse, uriEquals } from '../sip/index.ts'
import { addSides, branchesFor } from './branch.ts'
import { branchFailed, callNextGroup, replaceBranch, rings } from './forking.ts'
import { isPending } from './leg-state.ts'
import type { CallEvent, Destination, LegId } from './model.ts'
import type { Turn } from './turn.ts'

/**
 * A branch answered 3xx (RFC 3261 §8.1.3.4). Where its contacts lead is asked of routing, which knows what this party
 * may send us to. Returns whether it was asked; if not, the branch failed like any other.
 */
export function redirect(turn: Turn, id: LegId, response: SipResponse): boolean {
  const { redirects = 0, winner, ending } = turn.call
  const contacts = contactsOf(response)
  const follows = winner === undefined && ending === undefined && isPending(turn.leg(id))
  if (!follows || contacts.length === 0 || redirects >= LIMITS.redirectsPerCall) return false
  turn.update({ redirects: redirects + 1 })
  turn.emit({ kind: 'redirect', leg: id, party: turn.leg(id).party, contacts, status: response.status })
  return true
}

/** Routing says where the contacts lead: those places are called instead of the branch. None twice in a call. */
export function onRedirected(turn: Turn, event: CallEvent & { readonly kind: 'redirected' }): void {
  const { leg: id, status } = event
  if (turn.call.ending !== undefined || !isPending(turn.leg(id))) return
  const room = Math.max(0, LIMITS.branchesPerCall - turn.legs.length)
  const fresh = event.destinations.filter((destination) => !isTried(turn, destination)).slice(0, room)
  if (fresh.length === 0) {
    turn.note('routing', 'Redirected to nowhere that we follow', { leg: id, facts: { status } })
    return branchFailed(turn, id, { status, told: [] })
  }
  turn.note('routing', `Redirected to ${fresh.map(({ uri }) => uri).join(' and ')}`, { leg: id, facts: { status } })
  replaceBranch(turn, id)
  addSides(turn, branchesFor(turn, fresh.filter(isKnown)))
  // The servers of a domain have to be found first (RFC 3263): it is tried as a further group.
  const domains = fresh.filter((destination) => !isKnown(destination)).map((destination) => [destination])
  turn.update({ groups: [...domains, ...turn.call.groups] })
  if (!rings(turn)) callNextGroup(turn)
}

function isKnown({ target }: Destination): boolean {
  return target.kind === 'flow' || isIpAddress(target.to.host)
}

function contactsOf({ headers: { contacts } }: SipResponse): readonly string[] {
  if (contacts === '*') return []
  const q = (value: string | undefined): number => (value === undefined ? 1 : Number(value) || 0)
  return contacts
    .toSorted((a, b) => q(b.params.get('q')) - q(a.params.get('q')))
    .slice(0, LIMITS.redirectContacts)
    .map(({ uri }) => uri)
}

function isTried({ legs }: Turn, { uri }: Destination): boolean {
  return legs.some(({ destination }) => destination !== undefined && uriEquals(destination.uri, uri))
}

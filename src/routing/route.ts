import { type ByteString, encodeUtf8, LIMITS } from '../base/index.ts'
import { parseUri, type SendTarget, targetOf, withTlsProfile, writeUri } from '../sip/index.ts'
import type { Directory, Tenant, Trunk } from '../tenancy/index.ts'
import { dialled, dialledText } from './dialled.ts'
import type { Destination, Party, RouteDecision } from './model.ts'

/** Where a registered user can be reached. */
export interface Contact {
  readonly uri: ByteString
  readonly target: SendTarget
  readonly profile: 'webrtc' | 'rtp'
  /** Path of the registration (RFC 3327). */
  readonly path: readonly ByteString[]
}

export interface RouteInput {
  readonly directory: Directory
  readonly tenant: Tenant
  readonly caller: Party
  /** User part of the Request-URI as it came. */
  readonly user: ByteString
  readonly contactsOf: (tenant: string, user: string) => readonly Contact[]
}

/**
 * Where a call goes. A tenant's own users reach built-ins, each other and trunks by `routes`; a trunk reaches what
 * `numbers` names and nothing else, so that nobody can use us as a relay.
 */
export function route(input: RouteInput): RouteDecision {
  const number = dialled(input.user)
  if (input.caller.kind === 'trunk') return routeNumber(input, number)
  if (number === '*43') return { kind: 'builtin', builtin: 'echo' }
  if (number === '*41') return { kind: 'builtin', builtin: 'tone' }
  const { tenant, directory } = input
  for (const name of [dialledText(input.user), number]) {
    if (directory.user(tenant.domain, name)) return ringUser(input, name)
  }
  const byPrefix = longestPrefix(tenant, number)
  const trunk = byPrefix && directory.trunk(tenant.domain, byPrefix.trunk)
  if (!byPrefix || !trunk) return notFound(number)
  const sent = byPrefix.prepend + number.slice(byPrefix.strip)
  return sent === '' ? notFound(number) : ringTrunk(tenant, trunk, sent)
}

export type Called = Pick<RouteInput, 'tenant' | 'caller' | 'user'>

/** The tenant's user that is meant, if it is one: by name for its own users, by `numbers` for trunks. */
export function calledUser(directory: Directory, { tenant, caller, user }: Called): string | undefined {
  const number = dialled(user)
  if (caller.kind === 'trunk') {
    const to = directory.number(tenant.domain, number)?.to
    return to?.kind === 'user' ? to.name : undefined
  }
  return [dialledText(user), number].find((name) => directory.user(tenant.domain, name) !== undefined)
}

function routeNumber({ tenant, directory, ...input }: RouteInput, number: string): RouteDecision {
  const rule = directory.number(tenant.domain, number)
  if (rule?.to.kind === 'user') return ringUser({ tenant, directory, ...input }, rule.to.name)
  const trunk = rule && directory.trunk(tenant.domain, rule.to.name)
  return trunk ? ringTrunk(tenant, trunk, number) : notFound(number)
}

function ringUser({ tenant, contactsOf }: RouteInput, user: string): RouteDecision {
  const contacts = contactsOf(tenant.domain, user).slice(0, LIMITS.branchesPerCall)
  if (contacts.length === 0) {
    return { kind: 'refuse', code: 'USER_UNAVAILABLE', status: 480, reason: `${user} is not registered` }
  }
  const party: Party = { kind: 'user', tenant: tenant.domain, user }
  const group = contacts.map(({ uri, target, profile, path }): Destination => {
    return { party, uri, target, profile, route: path, srtp: 'accept' }
  })
  return { kind: 'ring', groups: [group] }
}

/** The trunk's targets one after the other. */
function ringTrunk(tenant: Tenant, trunk: Trunk, number: string): RouteDecision {
  const party: Party = { kind: 'trunk', tenant: tenant.domain, trunk: trunk.name }
  const groups = trunk.targets.slice(0, LIMITS.branchesPerCall).map((text): readonly Destination[] => {
    const uri = { ...parseUri(text), user: encodeUtf8(number) }
    const target = withTlsProfile(targetOf(uri), `${tenant.domain}/${trunk.name}`)
    const { srtp, lateOffer } = trunk
    const late = lateOffer === true ? { lateOffer } : {}
    return [{ party, uri: writeUri(uri), target, profile: 'rtp', route: [], srtp, ...late }]
  })
  return { kind: 'ring', groups }
}

function longestPrefix(tenant: Tenant, number: string) {
  const fitting = tenant.routes.filter((each) => number.startsWith(each.prefix))
  return fitting.toSorted((a, b) => b.prefix.length - a.prefix.length)[0]
}

function notFound(number: string): RouteDecision {
  return { kind: 'refuse', code: 'ROUTE_NOT_FOUND', status: 404, reason: `nobody here is ${number}` }
}

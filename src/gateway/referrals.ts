import { asGatewayError, type Millis } from '../base/index.ts'
import { type LegId, LOOP, type Party, type Referral } from '../call/index.ts'
import { type HeaderField, parseNameAddr, parseUri, type SipRequest, type SipUri, writeUri } from '../sip/index.ts'
import type { Tenant, TransferPolicy } from '../tenancy/index.ts'
import type { CallTable, KnownDialog, LiveCall, NamedDialog } from './call-table.ts'
import type { CoreOptions } from './core-model.ts'
import type { Decisions } from './decisions.ts'

export interface ReferralsDeps {
  readonly options: Pick<CoreOptions, 'count'>
  readonly table: CallTable
  readonly decisions: Decisions
}

interface Transferor {
  readonly call: LiveCall
  readonly leg: LegId
}

interface Asked {
  readonly by: Transferor
  readonly party: Party
  readonly tenant: Tenant
  readonly uri: SipUri
}

/** Who may transfer to whom (RFC 3515): whoever may call there itself, if it may transfer at all. */
export class Referrals {
  readonly #deps: ReferralsDeps

  constructor(deps: ReferralsDeps) {
    this.#deps = deps
  }

  /** What becomes of a REFER inside the dialog of that leg. */
  of(request: SipRequest, by: Transferor, now: Millis): Referral {
    const party = by.call.state.legs[by.leg]?.party
    const tenant = this.#deps.decisions.tenantOf(by.call.tenant)
    if (party === undefined || tenant === undefined) return refuse(603, 'nobody knows who asks')
    const policy = transferPolicy(tenant, party)
    if (policy === 'refuse') return refuse(603, 'it may not transfer')
    if (policy === 'pass') return { kind: 'pass' }
    const targets = request.headers.values('Refer-To')
    const [target] = targets
    if (target === undefined || targets.length > 1) return refuse(400, 'not one Refer-To') // RFC 3515 §2.4.1.
    try {
      return this.#toward({ by, party, tenant, uri: parseUri(parseNameAddr(target).uri) }, now)
    } catch (thrown) {
      const { sipStatus, code, message } = asGatewayError(thrown)
      this.#deps.options.count?.fault(code)
      return refuse(sipStatus, message)
    }
  }

  #toward(asked: Asked, now: Millis): Referral {
    const { uri, tenant, party } = asked
    const { decisions } = this.#deps
    const method = uri.params.get('method')
    if (method !== undefined && method.toUpperCase() !== 'INVITE') return refuse(603, `not for ${method}`)
    const isNumber = uri.scheme === 'tel'
    if (uri.scheme !== 'sip' && !isNumber) return refuse(416, `a ${uri.scheme}: target`)
    const text = replacesIn(uri)
    const replaces = text === undefined ? undefined : parseReplaces(text)
    if (text !== undefined && replaces === undefined) return refuse(400, 'a broken Replaces')
    const own = replaces && this.#deps.table.byTags(replaces)
    if (own !== undefined) return joins(asked, own)
    const named = decisions.tenantOf(uri.host)
    const isHere = isNumber || (decisions.isOurs(uri.host) && (named === undefined || named === tenant))
    if (!isHere) return unreachable(404, 'the target is not ours')
    const decision = decisions.route({ user: uri.user ?? uri.opaque ?? '', caller: party, tenant }, now)
    if (decision.kind === 'refuse') return unreachable(decision.status, decision.reason)
    if (decision.kind === 'builtin') return unreachable(488, 'nobody is transferred to a built-in')
    return { kind: 'ring', groups: decision.groups, headers: text === undefined ? [] : replacing(text) }
  }
}

/** What a party's REFERs are good for. */
export function transferPolicy(tenant: Tenant, party: Party): TransferPolicy {
  if (party.kind !== 'trunk') return tenant.transfer ?? 'gateway'
  return tenant.trunks.find(({ name }) => name === party.trunk)?.transfer ?? 'refuse'
}

/** `call@host;to-tag=1;from-tag=2` (RFC 3891 §6.1). `undefined`: not of the grammar. */
export function parseReplaces(text: string): (NamedDialog & { readonly earlyOnly: boolean }) | undefined {
  const [callId = '', ...params] = text.split(';').map((part) => part.trim())
  const value = (name: string): string | undefined =>
    params.find((param) => param.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1)
  const [one, other] = [value('to-tag'), value('from-tag')]
  if (callId === '' || one === undefined || other === undefined) return undefined
  return { callId, tags: [one, other], earlyOnly: params.some((param) => param.toLowerCase() === 'early-only') }
}

/** Both dialogs are ours: the other side of this call goes to the other side of that one (RFC 5589 §7). */
function joins(
  { by, party, tenant, uri }: Asked,
  { call, dialog }: { readonly call: LiveCall; readonly dialog: KnownDialog },
): Referral {
  if (call === by.call || call.tenant !== tenant.domain) return unreachable(481, 'no call that it could go to')
  const { near = 'a', winner, legs } = call.state
  const owner = legs[dialog.leg]?.party
  if (party.kind === 'trunk' && (owner?.kind !== 'trunk' || owner.trunk !== party.trunk)) {
    return unreachable(403, 'the dialog is not its own')
  }
  const target = winner === undefined ? undefined : legs[dialog.leg === near ? winner : near]?.party
  const theirs = legs[dialog.leg]?.dialog?.remoteTag
  if (target === undefined || theirs === undefined) return unreachable(481, 'that call is not up')
  const user = uri.user ?? uri.opaque ?? 'anonymous'
  const destination = {
    party: target,
    uri: writeUri({ scheme: 'sip', user, host: tenant.domain, params: new Map(), headers: '' }),
    target: { kind: 'flow', flow: LOOP } as const,
    profile: 'rtp' as const,
    route: [],
    srtp: 'never' as const,
  }
  const headers = replacing(`${dialog.sipCallId};to-tag=${dialog.localTag};from-tag=${theirs}`)
  return { kind: 'ring', groups: [[destination]], headers }
}

function replacing(value: string): readonly HeaderField[] {
  return [
    { name: 'Replaces', value },
    { name: 'Require', value: 'replaces' },
  ]
}

/** `Replaces` among the headers of a URI (RFC 3891 §6.1, RFC 3261 §19.1.1). */
function replacesIn({ headers }: SipUri): string | undefined {
  for (const field of headers.split('&')) {
    const equals = field.indexOf('=')
    if (field.slice(0, Math.max(equals, 0)).toLowerCase() !== 'replaces') continue
    return field
      .slice(equals + 1)
      .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
  return undefined
}

function refuse(status: number, reason: string): Referral {
  return { kind: 'refuse', status, reason }
}

function unreachable(status: number, reason: string): Referral {
  return { kind: 'unreachable', status, reason }
}

import { encodeUtf8 } from '../base/index.ts'
import { isCallee, type Leg } from './leg-state.ts'
import type { LegId } from './model.ts'
import type { CallState } from './state.ts'

/** A dialog of this call that one of our users is in, as that user sees it (RFC 4235 §3). */
export interface UserDialog {
  readonly leg: LegId
  readonly tenant: string
  readonly user: string
  readonly state: 'trying' | 'early' | 'confirmed'
  readonly direction: 'initiator' | 'recipient'
  readonly callId: string
  /** The user's own tag. */
  readonly localTag?: string | undefined
  /** Our tag. */
  readonly remoteTag: string
  /** The other party, bytes. */
  readonly remote: { readonly uri: string; readonly displayName?: string | undefined }
}

/** Those that are not over. */
export function userDialogs(call: CallState): readonly UserDialog[] {
  return Object.values(call.legs).flatMap((leg) => {
    const { party } = leg
    const state = stateOf(call, leg)
    if (party.kind !== 'user' || state === undefined) return []
    const localTag = leg.dialog?.remoteTag
    return [
      {
        leg: leg.id,
        tenant: party.tenant,
        user: party.user,
        state,
        direction: isCallee(leg.id) ? 'recipient' : 'initiator',
        callId: leg.sipCallId,
        ...(localTag === undefined || localTag === '' ? {} : { localTag }),
        remoteTag: leg.localTag,
        remote: otherParty(call, leg),
      } as const,
    ]
  })
}

function stateOf(call: CallState, { id, status }: Leg): UserDialog['state'] | undefined {
  switch (status) {
    case 'waiting': // Nothing was sent to it yet.
    case 'cancelling':
    case 'parting':
    case 'leaving':
    case 'gone':
      return undefined
    case 'inviting':
    case 'ringing':
      if (isCallee(id)) return status === 'ringing' ? 'early' : 'trying'
      return call.rang === undefined || call.rang === 100 ? 'trying' : 'early'
    default:
      return 'confirmed'
  }
}

function otherParty(call: CallState, { id, party }: Leg): UserDialog['remote'] {
  const { asked } = call
  if (!isCallee(id)) return { uri: asked?.to ?? '' }
  const uri = `sip:${asked?.fromUser || 'anonymous'}@${party.tenant}`
  return asked?.displayName === undefined ? { uri } : { uri, displayName: encodeUtf8(asked.displayName) }
}

import type { Millis } from '../base/index.ts'
import type { CallId, CallState, LegId } from '../call/index.ts'
import type { MediaSessionId, SideStats } from '../media/index.ts'
import type { ClientKey, Flow, ServerKey, SipRequest } from '../sip/index.ts'
import type { Timeline } from './timeline.ts'

/** A dialog of a call: requests with these identifiers, and no others, belong to `leg`. */
export interface KnownDialog {
  readonly leg: LegId
  readonly sipCallId: string
  readonly localTag: string
  /** Tags of the peer. More than one only while an INVITE of ours forks (RFC 3261 §12.1.2). */
  readonly remoteTags: Set<string>
  /** The connection of a WebSocket peer. */
  flowId?: string
}

/** A dialog and its call. */
export interface InDialog {
  readonly call: LiveCall
  readonly dialog: KnownDialog
}

/** A request of ours that waits for its final response. */
export interface Outstanding {
  readonly leg: LegId
  readonly request: SipRequest
  readonly credentialsOf?: { readonly tenant: string; readonly trunk: string }
}

/** A request of a peer that waits for the call's final response, or for the ACK of it. */
export interface Unanswered {
  readonly leg: LegId
  readonly request: SipRequest
  readonly answered: boolean
}

/** A call that is not over, and everything by which the outside refers to it. */
export interface LiveCall {
  readonly id: CallId
  readonly tenant: string
  readonly startedAt: Millis
  readonly timeline: Timeline
  /** From-tag, CSeq and flow of the INVITE that began the call. */
  readonly callerTag: string | undefined
  readonly callerSequence: number
  readonly callerFlow: Flow
  state: CallState
  readonly unanswered: Map<ServerKey, Unanswered>
  readonly outstanding: Map<ClientKey, Outstanding>
  readonly dialogs: Map<string, KnownDialog>
  readonly sipCallIds: Map<string, LegId>
  readonly sessions: Set<MediaSessionId>
  /** Those that nobody asked the engine to close yet: none may outlive the call. */
  readonly unclosed: Set<MediaSessionId>
  /** Last counters the engine told, by leg. */
  readonly media: Map<LegId, SideStats>
}

/** Peers' tags kept of one dialog while an INVITE forks. */
const REMOTE_TAGS = 20

/** A dialog as another message names it. */
export interface NamedDialog {
  readonly callId: string
  readonly tags: readonly [string, string]
}

interface Owned<T> {
  readonly call: LiveCall
  readonly it: T
}

/** All calls that are not over, found by whatever refers to them. */
export class CallTable {
  readonly #calls = new Map<CallId, LiveCall>()
  readonly #sessions = new Map<MediaSessionId, LiveCall>()
  readonly #clientKeys = new Map<ClientKey, LiveCall>()
  readonly #serverKeys = new Map<ServerKey, LiveCall>()
  readonly #dialogs = new Map<string, Owned<KnownDialog>>()
  readonly #sipCallIds = new Map<string, LiveCall>()
  readonly #perTenant = new Map<string, number>()
  /** Calls of browsers, by the connection their INVITE came over. */
  readonly #callers = new Map<string, Set<LiveCall>>()

  add(call: LiveCall): void {
    this.#calls.set(call.id, call)
    this.#perTenant.set(call.tenant, this.ofTenant(call.tenant) + 1)
    if (!isWebSocket(call.callerFlow)) return
    const { id } = call.callerFlow
    this.#callers.set(id, (this.#callers.get(id) ?? new Set()).add(call))
  }

  remove(call: LiveCall): void {
    if (!this.#calls.delete(call.id)) return
    const left = this.ofTenant(call.tenant) - 1
    if (left > 0) this.#perTenant.set(call.tenant, left)
    else this.#perTenant.delete(call.tenant)
    const callers = this.#callers.get(call.callerFlow.id)
    if (callers?.delete(call) === true && callers.size === 0) this.#callers.delete(call.callerFlow.id)
    forget(this.#sessions, call.sessions, call)
    forget(this.#clientKeys, call.outstanding.keys(), call)
    forget(this.#serverKeys, call.unanswered.keys(), call)
    forget(this.#sipCallIds, call.sipCallIds.keys(), call)
    for (const key of call.dialogs.keys()) if (this.#dialogs.get(key)?.call === call) this.#dialogs.delete(key)
  }

  get size(): number {
    return this.#calls.size
  }

  all(): Iterable<LiveCall> {
    return this.#calls.values()
  }

  ofTenant(tenant: string): number {
    return this.#perTenant.get(tenant) ?? 0
  }

  byId(id: CallId): LiveCall | undefined {
    return this.#calls.get(id)
  }

  /** Calls that began over this connection of a browser. */
  begunOver(flowId: string): readonly LiveCall[] {
    return [...(this.#callers.get(flowId) ?? [])]
  }

  bySession(session: MediaSessionId): LiveCall | undefined {
    return this.#sessions.get(session)
  }

  byClientKey(key: ClientKey): LiveCall | undefined {
    return this.#clientKeys.get(key)
  }

  byServerKey(key: ServerKey): LiveCall | undefined {
    return this.#serverKeys.get(key)
  }

  byDialog(sipCallId: string, localTag: string | undefined): InDialog | undefined {
    const found = localTag === undefined ? undefined : this.#dialogs.get(dialogKey(sipCallId, localTag))
    return found === undefined ? undefined : { call: found.call, dialog: found.it }
  }

  /** The dialog a request belongs to: Call-ID and both tags must fit (RFC 3261 §12.2.2). */
  dialogOf({ headers: { callId, fromTag, toTag } }: SipRequest): InDialog | undefined {
    const found = this.byDialog(callId, toTag)
    return found?.dialog.remoteTags.has(fromTag ?? '') === true ? found : undefined
  }

  /**
   * The dialog that a Replaces or a transfer names (RFC 3891 §3). Some clients write the tags of calls that came to them
   * the wrong way round.
   */
  byTags({ callId, tags: [one, other] }: NamedDialog): InDialog | undefined {
    for (const [ours, theirs] of [[one, other] as const, [other, one] as const]) {
      const found = this.byDialog(callId, ours)
      if (found?.dialog.remoteTags.has(theirs) === true) return found
    }
    return undefined
  }

  /** Whose message it is, for the timeline; our own tag decides where a call loops through us. */
  byMessage(sipCallId: string, localTag: string | undefined): { call: LiveCall; leg: LegId } | undefined {
    const exact = this.byDialog(sipCallId, localTag)
    if (exact !== undefined) return { call: exact.call, leg: exact.dialog.leg }
    const call = this.#sipCallIds.get(sipCallId)
    const leg = call?.sipCallIds.get(sipCallId)
    return call === undefined || leg === undefined ? undefined : { call, leg }
  }

  /** A peer's request that this call has to answer. */
  awaitsAnswer(call: LiveCall, key: ServerKey, request: Unanswered): void {
    call.unanswered.set(key, request)
    this.#serverKeys.set(key, call)
    if (request.request.headers.toTag === undefined) this.#attribute(call, request.request.headers.callId, request.leg)
  }

  /** Nothing more can come to `key`. */
  settled(call: LiveCall, key: ServerKey): void {
    call.unanswered.delete(key)
    this.#serverKeys.delete(key)
  }

  /** A request of ours left; one outside a dialog may make one. */
  sent(call: LiveCall, key: ClientKey, outstanding: Outstanding): void {
    call.outstanding.set(key, outstanding)
    this.#clientKeys.set(key, call)
    const { headers } = outstanding.request
    if (headers.toTag !== undefined || headers.fromTag === undefined) return
    this.dialog(call, { leg: outstanding.leg, sipCallId: headers.callId, localTag: headers.fromTag })
  }

  /** A final response came, or none will. */
  finished(call: LiveCall, key: ClientKey): void {
    const request = call.outstanding.get(key)?.request
    if (request?.method === 'INVITE' && request.headers.toTag === undefined) return // Another 2xx may come, §13.2.2.4.
    call.outstanding.delete(key)
    this.#clientKeys.delete(key)
  }

  session(call: LiveCall, session: MediaSessionId): void {
    call.sessions.add(session)
    call.unclosed.add(session)
    this.#sessions.set(session, call)
  }

  /** The dialog with these identifiers, made if it is new. */
  dialog(call: LiveCall, identity: Pick<KnownDialog, 'leg' | 'sipCallId' | 'localTag'>): KnownDialog {
    const key = dialogKey(identity.sipCallId, identity.localTag)
    const known = call.dialogs.get(key)
    if (known !== undefined) return known
    const dialog: KnownDialog = { ...identity, remoteTags: new Set() }
    call.dialogs.set(key, dialog)
    this.#dialogs.set(key, { call, it: dialog })
    this.#attribute(call, identity.sipCallId, identity.leg)
    return dialog
  }

  #attribute(call: LiveCall, sipCallId: string, leg: LegId): void {
    call.sipCallIds.set(sipCallId, leg)
    this.#sipCallIds.set(sipCallId, call)
  }
}

/** Such a connection is its browser's only way; other peers can be reached anew. */
export function isWebSocket({ transport }: Flow): boolean {
  return transport === 'ws' || transport === 'wss'
}

/** The peer of `dialog` uses this tag. */
export function learnRemoteTag(dialog: KnownDialog, tag: string | undefined): void {
  if (tag !== undefined && dialog.remoteTags.size < REMOTE_TAGS) dialog.remoteTags.add(tag)
}

function dialogKey(sipCallId: string, localTag: string): string {
  return `${localTag} ${sipCallId}`
}

function forget<K>(index: Map<K, LiveCall>, keys: Iterable<K>, call: LiveCall): void {
  for (const key of keys) if (index.get(key) === call) index.delete(key)
}

import type { ApiEvent, CallDetail, CallView, TimelineEntry } from '../../api/model.ts'

/** A call as the gateway sees it, as far as this page was told. */
export interface ObservedCall {
  readonly view: CallView
  /** By `seq`, without holes as soon as the whole call was fetched. */
  readonly timeline: readonly TimelineEntry[]
  readonly dropped: number
  /** The whole timeline was fetched once; events carry on from there. */
  readonly complete: boolean
}

export type ObservedCalls = ReadonlyMap<string, ObservedCall>

/** How many calls are kept; the oldest go first. */
const MAX_CALLS = 20
const MAX_ENTRIES = 2_000

/** Takes in one event of the stream. Entries may come twice or out of order. */
export function applyEvent(calls: ObservedCalls, event: ApiEvent): ObservedCalls {
  if (event.event === 'call') return applyView(calls, event.data)
  const known = calls.get(event.data.call)
  // The gateway tells of a call before its entries; one that is not known is fetched by whoever needs it.
  if (known === undefined) return calls
  if (event.event === 'quality') return replace(calls, { ...known, view: { ...known.view, legs: event.data.legs } })
  return replace(calls, { ...known, timeline: mergeEntries(known.timeline, [event.data.entry]) })
}

/** Takes in a call without its timeline: from the list, or at a change of its state. */
export function applyView(calls: ObservedCalls, view: CallView): ObservedCalls {
  const known = calls.get(view.id)
  return replace(calls, known === undefined ? { view, timeline: [], dropped: 0, complete: false } : { ...known, view })
}

/** Takes in a call with its whole timeline. */
export function applyDetail(calls: ObservedCalls, detail: CallDetail): ObservedCalls {
  const { timeline, timelineDropped, ...view } = detail
  const before = calls.get(view.id)?.timeline ?? []
  return replace(calls, { view, timeline: mergeEntries(before, timeline), dropped: timelineDropped, complete: true })
}

/** The gateway's call that has a leg with this SIP Call-ID. */
export function callBySip(calls: ObservedCalls, sipCallId: string | undefined): ObservedCall | undefined {
  if (sipCallId === undefined) return undefined
  for (const call of calls.values()) if (legBySip(call.view, sipCallId) !== undefined) return call
  return undefined
}

/** Which leg of a call is the one with this SIP Call-ID. */
export function legBySip(view: CallView, sipCallId: string | undefined): string | undefined {
  return view.legs.find((leg) => leg.sipCallId === sipCallId)?.id
}

/** Whether entries are missing in the middle: then the call has to be fetched (again). */
export function hasHole(call: ObservedCall): boolean {
  const last = call.timeline.at(-1)
  return last !== undefined && last.seq !== call.timeline.length
}

/** Both lists as one, by `seq`, each entry once. */
export function mergeEntries(
  before: readonly TimelineEntry[],
  more: readonly TimelineEntry[],
): readonly TimelineEntry[] {
  const last = before.at(-1)
  const only = more[0]
  if (more.length === 1 && only !== undefined && (last === undefined || only.seq > last.seq)) {
    return [...before, only].slice(0, MAX_ENTRIES)
  }
  const bySeq = new Map([...before, ...more].map((entry) => [entry.seq, entry]))
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq).slice(0, MAX_ENTRIES)
}

function replace(calls: ObservedCalls, call: ObservedCall): ObservedCalls {
  const next = new Map(calls)
  next.set(call.view.id, call)
  const oldest = next.keys().next()
  if (next.size > MAX_CALLS && oldest.done !== true) next.delete(oldest.value)
  return next
}

import type { CallDetail, CallView } from '../api/index.ts'
import type { Millis } from '../base/index.ts'
import type { CallId } from '../call/index.ts'
import type { Timeline } from './timeline.ts'

interface Ended {
  readonly view: CallView
  readonly timeline: Timeline
  readonly endedAt: Millis
}

/** Calls that are over and can still be read, bounded in number and age. */
export interface EndedCalls {
  add(view: CallView, timeline: Timeline, now: Millis): void
  /** Newest first. */
  views(now: Millis): readonly CallView[]
  view(id: CallId): CallView | undefined
  detail(id: CallId, now: Millis): CallDetail | undefined
}

export function createEndedCalls(bounds: { readonly kept: number; readonly keptMs: number }): EndedCalls {
  const ended = new Map<CallId, Ended>() // In the order in which they ended.
  const forgetOld = (now: Millis): void => {
    for (const [id, call] of ended) {
      if (ended.size <= bounds.kept && now - call.endedAt <= bounds.keptMs) return
      ended.delete(id)
    }
  }
  return {
    add(view, timeline, now) {
      ended.set(view.id, { view, timeline, endedAt: now })
      forgetOld(now)
    },
    views(now) {
      forgetOld(now)
      return [...ended.values()].map(({ view }) => view).reverse()
    },
    view: (id) => ended.get(id)?.view,
    detail(id, now) {
      forgetOld(now)
      const call = ended.get(id)
      return call && detailOf(call.view, call.timeline)
    },
  }
}

export function detailOf(view: CallView, timeline: Timeline): CallDetail {
  return { ...view, timeline: timeline.entries(), timelineDropped: timeline.dropped }
}

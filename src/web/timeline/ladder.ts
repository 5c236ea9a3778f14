import type { LegView, TimelineEntry } from '../../api/model.ts'
import type { ObservedCall } from './calls.ts'

/** One vertical line of the diagram. */
export interface Lane {
  readonly id: string
  readonly label: string
  readonly detail: string
}

/** What an arrow or a mark stands for; decides its colour. */
export type Tone = 'request' | 'provisional' | 'success' | 'failure' | 'media' | 'note'

export type Row = {
  readonly seq: number
  /** Since the first entry. */
  readonly offsetMs: number
  readonly label: string
  readonly tone: Tone
} & (
  | {
      readonly kind: 'arrow'
      /** Indices into `lanes`. */
      readonly from: number
      readonly to: number
      readonly repeated: boolean
      readonly remote: string
      readonly text: string
    }
  | {
      readonly kind: 'mark'
      readonly lane: number
      readonly facts: readonly (readonly [name: string, value: string])[]
    }
)

export interface Ladder {
  readonly lanes: readonly Lane[]
  readonly rows: readonly Row[]
}

const GATEWAY = 1

/**
 * A call as a ladder diagram: the calling leg at the left, the gateway beside it, each called leg further right, time
 * downwards.
 *
 * @param ownLeg The leg of whoever looks, which is marked.
 */
export function buildLadder(call: ObservedCall, ownLeg: string | undefined): Ladder {
  const legs = orderLegs(call.view.legs)
  const lanes = lanesOf(legs, call, ownLeg)
  const start = call.timeline[0]?.at ?? call.view.startedAt
  return { lanes, rows: call.timeline.map((entry) => rowOf(entry, lanes, start)) }
}

/** Leg `a` first, then the others in the order of their names. */
function orderLegs(legs: readonly LegView[]): readonly LegView[] {
  const rank = (leg: LegView): string => (leg.id === 'a' ? '' : leg.id.padStart(8, ' '))
  return [...legs].sort((x, y) => rank(x).localeCompare(rank(y)))
}

function lanesOf(legs: readonly LegView[], call: ObservedCall, ownLeg: string | undefined): readonly Lane[] {
  const lanes = legs.map((leg) => ({
    id: leg.id,
    label: `${partyName(leg.party)}${leg.id === ownLeg ? ' (you)' : ''}`,
    detail: leg.profile === 'builtin' ? 'built in' : [leg.transport, leg.profile].filter(Boolean).join(', '),
  }))
  const caller = lanes[0] ?? { id: 'a', label: call.view.from, detail: '' }
  return [caller, { id: '', label: 'Trunkline', detail: 'gateway' }, ...lanes.slice(1)]
}

/** `user:alice` reads as `alice`, `builtin:echo` as `echo`, `trunk:carrier` as `carrier`. */
export function partyName(party: string): string {
  const colon = party.indexOf(':')
  return colon < 0 ? party : party.slice(colon + 1)
}

function rowOf(entry: TimelineEntry, lanes: readonly Lane[], start: number): Row {
  const found = entry.leg === undefined ? -1 : lanes.findIndex((lane) => lane.id === entry.leg)
  const base = { seq: entry.seq, offsetMs: Math.max(0, entry.at - start), label: entry.summary }
  if (entry.kind === 'sip') {
    const leg = Math.max(found, 0)
    const [from, to] = entry.direction === 'in' ? [leg, GATEWAY] : [GATEWAY, leg]
    const { repeated, remote, text } = entry
    return {
      ...base,
      kind: 'arrow',
      from,
      to,
      repeated,
      remote: `${entry.transport} ${remote}`,
      text,
      tone: sipTone(entry.summary),
    }
  }
  const facts = Object.entries(entry.facts ?? {}).map(([name, value]) => [name, String(value)] as const)
  return { ...base, kind: 'mark', lane: found < 0 ? GATEWAY : found, facts, tone: entry.kind }
}

/** `180 Ringing (INVITE)` is provisional, `INVITE sip:…` a request. */
export function sipTone(summary: string): Tone {
  const status = /^(\d)\d\d\b/.exec(summary)?.[1]
  if (status === undefined) return 'request'
  if (status === '1') return 'provisional'
  return status === '2' ? 'success' : 'failure'
}

/** `+0 ms`, `+250 ms`, `+1.25 s`, `+1:05`. */
export function formatOffset(offsetMs: number): string {
  if (offsetMs < 1_000) return `+${Math.round(offsetMs)} ms`
  if (offsetMs < 60_000) return `+${(offsetMs / 1_000).toFixed(2)} s`
  const seconds = Math.floor(offsetMs / 1_000)
  return `+${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

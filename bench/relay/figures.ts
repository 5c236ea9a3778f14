import { Distribution, type LoadGroup, type LoadSummary } from '../load/index.ts'
import { rounded } from '../report/index.ts'
import type { Cell } from './measure.ts'

/** A load counts as carried below both. */
export const CARRIED = { lossPercent: 0.01, addedP99Us: 5_000 }

// Types, not interfaces: these are written as JSON and looked into by path, and only a type has an index signature.
export type CellFigures = {
  calls: number
  packetsPerSecond: number
  /** CPU time of the whole core per packet relayed, µs. */
  wholeCoreUs: number
  /** Of the relay's processes alone. */
  processUs: number
  corePercent: number
  lossPercent: number
  lost: number
  duplicates: number
  reordered: number
  misrouted: number
  delayUs: PercentileFigures
  addedUs: PercentileFigures
  memoryKiBPerCall: number
  /** The generator sent in time: else it was the bottleneck. */
  keptPace: boolean
  /** Share of the time in which some thread waited for a core: high where others used the machine. */
  waitingPercent: number
  stolenPercent: number
  carried: boolean
}

type PercentileFigures = { p50: number; p99: number; p999: number; max: number }

export function delaysOf(groups: readonly LoadGroup[]): Distribution {
  return Distribution.of(groups.map(({ latencyUs }) => latencyUs))
}

export function figuresOf(cell: Cell, direct: LoadGroup): CellFigures {
  const { groups, usage, keptPace } = cell.result
  if (usage === null) throw new Error('the generator did not look at the relay')
  const sum = (pick: (group: LoadGroup) => number): number => groups.reduce((total, group) => total + pick(group), 0)
  const [sent, received] = [sum((group) => group.sent), sum((group) => group.received)]
  const delayUs = percentiles(delaysOf(groups))
  const addedUs = less(delayUs, percentilesOfSummary(direct.latencyUs))
  const lossPercent = rounded((1 - received / Math.max(1, sent)) * 100, 4)
  const per = (us: number): number => rounded(us / Math.max(1, received))
  const share = (us: number): number => rounded((us / usage.wallUs) * 100, 1)
  return {
    calls: cell.calls,
    packetsPerSecond: Math.round((received / usage.wallUs) * 1e6),
    wholeCoreUs: per(usage.coreBusyUs),
    processUs: per(usage.processUs),
    corePercent: share(usage.coreBusyUs),
    lossPercent,
    lost: sent - received,
    duplicates: sum((group) => group.duplicates),
    reordered: sum((group) => group.reordered),
    misrouted: sum((group) => group.misrouted),
    delayUs,
    addedUs,
    memoryKiBPerCall: rounded(cell.memoryKiBPerCall, 1),
    keptPace,
    waitingPercent: share(usage.waitingUs ?? 0),
    stolenPercent: share(usage.coreStolenUs),
    carried: lossPercent < CARRIED.lossPercent && addedUs.p99 < CARRIED.addedP99Us,
  }
}

function percentiles(of: Distribution): PercentileFigures {
  return { p50: of.percentile(0.5), p99: of.percentile(0.99), p999: of.percentile(0.999), max: of.max }
}

function percentilesOfSummary({ p50, p99, p999, max }: LoadSummary): PercentileFigures {
  return { p50, p99, p999, max }
}

/** What a relay adds; not below 0, where noise of the machine is larger. */
function less(through: PercentileFigures, direct: PercentileFigures): PercentileFigures {
  const at = (name: keyof PercentileFigures): number => Math.max(0, through[name] - direct[name])
  return { p50: at('p50'), p99: at('p99'), p999: at('p999'), max: at('max') }
}

/** The middle one by cost. */
export function median(rounds: readonly CellFigures[]): CellFigures | undefined {
  return rounds.toSorted((a, b) => a.wholeCoreUs - b.wholeCoreUs)[Math.floor((rounds.length - 1) / 2)]
}

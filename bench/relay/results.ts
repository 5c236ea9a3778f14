import type { LoadGroup, Mode } from '../load/index.ts'
import { rounded } from '../report/index.ts'
import { type CellFigures, figuresOf, median } from './figures.ts'
import type { Cell } from './measure.ts'

/** One load of one mode on one engine, over all rounds. */
export interface Result {
  readonly engine: string
  readonly name: string
  readonly mode: Mode
  readonly pps: number
  /** The middle round by cost. */
  readonly figures: CellFigures
  readonly cells: readonly Cell[]
  readonly costs: readonly number[]
}

interface Judged {
  readonly cell: Cell
  readonly figures: CellFigures
}

/** Everything that was measured. */
export class Results {
  readonly #cells: Judged[] = []
  readonly direct = new Map<number, LoadGroup>()

  add(cell: Cell): CellFigures {
    const direct = this.direct.get(cell.pps)
    if (direct === undefined) throw new Error(`the direct path was not measured at ${cell.pps}`)
    const figures = figuresOf(cell, direct)
    this.#cells.push({ cell, figures })
    return figures
  }

  /** In the order of measurement, rounds together. */
  all(): Result[] {
    const groups = new Map<string, Judged[]>()
    for (const each of this.#cells) {
      const { engine, mode, pps } = each.cell
      const key = `${engine} ${mode} ${pps}`
      groups.set(key, [...(groups.get(key) ?? []), each])
    }
    return [...groups.values()].flatMap((rounds) => {
      const [first] = rounds
      const figures = median(rounds.map((each) => each.figures))
      if (first === undefined || figures === undefined) return []
      const { engine, name, mode, pps } = first.cell
      const costs = rounds.map((each) => each.figures.wholeCoreUs)
      return [{ engine, name, mode, pps, figures, cells: rounds.map(({ cell }) => cell), costs }]
    })
  }
}

type ByLoad = { [pps: string]: number }
type ByMode = { [mode: string]: ByLoad }

/** What the bench is about, of the first engine. */
export type Summary = {
  /** Its cost per packet divided by rtpengine's, per mode and load. Above 1 it is dearer. */
  wholeCoreRatio: ByMode
  /** Calls at the highest load that was carried, per mode. */
  callsPerCore: { [mode: string]: number }
  /** 99th percentile of the added latency, per mode and load. */
  p99Us: ByMode
  memoryKiBPerCall: { [mode: string]: number }
}

/** Of the engine `ours`, beside `peer`. */
export function summaryOf(results: readonly Result[], ours: string, peer: string): Summary {
  const summary: Summary = { wholeCoreRatio: {}, callsPerCore: {}, p99Us: {}, memoryKiBPerCall: {} }
  for (const { engine, mode, pps, figures } of results) {
    if (engine !== ours) continue
    set(summary.p99Us, mode, pps, figures.addedUs.p99)
    if (figures.carried) summary.callsPerCore[mode] = Math.max(summary.callsPerCore[mode] ?? 0, figures.calls)
    summary.callsPerCore[mode] ??= 0
    summary.memoryKiBPerCall[mode] = figures.memoryKiBPerCall
    const other = results.find((each) => each.engine === peer && each.mode === mode && each.pps === pps)
    // A relay that loses packets does not do the same work.
    if (other !== undefined && engine !== peer && other.figures.lossPercent < SAME_WORK_PERCENT) {
      set(summary.wholeCoreRatio, mode, pps, rounded(figures.wholeCoreUs / other.figures.wholeCoreUs))
    }
  }
  return summary
}

const SAME_WORK_PERCENT = 0.1

function set(table: ByMode, mode: string, pps: number, value: number): void {
  table[mode] = { ...table[mode], [pps]: value }
}

import { type Percentiles, percentilesOf, rounded } from '../report/index.ts'
import type { DirectionMeter } from './flows.ts'
import type { Tally } from './measure.ts'

// Types, not interfaces: these are written as JSON and looked into by path, and only a type has an index signature.
export type DirectionFigures = {
  delayMs: PercentileFigures
  addedMs: PercentileFigures
  jitterMs: PercentileFigures
  sent: number
  lost: number
  lossPercent: number
  reordered: number
}

type PercentileFigures = { [name in keyof Percentiles]: number }

export type GatewayFigures = {
  gateway: string
  calls: number
  failed: number
  toSip: DirectionFigures
  toWeb: DirectionFigures
  direct: DirectionFigures
  setUpMs: PercentileFigures
  cpuPercent?: number
  cpuPerPacketUs?: number
}

export function figuresOf(gateway: string, tally: Tally): GatewayFigures {
  const baseline = percentilesOf(tally.direct.delaysMs)
  const toSip = directionFigures(tally.toSip, baseline)
  const toWeb = directionFigures(tally.toWeb, baseline)
  return {
    gateway,
    calls: tally.setUpMs.count,
    failed: tally.failed,
    toSip,
    toWeb,
    direct: directionFigures(tally.direct, baseline),
    setUpMs: { ...percentilesOf(tally.setUpMs) },
    ...(tally.cpuMs === undefined
      ? {}
      : {
          cpuPercent: rounded(tally.cpuMs / (tally.talkedSeconds * 10), 1),
          cpuPerPacketUs: rounded((tally.cpuMs * 1_000) / (toSip.sent + toWeb.sent), 1),
        }),
  }
}

function directionFigures(meter: DirectionMeter, baseline: Percentiles): DirectionFigures {
  const { sent, lost, reordered, jitterMs } = meter.totals()
  const delayMs = percentilesOf(meter.delaysMs)
  return {
    delayMs: { ...delayMs },
    addedMs: mapPercentiles((name) => rounded(delayMs[name] - baseline[name])),
    jitterMs: { ...percentilesOf(jitterMs) },
    sent,
    lost,
    lossPercent: rounded(sent === 0 ? 100 : (100 * lost) / sent, 4),
    reordered,
  }
}

export type RatioFigures = {
  toSip: { delayMs: PercentileFigures; jitterMs: PercentileFigures }
  toWeb: { delayMs: PercentileFigures; jitterMs: PercentileFigures }
  setUpMs: PercentileFigures
  cpuPerPacketUs?: number
}

/** Ours divided by theirs: below 1 is better. Of loss and of added delay there is none: both can be 0. */
export function ratioOf(ours: GatewayFigures, theirs: GatewayFigures): RatioFigures {
  const direction = (name: 'toSip' | 'toWeb') => ({
    delayMs: mapPercentiles((p) => quotient(ours[name].delayMs[p], theirs[name].delayMs[p])),
    jitterMs: mapPercentiles((p) => quotient(ours[name].jitterMs[p], theirs[name].jitterMs[p])),
  })
  const cpu = quotient(ours.cpuPerPacketUs ?? Number.NaN, theirs.cpuPerPacketUs ?? Number.NaN)
  return {
    toSip: direction('toSip'),
    toWeb: direction('toWeb'),
    setUpMs: mapPercentiles((p) => quotient(ours.setUpMs[p], theirs.setUpMs[p])),
    ...(Number.isFinite(cpu) ? { cpuPerPacketUs: cpu } : {}),
  }
}

function quotient(a: number, b: number): number {
  return rounded(a / b, 2)
}

function mapPercentiles(value: (name: keyof Percentiles) => number): PercentileFigures {
  return { p50: value('p50'), p99: value('p99'), p999: value('p999'), max: value('max') }
}

import { type Percentiles, type Plot, percentilePlot, type Report, type Series, type Table } from '../report/index.ts'
import type { Run } from './arguments.ts'
import { type DirectionFigures, figuresOf, type GatewayFigures, type RatioFigures, ratioOf } from './figures.ts'
import type { Tally } from './measure.ts'

/** A gateway and what was measured on it. */
export interface Measured {
  readonly key: string
  readonly name: string
  readonly tally: Tally
}

/** The report on one gateway, or on ours and another side by side. */
export function reportOf(first: Measured, second: Measured | undefined, run: Run): Report {
  const all = second ? [first, second] : [first]
  const figures = all.map(({ name, tally }) => figuresOf(name, tally))
  const [ours, theirs] = figures
  const ratio = ours && theirs && ratioOf(ours, theirs)
  const rows: Rows = { figures, ratio }
  return {
    name: 'jitter',
    title: second ? `${first.name} beside ${second.name}` : `Latency and jitter added by ${first.name}`,
    about: about(run, second !== undefined),
    parameters: { ...run, gateway: all.map(({ name }) => name).join('; ') },
    figures: ratio
      ? { ...Object.fromEntries(all.map(({ key }, n) => [key, figures[n] ?? {}])), ratio }
      : { ...(ours ?? {}) },
    tables: [
      percentileTable('Delay, ms', rows, (each) => each.delayMs, { names: TAIL, direct: true }),
      percentileTable('Added by the gateway (delay less that of the direct path), ms', rows, (each) => each.addedMs, {
        names: TAIL,
        direct: false,
      }),
      percentileTable('Jitter (RFC 3550), the middle and the worst of the calls, ms', rows, (each) => each.jitterMs, {
        names: ['p50', 'max'],
        direct: true,
      }),
      packetTable(rows),
      gatewayTable(rows),
    ],
    plots: [...delayPlots(all), ...timePlots(all)],
  }
}

function about(run: Run, compared: boolean): string {
  const turns = compared
    ? ` The two took turns, ${run.rounds} each, of ${run.seconds} s of talk together. A ratio is the first divided by the second: below 1 the first is better.`
    : ` They talked for ${run.seconds} s.`
  return (
    `${run.calls} calls at once between a WebRTC end (DTLS-SRTP) and a SIP end (RTP), half of them made by each, G.711 ` +
    `in packets of 20 ms both ways.${turns} Beside them ${run.direct} flows went from socket to socket without a ` +
    'gateway: “direct” is what this program and this machine take. Delays are from the moment a packet was handed to ' +
    'the socket to the moment it was read and decrypted.'
  )
}

interface Rows {
  readonly figures: readonly GatewayFigures[]
  readonly ratio: RatioFigures | undefined
}

type Cells = readonly (string | number)[]

const DIRECTIONS = [
  ['toSip', 'WebRTC to SIP'],
  ['toWeb', 'SIP to WebRTC'],
] as const

interface Columns {
  readonly names: readonly (keyof Percentiles)[]
  /** Also of the flows without a gateway. */
  readonly direct: boolean
}

const TAIL = ['p50', 'p99', 'p999', 'max'] as const
const HEADINGS: Readonly<Record<keyof Percentiles, string>> = { p50: 'p50', p99: 'p99', p999: 'p99.9', max: 'max' }

function percentileTable(
  title: string,
  { figures, ratio }: Rows,
  pick: (direction: DirectionFigures) => Percentiles,
  { names, direct }: Columns,
): Table {
  const label = labels(figures)
  const cells = (of: Percentiles): Cells => names.map((name) => of[name].toFixed(3))
  const rows: Cells[] = []
  const summaries: number[] = []
  for (const each of direct ? figures : []) {
    rows.push([figures.length > 1 ? `direct, beside ${shortName(each)}` : 'direct', ...cells(pick(each.direct))])
  }
  for (const [key, name] of DIRECTIONS) {
    for (const each of figures) rows.push([label(name, each), ...cells(pick(each[key]))])
    const [ours, theirs] = figures
    if (!ratio || !ours || !theirs) continue
    summaries.push(rows.length)
    rows.push([`${name}: ratio`, ...names.map((at) => ratioCell(pick(ours[key])[at], pick(theirs[key])[at]))])
  }
  return { title, columns: ['', ...names.map((name) => HEADINGS[name])], rows, summaries }
}

function ratioCell(ours: number, theirs: number): string {
  return ours >= LEAST_MS && theirs >= LEAST_MS ? (ours / theirs).toFixed(2) : '–'
}

/** Below this a ratio says more about the clock than about a gateway. */
const LEAST_MS = 0.02

function packetTable({ figures }: Rows): Table {
  const label = labels(figures)
  const rows = DIRECTIONS.flatMap(([key, name]) =>
    figures.map((each) => {
      const { sent, lost, lossPercent, reordered } = each[key]
      return [label(name, each), sent, lost, lossPercent, reordered]
    }),
  )
  return { title: 'Packets', columns: ['', 'sent', 'lost', 'lost, %', 'reordered'], rows }
}

function gatewayTable({ figures, ratio }: Rows): Table {
  const row = (name: string, value: (each: GatewayFigures) => string | number, quotient?: number): Cells => [
    name,
    ...figures.map(value),
    ...(ratio ? [quotient ?? '–'] : []),
  ]
  return {
    title: 'Gateway',
    columns: ['', ...(figures.length > 1 ? figures.map(shortName) : ['value']), ...(ratio ? ['ratio'] : [])],
    rows: [
      row('CPU while they talked, % of one core', (each) => each.cpuPercent ?? 'not known'),
      row('CPU per packet, µs', (each) => each.cpuPerPacketUs ?? 'not known', ratio?.cpuPerPacketUs),
      row('set-up, INVITE to media both ways, p50, ms', (each) => each.setUpMs.p50, ratio?.setUpMs.p50),
      row('set-up, max, ms', (each) => each.setUpMs.max, ratio?.setUpMs.max),
      row('calls that came up', (each) => each.calls),
      row('calls that failed', (each) => each.failed),
    ],
  }
}

/** Names a row; with the gateway only if there are two. */
function labels(figures: readonly GatewayFigures[]): (what: string, of: GatewayFigures) => string {
  return (what, of) => (figures.length > 1 ? `${what}: ${shortName(of)}` : what)
}

/** `Kamailio` of `Kamailio 5.6.3 + …`; a URL stays whole. */
function shortName({ gateway }: Pick<GatewayFigures, 'gateway'>): string {
  return gateway.split(' ')[0] ?? gateway
}

function delayPlots(all: readonly Measured[]): Plot[] {
  const [first] = all
  if (!first) return []
  const direct = { name: 'direct, no gateway', samples: first.tally.direct.delaysMs }
  const title = 'Delay by percentile'
  if (all.length === 1) {
    const through = DIRECTIONS.map(([key, name]) => ({ name, samples: first.tally[key].delaysMs }))
    return [percentilePlot(title, 'ms', [...through, direct])]
  }
  return DIRECTIONS.map(([key, name]) => {
    const through = all.map((each) => ({
      name: shortName({ gateway: each.name }),
      samples: each.tally[key].delaysMs,
    }))
    return percentilePlot(`${title}, ${name}`, 'ms', [...through, direct])
  })
}

function timePlots(all: readonly Measured[]): Plot[] {
  const series = all.flatMap(({ name: gateway, tally }) => {
    const name = (direction: string): string => (all.length > 1 ? `${shortName({ gateway })}, ${direction}` : direction)
    return DIRECTIONS.map(([key, direction]): Series => {
      const points = tally[key].secondsP99Ms
        .map((ms, second) => [second + 1, ms] as const)
        .filter(([, ms]) => Number.isFinite(ms))
      const line = { name: name(direction), points }
      return key === 'toWeb' && all.length > 1 ? { ...line, like: name(DIRECTIONS[0][1]) } : line
    })
  })
  if (series.every((each) => each.points.length < 2)) return []
  const title = '99th percentile of the delay, second by second'
  return [{ title, xLabel: 'second of talk', yLabel: 'ms', xScale: 'linear', series }]
}

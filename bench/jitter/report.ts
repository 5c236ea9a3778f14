import type { Percentiles, Plot, Report, Samples, Series, Table } from '../report/index.ts'
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
      percentileTable('Delay, ms', rows, (each) => each.delayMs, { direct: true }),
      percentileTable('Added by the gateway (delay less that of the direct path), ms', rows, (each) => each.addedMs),
      percentileTable('Jitter (RFC 3550) of the calls, ms', rows, (each) => each.jitterMs, { direct: true }),
      packetTable(rows),
      gatewayTable(rows),
    ],
    plots: [...tailPlots(all), ...timePlots(all)],
  }
}

function about(run: Run, compared: boolean): string {
  const turns = compared
    ? ` The two took turns, ${run.rounds} each, of ${run.seconds} s of talk together. A ratio is the first divided by the second.`
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

function percentileTable(
  title: string,
  { figures, ratio }: Rows,
  pick: (direction: DirectionFigures) => Percentiles,
  options: { readonly direct?: boolean } = {},
): Table {
  const label = labels(figures)
  const rows: Cells[] = []
  if (options.direct)
    for (const each of figures)
      rows.push([figures.length > 1 ? `direct, beside ${shortName(each)}` : 'direct', ...cells(pick(each.direct))])
  for (const [key, name] of DIRECTIONS) {
    for (const each of figures) rows.push([label(name, each), ...cells(pick(each[key]))])
    const [ours, theirs] = figures
    // A ratio only where both are well above the clock's grain.
    if (ratio && ours && theirs) rows.push([`${name}: ratio`, ...ratios(pick(ours[key]), pick(theirs[key]))])
  }
  return { title, columns: ['', 'p50', 'p99', 'p99.9', 'max'], rows }
}

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

function cells({ p50, p99, p999, max }: Percentiles): Cells {
  return [p50, p99, p999, max]
}

function ratios(ours: Percentiles, theirs: Percentiles): Cells {
  const theirCells = cells(theirs)
  return cells(ours).map((value, n) => {
    const other = Number(theirCells[n])
    return Number(value) >= LEAST_MS && other >= LEAST_MS ? (Number(value) / other).toFixed(2) : '–'
  })
}

/** Below this a ratio says more about the clock than about a gateway. */
const LEAST_MS = 0.01

/** Share of packets that took longer than x: the tail is what is heard. */
function tailPlots(all: readonly Measured[]): Plot[] {
  const common = {
    xLabel: 'delay, ms (logarithmic)',
    yLabel: 'share of packets',
    xScale: 'log',
    yTicks: 'nines',
  } as const
  const [only] = all
  if (only && all.length === 1) {
    const { direct, toSip, toWeb } = only.tally
    return [
      {
        ...common,
        title: 'Share of packets that took longer than x',
        series: [
          tail('direct', direct.delaysMs),
          tail('WebRTC to SIP', toSip.delaysMs),
          tail('SIP to WebRTC', toWeb.delaysMs),
        ],
      },
    ]
  }
  return DIRECTIONS.map(([key, name]) => ({
    ...common,
    title: `${name}: share of packets that took longer than x`,
    series: [
      ...all.map((each) => tail(shortName({ gateway: each.name }), each.tally[key].delaysMs)),
      ...all.slice(0, 1).map((each) => tail('direct', each.tally.direct.delaysMs)),
    ],
  }))
}

function tail(name: string, samples: Samples): Series {
  const points: [number, number][] = []
  for (let nines = 0; nines <= Math.log10(Math.max(10, samples.count)); nines += 0.05) {
    points.push([samples.percentile(1 - 10 ** -nines), nines])
  }
  return { name, points: points.filter(([x]) => Number.isFinite(x)) }
}

function timePlots(all: readonly Measured[]): Plot[] {
  const series = all.flatMap(({ name, tally }) =>
    DIRECTIONS.map(([key, direction]) => ({
      name: all.length > 1 ? `${direction}: ${shortName({ gateway: name })}` : direction,
      points: tally[key].secondsP99Ms
        .map((ms, second) => [second + 1, ms] as const)
        .filter(([, ms]) => Number.isFinite(ms)),
    })),
  )
  return series.every((each) => each.points.length < 2)
    ? []
    : [
        {
          title: '99th percentile of the delay, second by second',
          xLabel: 'second of talk',
          yLabel: 'ms',
          xScale: 'linear',
          series,
        },
      ]
}

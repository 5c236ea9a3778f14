import { Distribution, type Mode } from '../load/index.ts'
import type { Plot, Report, Series, Table } from '../report/index.ts'
import type { Run } from './arguments.ts'
import { CARRIED, type CellFigures, delaysOf } from './figures.ts'
import { type Result, type Results, summaryOf } from './results.ts'

/** The relay that ours is compared with. */
const PEER = 'rtpengine'

export interface Circumstances {
  readonly run: Run
  readonly network: string
  /** Engines that were asked for and could not be measured, with the reason. */
  readonly skipped: Readonly<Record<string, string>>
}

export function reportOf(results: Results, { run, network, skipped }: Circumstances): Report {
  const all = results.all()
  const ours = run.engines[0]?.key ?? ''
  const names = new Map(all.map(({ engine, name }) => [engine, name]))
  const summary = summaryOf(all, ours, PEER)
  return {
    name: 'relay',
    title: `Relaying RTP: ${[...names.keys()].join(' beside ')}`,
    about: aboutOf(run, network),
    parameters: {
      ...Object.fromEntries(names),
      network,
      modes: run.modes.join(', '),
      loads: run.loads.join(', '),
      seconds: run.seconds,
      warmUpSeconds: run.warmUpSeconds,
      rounds: run.rounds,
      relayPorts: run.ports,
      phonePorts: run.phonePorts,
      ...Object.fromEntries(Object.entries(skipped).map(([key, reason]) => [`skipped ${key}`, reason])),
    },
    summary,
    figures: { ...figuresByEngine(all), direct: directFigures(results), skipped: { ...skipped } },
    tables: [
      ...run.modes.map((mode) => costTable(mode, all, ours)),
      ...run.modes.map((mode) => latencyTable(mode, all, results)),
      capacityTable(run, all),
    ].filter(({ rows }) => rows.length > 0),
    plots: run.modes.flatMap((mode) => plotsOf(mode, all, results)),
  }
}

function aboutOf(run: Run, network: string): string {
  return (
    'G.711 calls of 50 packets a second each way through a relay on one core; the load generator is on another. Between ' +
    `them: ${network}. Each load was measured for ${run.seconds} s` +
    `${run.rounds > 1 ? `, ${run.rounds} times, of which the median by cost counts` : ''}, the relays taking turns. ` +
    'Cost is that of the whole core of the relay (wall time less idle time), as the kernel does much of the work in ' +
    'interrupts that are charged to nobody or to somebody else. Latency is from before the system call that sends until ' +
    'the kernel has the packet for the receiver; “added” is less that of the direct path, where nothing is in between. ' +
    `A load is carried with less than ${CARRIED.lossPercent} % lost and a 99th percentile of less than ` +
    `${CARRIED.addedP99Us / 1_000} ms added.`
  )
}

type ByLoad = { [pps: string]: CellFigures }

function figuresByEngine(all: readonly Result[]): { [engine: string]: { [mode: string]: ByLoad } } {
  const figures: { [engine: string]: { [mode: string]: ByLoad } } = {}
  for (const { engine, mode, pps, figures: each } of all) {
    figures[engine] = { ...figures[engine], [mode]: { ...figures[engine]?.[mode], [pps]: each } }
  }
  return figures
}

function directFigures(results: Results) {
  return Object.fromEntries(
    [...results.direct].map(([pps, { sent, received, latencyUs }]) => {
      const { p50, p99, p999, max } = latencyUs
      return [pps, { sent, received, delayUs: { p50, p99, p999, max } }]
    }),
  )
}

function costTable(mode: Mode, all: readonly Result[], ours: string): Table {
  const rows = of(mode, all).map((result) => {
    const { figures, pps, costs, engine } = result
    const own = all.find((each) => each.engine === ours && each.mode === mode && each.pps === pps)
    const ratio = engine === ours || own === undefined ? '' : (own.figures.wholeCoreUs / figures.wholeCoreUs).toFixed(2)
    return [
      `${pps}: ${engine}`,
      figures.wholeCoreUs.toFixed(2),
      costs.length > 1 ? `${Math.min(...costs).toFixed(2)}–${Math.max(...costs).toFixed(2)}` : '',
      figures.processUs.toFixed(2),
      `${figures.corePercent.toFixed(0)} %`,
      ratio,
    ]
  })
  const columns = ['packets per second', 'whole core', 'spread', 'process', 'core busy', `${ours} ÷ this`]
  return { title: `${mode}: CPU time per packet, µs`, columns, rows }
}

function latencyTable(mode: Mode, all: readonly Result[], results: Results): Table {
  const own = of(mode, all)
  const rows = [...results.direct].flatMap(([pps, { sent, received, latencyUs }]) => {
    const { p50, p99, p999, max } = latencyUs
    const through = own
      .filter((each) => each.pps === pps)
      .map(({ engine, figures }) => {
        const { addedUs: added, lost } = figures
        return [`${pps}: ${engine}`, added.p50, added.p99, added.p999, added.max, lost, remarkOf(figures)]
      })
    return through.length === 0 ? [] : [[`${pps}: direct path`, p50, p99, p999, max, sent - received, ''], ...through]
  })
  const columns = ['packets per second', 'p50', 'p99', 'p99.9', 'max', 'lost', '']
  return { title: `${mode}: added latency, µs`, columns, rows }
}

/** What a reader must know before believing a row. */
function remarkOf({ keptPace, waitingPercent, misrouted, carried }: CellFigures): string {
  const remarks = [
    ...(keptPace ? [] : ['the generator was late']),
    ...(waitingPercent > BUSY_PERCENT ? [`others used the machine (${waitingPercent} % waiting)`] : []),
    ...(misrouted > 0 ? [`${misrouted} packets went to a wrong call`] : []),
    ...(carried ? [] : ['not carried']),
  ]
  return remarks.join('; ')
}

const BUSY_PERCENT = 10

function capacityTable(run: Run, all: readonly Result[]): Table {
  const rows = run.engines.flatMap(({ key }) =>
    run.modes.flatMap((mode) => {
      const own = all.filter((each) => each.engine === key && each.mode === mode)
      const best = own.filter(({ figures }) => figures.carried).at(-1)
      const last = own.at(-1)
      if (last === undefined) return []
      return [[`${mode}: ${last.engine}`, best?.figures.calls ?? 0, best?.pps ?? 0, last.figures.memoryKiBPerCall]]
    }),
  )
  const columns = ['', 'calls carried', 'packets per second', 'KiB per call']
  return { title: 'Calls of one core, and the memory of each', columns, rows }
}

function plotsOf(mode: Mode, all: readonly Result[], results: Results): Plot[] {
  const own = of(mode, all)
  const engines = [...new Set(own.map(({ engine }) => engine))]
  if (engines.length === 0) return []
  const series = (engine: string, pick: (figures: CellFigures) => number): Series['points'] =>
    own.filter((each) => each.engine === engine).map(({ pps, figures }) => [pps / 1_000, pick(figures)] as const)
  const pairs = (leader: string, second: string, picks: readonly ((figures: CellFigures) => number)[]): Series[] =>
    engines.flatMap((engine) => {
      const [name, [first, other]] = [`${engine}, ${leader}`, picks]
      return [
        ...(first ? [{ name, points: series(engine, first) }] : []),
        ...(other ? [{ name: `${engine}, ${second}`, points: series(engine, other), like: name }] : []),
      ]
    })
  const common = { xLabel: 'thousand packets per second', xScale: 'linear' } as const
  return [
    {
      ...common,
      title: `${mode}: CPU time per packet`,
      yLabel: 'µs',
      series: pairs('whole core', 'process', [(of) => of.wholeCoreUs, (of) => of.processUs]),
    },
    {
      ...common,
      title: `${mode}: added latency`,
      yLabel: 'µs (logarithmic)',
      yScale: 'log',
      // A logarithm needs something above 0, and the clock counts whole µs.
      series: pairs('p99', 'p50', [(of) => Math.max(1, of.addedUs.p99), (of) => Math.max(1, of.addedUs.p50)]),
    },
    percentiles(mode, own, results),
  ]
}

/** All percentiles at the highest load that every engine was measured at. */
function percentiles(mode: Mode, own: readonly Result[], results: Results): Plot {
  const engines = new Set(own.map(({ engine }) => engine))
  const loads = [...new Set(own.map(({ pps }) => pps))]
  const shared = loads.filter((pps) => own.filter((each) => each.pps === pps).length === engines.size)
  const load = Math.max(...(shared.length > 0 ? shared : loads))
  const direct = results.direct.get(load)
  return {
    title: `${mode}: delay by percentile at ${load} packets per second`,
    xLabel: 'percentile',
    yLabel: 'µs (logarithmic)',
    xScale: 'nines',
    yScale: 'log',
    series: [
      ...own
        .filter(({ pps }) => pps === load)
        .map(({ engine, cells }) => delaysOf(cells.flatMap(({ result }) => result.groups)).curve(engine)),
      ...(direct ? [Distribution.of([direct.latencyUs]).curve('direct path')] : []),
    ],
  }
}

function of(mode: Mode, all: readonly Result[]): Result[] {
  return all.filter((each) => each.mode === mode).toSorted((a, b) => a.pps - b.pps)
}

import { ENGINES } from '../engines/index.ts'
import {
  Distribution,
  type Engine,
  Generator,
  isolateBench,
  type LoadSummary,
  openNetwork,
  untilQuiet,
} from '../load/index.ts'
import {
  type BenchArguments,
  type BenchCommand,
  finish,
  type Report,
  rounded,
  runBench,
  UsageError,
} from '../report/index.ts'
import { type Cell, MOST_JOINS, measureJoins, type Setting } from './measure.ts'

/** A rate counts as carried if every join was completed and the calls that ran noticed less than this. */
const NOTICED_P99_US = 2_000
/** Joins that end a little after the last one began still were at this rate. */
const RATE_SHARE = 0.97

const COMMAND: BenchCommand = {
  name: 'handshakes',
  summary: 'Whole joins of web clients per second on one core of the relay, while other calls run.',
  options: {
    engine: { type: 'string', value: 'NAME', default: 'native', help: 'native or portable.' },
    rates: { type: 'string', value: 'N,N,…', default: '1000,2000,2500,3000', help: 'Joins begun per second.' },
    calls: { type: 'string', value: 'N', default: '100', help: 'Calls that run all the time.' },
    seconds: { type: 'string', value: 'T', default: '4', help: 'Length of each measurement.' },
    warmup: { type: 'string', value: 'T', default: '2', help: 'Seconds of media before it.' },
    quiet: {
      type: 'string',
      value: 'T',
      default: '30',
      help: 'Waits so long for the machine to be quiet before each.',
    },
  },
  notes: `
A join is an authenticated STUN check that nominates, DTLS with a client certificate, keys, and a first SRTP packet that the
phone of the call has received as RTP. Sessions are opened before; each client has an address of its own. The generator
plays the clients on another core, which costs about what the relay's side costs: it says if it was late.

Figures for --require: summary.joinsPerSecond (the highest rate at which every join was completed and the running calls kept
a p99 below ${NOTICED_P99_US / 1_000} ms), summary.runningP99Us and summary.joinMs (p50, p99) at that rate.

Example: npm run bench -- handshakes --rates 2500 --require 'summary.joinsPerSecond>=2500'`,
}

async function handshakes(args: BenchArguments): Promise<number> {
  const rates = (args.text('rates') ?? '').split(',').map(rateOf)
  const engine = engineOf(args.text('engine'))
  const [calls, seconds] = [args.number('calls', { min: 0, max: 2_000 }), args.number('seconds', { min: 1, max: 60 })]
  const warmUpSeconds = args.number('warmup', { min: 1, max: 600 })
  const quietSeconds = args.number('quiet', { min: 0, max: 3_600 })
  const most = Math.max(...rates) * seconds
  if (most > MOST_JOINS) throw new UsageError(`${most} joins need more ports than the generator has (${MOST_JOINS})`)
  const outcome = await isolateBench(import.meta.url)
  if ('status' in outcome) return outcome.status
  const missing = await engine.missing()
  if (missing !== undefined) throw new Error(`${engine.key} cannot be measured: ${missing}`)

  const network = openNetwork()
  const generator = await Generator.open(outcome.program)
  try {
    const certificate = await generator.certificate()
    const setting: Setting = { network, generator, certificate, calls, seconds, warmUpSeconds }
    const cells: Cell[] = []
    for (const rate of rates) {
      await untilQuiet(quietSeconds)
      const cell = await measureJoins(engine, rate, setting)
      cells.push(cell)
      process.stderr.write(`${lineOf(cell)}\n`)
    }
    return await finish(reportOf(cells, { network: network.name, calls, seconds, warmUpSeconds }), args)
  } finally {
    await generator.close()
    network.close()
  }
}

function engineOf(name: string | undefined): Engine {
  const engine = ENGINES[name ?? '']
  if (engine === undefined || !engine.modes.includes('webrtc-rtp')) {
    throw new UsageError(`--engine: "${name ?? ''}" has no WebRTC side here`)
  }
  return engine
}

function rateOf(text: string): number {
  const rate = Number(text)
  if (!Number.isInteger(rate) || rate < 1 || rate > 20_000) {
    throw new UsageError(`--rates wants whole numbers from 1 to 20000, not "${text}"`)
  }
  return rate
}

interface Judged {
  readonly started: number
  readonly completed: number
  readonly perSecond: number
  readonly join: LoadSummary
  readonly runningP99Us: number
  readonly carried: boolean
}

function judge({ result, rate }: Cell): Judged {
  const { joins, groups } = result
  if (joins === null) throw new Error('nobody joined')
  const running = Distribution.of(groups.filter(({ name }) => name !== 'joining').map(({ latencyUs }) => latencyUs))
  const runningP99Us = running.percentile(0.99)
  const all = joins.completed === joins.started && joins.perSecond >= RATE_SHARE * rate
  const carried = all && runningP99Us < NOTICED_P99_US
  const { started, completed, perSecond, joinUs: join } = joins
  return { started, completed, perSecond, join, runningP99Us, carried }
}

function lineOf(cell: Cell): string {
  const { started, completed, perSecond, runningP99Us, carried } = judge(cell)
  const failures = cell.result.failures.length > 0 ? ` (${cell.result.failures[0]})` : ''
  const outcome = `${completed} of ${started} joins, ${Math.round(perSecond)}/s, running calls p99 ${runningP99Us} µs`
  return `${cell.rate}/s: ${outcome}${carried ? '' : ', not carried'}${failures}`
}

function reportOf(cells: readonly Cell[], parameters: Report['parameters']): Report {
  const judged = cells.map((cell) => ({ cell, ...judge(cell) })).toSorted((a, b) => a.cell.rate - b.cell.rate)
  const best = judged.filter(({ carried }) => carried).at(-1)
  const ms = (us: number): number => rounded(us / 1_000)
  const points = (pick: (of: (typeof judged)[number]) => number) =>
    judged.map((each): readonly [number, number] => [each.cell.rate, Math.max(0.001, pick(each))])
  return {
    name: 'handshakes',
    title: `Joins of web clients: ${cells[0]?.name ?? ''}`,
    about:
      'A join is an authenticated STUN check, a DTLS handshake with client certificate, keys, and the first SRTP packet ' +
      'that reached the phone. The relay has one thread on one core; other calls run all the time and must not notice.',
    parameters,
    summary: {
      joinsPerSecond: best === undefined ? 0 : Math.round(best.perSecond),
      ...(best && {
        runningP99Us: best.runningP99Us,
        joinMs: { p50: ms(best.join.p50), p99: ms(best.join.p99), max: ms(best.join.max) },
      }),
    },
    figures: Object.fromEntries(
      judged.map(({ cell, join, ...rest }) => [cell.rate, { ...rest, ...detail(cell, join) }]),
    ),
    tables: [
      {
        title: 'Joins begun per second',
        columns: ['', 'completed', 'per second', 'join p50, ms', 'p99, ms', 'running p99, µs', 'core busy', ''],
        rows: judged.map(({ cell, started, completed, perSecond, join, runningP99Us, carried }) => [
          cell.rate,
          `${completed} of ${started}`,
          Math.round(perSecond),
          ms(join.p50).toFixed(1),
          ms(join.p99).toFixed(1),
          runningP99Us,
          `${corePercent(cell).toFixed(0)} %`,
          [...(carried ? [] : ['not carried']), ...(cell.result.keptPace ? [] : ['the generator was late'])].join('; '),
        ]),
      },
    ],
    plots: [
      {
        title: 'Time of a join, and delay of the running calls',
        xLabel: 'joins begun per second',
        yLabel: 'ms (logarithmic)',
        xScale: 'linear',
        yScale: 'log',
        series: [
          { name: 'join, p99', points: points(({ join }) => join.p99 / 1_000) },
          { name: 'join, p50', points: points(({ join }) => join.p50 / 1_000), like: 'join, p99' },
          { name: 'packets of running calls, p99', points: points(({ runningP99Us }) => runningP99Us / 1_000) },
        ],
      },
    ],
  }
}

function detail(cell: Cell, join: LoadSummary) {
  const { joins, keptPace, latenessUs, usage, failures } = cell.result
  return {
    joinUs: percentiles(join),
    handshakeUs: percentiles(joins?.handshakeUs ?? join),
    dtls: joins?.dtls ?? 'none',
    corePercent: corePercent(cell),
    processPercent: rounded(((usage?.processUs ?? 0) / (usage?.wallUs ?? 1)) * 100, 1),
    generatorKeptPace: keptPace,
    generatorLateP99Us: latenessUs.p99,
    failures: failures.join('; '),
  }
}

function percentiles({ p50, p99, p999, max }: LoadSummary) {
  return { p50, p99, p999, max }
}

function corePercent({ result: { usage } }: Cell): number {
  return rounded(((usage?.coreBusyUs ?? 0) / (usage?.wallUs ?? 1)) * 100, 1)
}

await runBench(COMMAND, handshakes)

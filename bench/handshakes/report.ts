import { Distribution, type LoadSummary } from '../load/index.ts'
import { type Report, rounded } from '../report/index.ts'
import type { Cell } from './measure.ts'

/** A rate counts as carried if every join was completed and the calls that ran noticed less than this. */
export const NOTICED_P99_US = 2_000
/** Joins that end a little after the last one began still were at this rate. */
const RATE_SHARE = 0.97

interface Judged {
  readonly started: number
  readonly completed: number
  readonly perSecond: number
  readonly join: LoadSummary
  readonly runningP99Us: number
  readonly carried: boolean
}

export function judge({ result, rate }: Cell): Judged {
  const { joins, groups } = result
  if (joins === null) throw new Error('nobody joined')
  const running = Distribution.of(groups.filter(({ name }) => name !== 'joining').map(({ latencyUs }) => latencyUs))
  const runningP99Us = running.percentile(0.99)
  const all = joins.completed === joins.started && joins.perSecond >= RATE_SHARE * rate
  const carried = all && runningP99Us < NOTICED_P99_US
  const { started, completed, perSecond, joinUs: join } = joins
  return { started, completed, perSecond, join, runningP99Us, carried }
}

export function lineOf(cell: Cell): string {
  const { started, completed, perSecond, runningP99Us, carried } = judge(cell)
  const failures = cell.result.failures.length > 0 ? ` (${cell.result.failures[0]})` : ''
  const outcome = `${completed} of ${started} joins, ${Math.round(perSecond)}/s, running calls p99 ${runningP99Us} µs`
  return `${cell.rate}/s: ${outcome}${carried ? '' : ', not carried'}${failures}`
}

export function reportOf(cells: readonly Cell[], parameters: Report['parameters']): Report {
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

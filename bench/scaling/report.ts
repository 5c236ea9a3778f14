import { Distribution } from '../load/index.ts'
import { type Report, rounded } from '../report/index.ts'
import type { Cell } from './measure.ts'

// A type, not an interface: it is written as JSON and looked into by path, and only a type has an index signature.
type Figures = {
  threads: number
  packetsPerSecond: number
  /** CPU time of the relay's processes per packet relayed, µs. */
  relayUs: number
  /** Of the generators. */
  generatorUs: number
  /** CPU time of the generators in percent of one core each. */
  generatorPercent: number
  lossPercent: number
  delayP99Us: number
  keptPace: boolean
  sharedCores: boolean
}

export function figuresOf({ threads, results, places }: Cell): Figures {
  const groups = results.flatMap((result) => result.groups)
  const received = groups.reduce((sum, group) => sum + group.received, 0)
  const sent = groups.reduce((sum, group) => sum + group.sent, 0)
  const usages = results.flatMap(({ usage }) => (usage === null ? [] : [usage]))
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length)
  const wallUs = mean(usages.map((usage) => usage.wallUs))
  // Each generator looked at the same relay, over the same time within some milliseconds.
  const relayUs = mean(usages.map((usage) => usage.processUs))
  const generatorUs = usages.reduce((sum, usage) => sum + usage.ownUs, 0)
  return {
    threads,
    packetsPerSecond: Math.round((received / wallUs) * 1e6),
    relayUs: rounded(relayUs / Math.max(1, received)),
    generatorUs: rounded(generatorUs / Math.max(1, received)),
    generatorPercent: rounded((generatorUs / wallUs / threads) * 100, 1),
    lossPercent: rounded((1 - received / Math.max(1, sent)) * 100, 4),
    delayP99Us: Distribution.of(groups.map(({ latencyUs }) => latencyUs)).percentile(0.99),
    keptPace: results.every((result) => result.keptPace),
    sharedCores: places.shared,
  }
}

/** Work of one thread for its load, divided by work per thread of many for as much each: 1 is perfect. */
export function efficiencyOf(one: Figures, many: Figures): number {
  const relayed = many.packetsPerSecond / many.threads / one.packetsPerSecond
  return rounded((one.relayUs / many.relayUs) * Math.min(1, relayed), 3)
}

export function reportOf(cells: readonly Cell[], parameters: Report['parameters']): Report {
  const all = cells.map(figuresOf).toSorted((a, b) => a.threads - b.threads)
  const first = all[0]
  if (first === undefined) throw new Error('nothing was measured')
  const efficiency = Object.fromEntries(all.map((each) => [each.threads, efficiencyOf(first, each)]))
  const shared = all.filter(({ sharedCores }) => sharedCores).map(({ threads }) => threads)
  return {
    name: 'scaling',
    title: `Scaling by threads: ${cells[0]?.name ?? ''}`,
    about:
      'The same load for every relay thread, from a generator for each. Efficiency is the CPU time per packet with the ' +
      'fewest threads divided by that with more, less what was not relayed: 1 is perfect.' +
      (shared.length > 0
        ? ` With ${shared.join(', ')} threads relay and generators share cores: they take time and cache from each other, ` +
          'so the true figure is higher.'
        : ''),
    parameters,
    summary: { efficiency },
    figures: Object.fromEntries(all.map((each) => [each.threads, each])),
    tables: [
      {
        title: 'Relay threads',
        columns: ['', 'packets/s', 'relay, µs/packet', 'efficiency', 'lost', 'p99, µs', 'generators, µs/packet', ''],
        rows: all.map((each) => [
          each.threads,
          each.packetsPerSecond,
          each.relayUs.toFixed(2),
          (efficiency[each.threads] ?? 0).toFixed(3),
          `${each.lossPercent} %`,
          each.delayP99Us,
          `${each.generatorUs.toFixed(2)} (${each.generatorPercent} % of a core each)`,
          [...(each.sharedCores ? ['shares cores'] : []), ...(each.keptPace ? [] : ['a generator was late'])].join(
            '; ',
          ),
        ]),
      },
    ],
    plots: [
      {
        title: 'Efficiency by relay threads',
        xLabel: 'relay threads',
        yLabel: 'efficiency per thread',
        xScale: 'linear',
        yScale: 'linear',
        series: [
          {
            name: 'efficiency',
            points: all.map((each): readonly [number, number] => [each.threads, efficiency[each.threads] ?? 0]),
          },
        ],
      },
    ],
  }
}

import type { EngineCounters } from '../../engine.ts'
import type { EngineStats } from './protocol.ts'

/** The counters of all threads together. */
export function countersOf(stats: EngineStats | undefined): EngineCounters {
  if (stats === undefined) return { packetsIn: 0, packetsOut: 0, restarts: 0, latency: [] }
  const { packetsIn, packetsOut, restarts, threads } = stats
  const latency = new Map<number, number>()
  for (const [upperUs, packets] of threads.flatMap((thread) => thread.latencyUs.buckets)) {
    latency.set(upperUs, (latency.get(upperUs) ?? 0) + packets)
  }
  return { packetsIn, packetsOut, restarts, latency: [...latency].sort(([one], [other]) => one - other) }
}

/** Packets by the time they took: an upper bound in µs and how many, rising. */
export type LatencyCounts = readonly (readonly [upperUs: number, packets: number])[]

const NAME = 'trunkline_media_latency_seconds'
/** Upper bounds in µs; the engine counts finer. */
const BOUNDS_US = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000]

/**
 * A histogram that was counted elsewhere, in the text format of Prometheus: its client knows only how to observe one
 * value after the other. The sum is taken from the buckets, so it is up to a few per cent too large.
 */
export function latencyText(counts: LatencyCounts): string {
  const total = counts.reduce((sum, [, packets]) => sum + packets, 0)
  const sumUs = counts.reduce((sum, [upperUs, packets]) => sum + upperUs * packets, 0)
  const below = (boundUs: number): number =>
    counts.reduce((sum, [upperUs, packets]) => (upperUs <= boundUs ? sum + packets : sum), 0)
  return [
    `# HELP ${NAME} From a packet's arrival at the media engine to its departure`,
    `# TYPE ${NAME} histogram`,
    ...BOUNDS_US.map((boundUs) => `${NAME}_bucket{le="${boundUs / 1e6}"} ${below(boundUs)}`),
    `${NAME}_bucket{le="+Inf"} ${total}`,
    `${NAME}_sum ${sumUs / 1e6}`,
    `${NAME}_count ${total}`,
    '',
  ].join('\n')
}

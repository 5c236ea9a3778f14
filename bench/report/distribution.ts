import type { Plot, Series } from './plot.ts'
import type { Samples } from './samples.ts'

/** Values by percentile, the rare ones drawn as wide as the common ones: the tail is what is felt. */
export function percentilePlot(
  title: string,
  unit: string,
  of: readonly { readonly name: string; readonly samples: Samples; readonly like?: string }[],
): Plot {
  return {
    title,
    xLabel: 'percentile',
    yLabel: `${unit} (logarithmic)`,
    xScale: 'nines',
    yScale: 'log',
    series: of.map(({ name, samples, like }): Series => {
      const points = curve(samples)
      return like === undefined ? { name, points } : { name, points, like }
    }),
  }
}

/** As far as the number of samples carries: 1,000 of them tell nothing of the 99.99th percentile. */
function curve(samples: Samples): (readonly [number, number])[] {
  const points: (readonly [number, number])[] = []
  const last = Math.log10(Math.max(1, samples.count))
  for (let nines = 0; nines <= last; nines += STEP) points.push([nines, samples.percentile(1 - 10 ** -nines)])
  if (samples.count > 0) points.push([last, samples.max()])
  return points.filter(([, value]) => Number.isFinite(value))
}

const STEP = 0.05

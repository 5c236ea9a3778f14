/** `nines`: the value counts nines of a share, so that each step is ten times rarer: 1 is 90 %, 2 is 99 %, 3 is 99.9 %. */
export type Scale = 'linear' | 'log' | 'nines'

export interface Axis {
  at(value: number): number
  readonly ticks: readonly { readonly value: number; readonly label: string }[]
}

/** Where values lie between the pixels `from` and `to`, with round ticks. */
export function axis(
  values: readonly number[],
  { scale, from, to }: { readonly scale: Scale; readonly from: number; readonly to: number },
): Axis {
  const lowest = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const highest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  if (scale === 'log') return logAxis(Math.max(lowest, LEAST), Math.max(highest, LEAST), from, to)
  const step = scale === 'nines' ? 1 : niceStep((highest - lowest || 1) / 5)
  const low = Math.floor(lowest / step) * step
  const high = Math.max(low + step, Math.ceil(highest / step) * step)
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step)
  return {
    ticks: ticks.map((value) => ({ value, label: scale === 'nines' ? percentile(value) : plain(value) })),
    at: (value) => from + ((value - low) / (high - low)) * (to - from),
  }
}

function logAxis(lowest: number, highest: number, from: number, to: number): Axis {
  const decades: number[] = []
  for (let power = Math.floor(Math.log10(lowest)); power <= Math.ceil(Math.log10(highest)); power++) decades.push(power)
  const steps = decades.flatMap((power) => [1, 2, 5].map((lead) => Number((lead * 10 ** power).toPrecision(3))))
  const low = steps.findLast((step) => step <= lowest) ?? lowest
  const high = steps.find((step) => step >= highest && step > low) ?? highest
  const inside = steps.filter((step) => step >= low && step <= high)
  // More than a dozen lines are a fence: then only the powers of ten.
  const ticks = inside.length <= 12 ? inside : inside.filter((step) => Number.isInteger(Math.log10(step)))
  const length = Math.log10(high / low)
  return {
    ticks: ticks.map((value) => ({ value, label: plain(value) })),
    at: (value) => from + (Math.log10(Math.max(value, low) / low) / length) * (to - from),
  }
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const lead = rough / power
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10)
}

function plain(value: number): string {
  return Number(value.toPrecision(6)).toString()
}

function percentile(nines: number): string {
  return nines === 0 ? '0 %' : `${plain(100 - 100 * 10 ** -nines)} %`
}

/** A logarithm needs something above 0. */
const LEAST = 1e-6

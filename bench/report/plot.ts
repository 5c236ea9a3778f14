/** A line chart as plain data. */
export interface Plot {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly xScale: 'linear' | 'log'
  /** `nines`: y counts the nines of a share, 2 is 1 %, 3 is 0.1 %; the ticks say the share. Default: y as it is. */
  readonly yTicks?: 'nines'
  readonly series: readonly Series[]
}

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

const WIDTH = 760
const HEIGHT = 320
const LEFT = 62
const RIGHT = 16
const TOP = 14
const BOTTOM = 46
const COLOURS = ['#2563eb', '#dc2626', '#059669', '#d97706', '#7c3aed', '#0891b2']

/** The chart as inline SVG with its own legend. */
export function svg(plot: Plot): string {
  const points = plot.series.flatMap((series) => series.points)
  if (points.length === 0) return '<p>No data.</p>'
  const x = axis(
    points.map(([value]) => value),
    plot.xScale,
    LEFT,
    WIDTH - RIGHT,
  )
  const highest = points.map(([, value]) => (plot.yTicks === 'nines' ? Math.ceil(value) : value))
  const y = axis([0, ...highest], 'linear', HEIGHT - BOTTOM, TOP)
  const lines = plot.series.map((series, i) => {
    const d = series.points
      .map(([px, py], n) => `${n === 0 ? 'M' : 'L'}${x.at(px).toFixed(1)} ${y.at(py).toFixed(1)}`)
      .join('')
    return `<path d="${d}" fill="none" stroke="${colour(i)}" stroke-width="1.6"/>`
  })
  const legend = plot.series.map(
    (series, i) => `<span><i style="background:${colour(i)}"></i>${escapeHtml(series.name)}</span>`,
  )
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(plot.title)}">`,
    ...x.ticks.map(
      (tick) =>
        `<path class="grid" d="M${x.at(tick).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}"/><text x="${x.at(tick).toFixed(1)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${label(tick)}</text>`,
    ),
    ...y.ticks
      .filter((tick) => plot.yTicks !== 'nines' || Number.isInteger(tick))
      .map(
        (tick) =>
          `<path class="grid" d="M${LEFT} ${y.at(tick).toFixed(1)}H${WIDTH - RIGHT}"/><text x="${LEFT - 6}" y="${(y.at(tick) + 4).toFixed(1)}" text-anchor="end">${plot.yTicks === 'nines' ? share(tick) : label(tick)}</text>`,
      ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeHtml(plot.xLabel)}</text>`,
    `<text transform="translate(13 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(plot.yLabel)}</text>`,
    ...lines,
    `</svg><p class="legend">${legend.join('')}</p>`,
  ].join('')
}

interface Axis {
  at(value: number): number
  readonly ticks: readonly number[]
}

function axis(values: readonly number[], scale: 'linear' | 'log', from: number, to: number): Axis {
  const lowest = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const highest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  if (scale === 'log') {
    const low = Math.floor(Math.log10(Math.max(lowest, 1e-6)))
    const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(highest, 1e-6))))
    const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i))
    return {
      ticks,
      at: (value) => from + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * (to - from),
    }
  }
  const step = niceStep((highest - lowest || 1) / 5)
  const low = Math.floor(lowest / step) * step
  const high = Math.max(low + step, Math.ceil(highest / step) * step)
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step)
  return { ticks, at: (value) => from + ((value - low) / (high - low)) * (to - from) }
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const lead = rough / power
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10)
}

function label(value: number): string {
  return Number(value.toPrecision(6)).toString()
}

function share(nines: number): string {
  return `${label(100 * 10 ** -nines)} %`
}

function colour(i: number): string {
  return COLOURS[i % COLOURS.length] ?? '#000'
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}

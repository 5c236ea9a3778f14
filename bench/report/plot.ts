import { type Axis, axis, type Scale } from './axis.ts'

/** A line chart as plain data. */
export interface Plot {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly xScale: Scale
  /** Default: linear, from 0. */
  readonly yScale?: Scale
  readonly series: readonly Series[]
}

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  /** A further line of the same thing, in the colour of this series (by name). */
  readonly like?: string
}

const WIDTH = 760
const HEIGHT = 340
const LEFT = 66
const RIGHT = 32
const TOP = 14
const BOTTOM = 48
const COLOURS = ['#2563eb', '#dc2626', '#059669', '#d97706', '#7c3aed', '#0891b2']

/** The chart as inline SVG with its own legend. */
export function svg(plot: Plot): string {
  const points = plot.series.flatMap((series) => series.points)
  if (points.length === 0) return '<p>No data.</p>'
  const x = axis(
    points.map(([value]) => value),
    { scale: plot.xScale, from: LEFT, to: WIDTH - RIGHT },
  )
  const yScale = plot.yScale ?? 'linear'
  const heights = points.map(([, value]) => value)
  const y = axis(yScale === 'linear' ? [0, ...heights] : heights, { scale: yScale, from: HEIGHT - BOTTOM, to: TOP })
  return [
    `<div class="wide"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(plot.title)}">`,
    ...grid(x, y),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeHtml(plot.xLabel)}</text>`,
    `<text transform="translate(13 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(plot.yLabel)}</text>`,
    ...plot.series.map((series) => line(series, styleOf(plot, series), x, y)),
    `</svg></div><p class="legend">${plot.series.map((series) => legend(series, styleOf(plot, series))).join('')}</p>`,
  ].join('')
}

function grid(x: Axis, y: Axis): string[] {
  const upright = x.ticks.map(({ value, label }) => {
    const at = x.at(value).toFixed(1)
    return `<path class="grid" d="M${at} ${TOP}V${HEIGHT - BOTTOM}"/><text x="${at}" y="${HEIGHT - BOTTOM + 17}" text-anchor="middle">${label}</text>`
  })
  const level = y.ticks.map(({ value, label }) => {
    const at = y.at(value)
    return `<path class="grid" d="M${LEFT} ${at.toFixed(1)}H${WIDTH - RIGHT}"/><text x="${LEFT - 7}" y="${(at + 4).toFixed(1)}" text-anchor="end">${label}</text>`
  })
  return [...upright, ...level]
}

interface Style {
  readonly colour: string
  readonly dashed: boolean
}

function styleOf({ series: all }: Plot, series: Series): Style {
  const leaders = all.filter((each) => each.like === undefined).map((each) => each.name)
  const colour = COLOURS[leaders.indexOf(series.like ?? series.name) % COLOURS.length] ?? '#000'
  return { colour, dashed: series.like !== undefined }
}

/** Series of at most so many points show each. */
const MEASURED = 12

function line({ points }: Series, { colour, dashed }: Style, x: Axis, y: Axis): string {
  const d = points.map(([px, py], n) => `${n === 0 ? 'M' : 'L'}${x.at(px).toFixed(1)} ${y.at(py).toFixed(1)}`).join('')
  // A few points were measured, and the line between them was not.
  const dots =
    points.length > MEASURED
      ? []
      : points.map(([px, py]) => `<circle cx="${x.at(px).toFixed(1)}" cy="${y.at(py).toFixed(1)}" r="3"/>`)
  const path = `<path d="${d}" fill="none" stroke="${colour}" stroke-width="1.7"${dashed ? ' stroke-dasharray="5 4"' : ''}/>`
  return dots.length === 0 ? path : `${path}<g fill="${colour}">${dots.join('')}</g>`
}

function legend({ name }: Series, { colour, dashed }: Style): string {
  return `<span><i style="border-top:3px ${dashed ? 'dashed' : 'solid'} ${colour}"></i>${escapeHtml(name)}</span>`
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}

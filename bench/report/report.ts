import { writeFile } from 'node:fs/promises'
import { cpus, release } from 'node:os'
import { htmlPage } from './html.ts'
import type { BenchArguments, Requirement } from './options.ts'
import type { Plot } from './plot.ts'

/** Nested plain numbers and words: what `--json` writes and `--require` looks into. */
export type Figures = { readonly [name: string]: number | string | boolean | Figures | readonly Figures[] }

export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
  /** Rows by index that sum up those above them. */
  readonly summaries?: readonly number[]
}

export interface Report {
  readonly name: string
  readonly title: string
  /** What was measured and how, in a few sentences for somebody who has only this page. */
  readonly about: string
  readonly parameters: Readonly<Record<string, string | number | boolean>>
  readonly figures: Figures
  /** What a reader looks for first: in the JSON it stands above the figures, and `--require` finds it as `summary`. */
  readonly summary?: Figures
  readonly tables: readonly Table[]
  readonly plots: readonly Plot[]
}

export interface Verdict {
  readonly requirement: string
  readonly found: number | undefined
  readonly met: boolean
}

/** Prints the tables, writes the files asked for and returns the exit status: 1 if a requirement was missed. */
export async function finish(report: Report, args: BenchArguments): Promise<number> {
  const machine = describeMachine()
  const summary = report.summary === undefined ? {} : { summary: report.summary }
  const verdicts = args.requirements.map((requirement) => judge(requirement, { ...report.figures, ...summary }))
  for (const table of report.tables) process.stdout.write(`\n${textTable(table)}\n`)
  for (const verdict of verdicts) {
    process.stdout.write(
      `${verdict.met ? 'met   ' : 'MISSED'} ${verdict.requirement} (found ${verdict.found ?? 'no such figure'})\n`,
    )
  }
  const at = new Date().toISOString()
  if (args.json !== undefined) {
    const { name, parameters, figures } = report
    const whole = { bench: name, at, machine, parameters, ...summary, figures, verdicts }
    await writeFile(args.json, `${JSON.stringify(whole, undefined, 2)}\n`)
    process.stdout.write(`figures: ${args.json}\n`)
  }
  if (args.html !== undefined) {
    await writeFile(args.html, htmlPage(report, { at, machine, verdicts }))
    process.stdout.write(`page:    ${args.html}\n`)
  }
  return verdicts.every((verdict) => verdict.met) ? 0 : 1
}

export function describeMachine(): Readonly<Record<string, string | number>> {
  const list = cpus()
  return { cpu: list[0]?.model.trim() ?? 'unknown', cores: list.length, kernel: release(), node: process.version }
}

function judge(requirement: Requirement, figures: Figures): Verdict {
  let at: unknown = figures
  for (const name of requirement.path)
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined
  const found = typeof at === 'number' ? at : undefined
  const met =
    found !== undefined && (requirement.operator === '<=' ? found <= requirement.bound : found >= requirement.bound)
  return { requirement: requirement.text, found, met }
}

export function textTable(table: Table): string {
  const rows = [table.columns, ...table.rows].map((row) => row.map(String))
  const widths = table.columns.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)))
  const lines = rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
  return [table.title, ...lines].join('\n')
}

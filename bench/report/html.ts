import { escapeHtml, svg } from './plot.ts'
import type { Report, Table, Verdict } from './report.ts'

interface Circumstances {
  readonly at: string
  readonly machine: Readonly<Record<string, string | number>>
  readonly verdicts: readonly Verdict[]
}

/** One page that needs nothing else: no script, no outside file. */
export function htmlPage(report: Report, circumstances: Circumstances): string {
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(report.title)}</title><style>${CSS}</style></head><body><main>`,
    `<h1>${escapeHtml(report.title)}</h1><p>${escapeHtml(report.about)}</p>`,
    verdictList(circumstances.verdicts),
    ...report.tables.map(htmlTable),
    ...report.plots.map((plot) => `<h2>${escapeHtml(plot.title)}</h2>${svg(plot)}`),
    '<h2>Circumstances</h2>',
    definitions({ measured: circumstances.at, ...report.parameters, ...circumstances.machine }),
    '</main></body></html>\n',
  ].join('\n')
}

function verdictList(verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return ''
  const rows = verdicts.map(
    (verdict) =>
      `<li class="${verdict.met ? 'met' : 'missed'}">${escapeHtml(verdict.requirement)}: ${verdict.met ? 'met' : 'missed'} (${verdict.found ?? 'no such figure'})</li>`,
  )
  return `<ul class="verdicts">${rows.join('')}</ul>`
}

function htmlTable(table: Table): string {
  const head = table.columns.map((name) => `<th>${escapeHtml(name)}</th>`).join('')
  const rows = table.rows.map((row, n) => {
    const cells = row.map((cell) => `<td>${escapeHtml(String(cell))}</td>`).join('')
    return `<tr${table.summaries?.includes(n) ? ' class="summary"' : ''}>${cells}</tr>`
  })
  return `<h2>${escapeHtml(table.title)}</h2><div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

function definitions(values: Readonly<Record<string, string | number | boolean>>): string {
  const rows = Object.entries(values).map(
    ([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(String(value))}</dd>`,
  )
  return `<dl>${rows.join('')}</dl>`
}

const CSS = `
:root{color-scheme:light dark;--ink:#17202a;--paper:#fff;--line:#d5dbe1;--soft:#5b6774}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaee;--paper:#14181d;--line:#333c46;--soft:#98a4b0}}
body{margin:0;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
main{max-width:820px;margin:0 auto;padding:24px 18px 60px}
h1{font-size:24px;line-height:1.25}h2{font-size:17px;margin:30px 0 8px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:5px 10px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{color:var(--soft);font-weight:600}
.summary td{font-weight:600;border-bottom-width:2px}
svg{width:100%;min-width:500px;height:auto;display:block}svg text{font-size:12px;fill:var(--soft)}svg .grid{stroke:var(--line);stroke-width:.6;fill:none}
.legend span{display:inline-block;margin-right:18px}.legend i{display:inline-block;width:20px;margin-right:7px;vertical-align:middle}
.verdicts{padding-left:18px}.met{color:#0a7d4f}.missed{color:#c62828;font-weight:600}
@media (max-width:600px){table{font-size:13px}th,td{padding:5px}th:first-child,td:first-child{white-space:normal;min-width:10em;padding-left:0}h1{font-size:21px}}
@media (prefers-color-scheme:dark){.met{color:#4ade80}.missed{color:#f87171}svg path:not(.grid){filter:brightness(1.3)}}
dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px}dt{color:var(--soft)}dd{margin:0}
`

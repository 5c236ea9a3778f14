import type { CallReport } from './measured-call.ts'
import type { ToneReport } from './tone.ts'

/** The figures of a call in a few lines for a person. */
export function callSummary(report: CallReport, toneHz: number): string {
  const { stream, media, sent } = report
  const { ringingMs, answeredMs, connectedMs, firstAudioMs } = report
  const expected = stream.received + stream.lost
  const lostPercent = expected === 0 ? 0 : (100 * stream.lost) / expected
  const lines = [
    [
      'set-up',
      `180 ${ms(ringingMs)}, 200 ${ms(answeredMs)}, media ${ms(connectedMs)}, first audio ${ms(firstAudioMs)}`,
    ],
    ['media', media ? `${media.codec}, encryption ${media.security}, sent to ${media.remote}` : 'none'],
    [
      'audio',
      `sent ${sent}, received ${stream.received}, lost ${stream.lost} (${lostPercent.toFixed(2)} %), ` +
        `reordered ${stream.reordered}, duplicated ${stream.duplicated}, jitter ${stream.jitterMs.toFixed(2)} ms`,
    ],
    ['tone', toneLine(report.tone, toneHz)],
  ]
  return lines.map(([name = '', text]) => `${name.padEnd(8)}${text}\n`).join('')
}

/** Most of what was heard was the tone. */
export function cameBack(tone: ToneReport): boolean {
  return tone.heard * 2 > tone.windows
}

function toneLine(tone: ToneReport, hz: number): string {
  if (tone.windows === 0) return 'no audio that could be judged'
  const verdict = cameBack(tone) ? 'came back' : 'did not come back'
  return `${hz} Hz ${verdict} (in ${tone.heard} of ${tone.windows} windows of 100 ms)`
}

function ms(value: number | undefined): string {
  return value === undefined ? 'never' : `${value.toFixed(1)} ms`
}

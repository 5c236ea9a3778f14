// A reporter for node:test that prints one line per file, and in full only what failed or was skipped.
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'

export default async function* reporter(source) {
  const counts = { passed: 0, failed: 0, skipped: 0, excluded: 0 }
  const files = new Map()
  let current
  for await (const { type, data } of source) {
    if (type === 'test:stderr') yield data.message
    if (type === 'test:stdout') yield noticesIn(data.message)
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const file = relative(process.cwd(), data.file ?? 'unknown file')
    if (file !== current && current !== undefined) yield* closeFile(files, current)
    current = file
    const stats = files.get(file) ?? { tests: 0, ms: 0, failed: 0 }
    files.set(file, stats)
    if (data.nesting === 0) stats.ms += data.details.duration_ms
    if (type === 'test:fail' && !isOnlyParent(data)) {
      counts.failed += 1
      stats.failed += 1
      yield `✖ ${file}: ${data.name}\n${indented(data.details.error)}\n`
      continue
    }
    const skipped = data.skip ?? data.todo
    if ((data.details.type === 'suite' && skipped === undefined) || type === 'test:fail') continue
    stats.tests += 1
    if (skipped === undefined) counts.passed += 1
    else if (String(skipped).startsWith('by design: ')) counts.excluded += 1
    else {
      counts.skipped += 1
      yield `!!! skipped ${file}: ${data.name}: ${typeof skipped === 'string' && skipped !== '' ? skipped : 'no reason given'}\n`
    }
  }
  if (current !== undefined) yield* closeFile(files, current)
  const path = process.env.TRUNKLINE_TEST_COUNTS
  if (path !== undefined) writeFileSync(path, JSON.stringify(counts))
}

function* closeFile(files, file) {
  const stats = files.get(file)
  if (stats === undefined || stats.printed) return
  stats.printed = true
  const sign = stats.failed > 0 ? '✖' : '✔'
  yield `${sign} ${file} (${stats.tests} tests, ${(stats.ms / 1000).toFixed(1)} s)\n`
}

/** What tests print is left out, except that they skip something. */
function noticesIn(text) {
  const lines = text.split('\n').filter((line) => /skip/i.test(line))
  return lines.map((line) => `${line}\n`).join('')
}

/** A suite that failed because something in it failed is not a further failure. */
function isOnlyParent(data) {
  return data.details.error?.failureType === 'subtestsFailed'
}

function indented(error) {
  const cause = error?.cause ?? error
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  return text
    .split('\n')
    .filter((line) => !/^\s+at .*\bnode:/.test(line))
    .slice(0, 40)
    .map((line) => `    ${line}`)
    .join('\n')
}

import { type Profiler, Session } from 'node:inspector'

/** A part of a function's source, by offsets. */
type Part = readonly [start: number, end: number]

/**
 * Which parts of the program's sources have run, by V8's own block coverage. Nothing is instrumented, so what is tested is
 * what runs.
 */
export class Coverage {
  /** What has not run yet, by function. */
  readonly #unreached = new Map<string, readonly Part[]>()

  /** How much of what ran since the last call never ran before, in characters of source. Looked at only, it stays news. */
  news(lookOnly = false): number {
    let reached = 0
    for (const { scriptId, url, functions } of taken()) {
      if (!url.includes('/src/')) continue
      for (const { ranges } of functions) reached += this.#enter(scriptId, ranges, lookOnly)
    }
    return reached
  }

  #enter(scriptId: string, ranges: readonly Profiler.CoverageRange[], lookOnly: boolean): number {
    const [whole, ...inner] = ranges
    if (whole === undefined || whole.count === 0) return 0
    const id = `${scriptId}:${whole.startOffset}`
    const before = this.#unreached.get(id) ?? [[whole.startOffset, whole.endOffset]]
    const idle = inner.filter(({ count }) => count === 0).map((range): Part => [range.startOffset, range.endOffset])
    const after = before.flatMap((part) => idle.flatMap((other) => common(part, other)))
    if (!lookOnly) this.#unreached.set(id, after)
    return length(before) - length(after)
  }
}

let session: Session | undefined

/** What ran since it was asked last. The inspector of one's own process answers before `post` returns. */
function taken(): readonly Profiler.ScriptCoverage[] {
  if (session === undefined) {
    session = new Session()
    session.connect()
    session.post('Profiler.enable')
    // Once for the whole process: V8 does not count again in functions that it compiled in between.
    session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }
  let found: readonly Profiler.ScriptCoverage[] = []
  session.post('Profiler.takePreciseCoverage', (_error, { result }) => {
    found = result
  })
  return found
}

function common([a, b]: Part, [c, d]: Part): readonly Part[] {
  const [start, end] = [Math.max(a, c), Math.min(b, d)]
  return start < end ? [[start, end]] : []
}

function length(parts: readonly Part[]): number {
  return parts.reduce((sum, [start, end]) => sum + end - start, 0)
}

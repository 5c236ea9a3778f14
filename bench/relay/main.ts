import {
  type Engine,
  Generator,
  isolateBench,
  type Mode,
  type Network,
  openNetwork,
  untilQuiet,
} from '../load/index.ts'
import { type BenchArguments, finish, runBench } from '../report/index.ts'
import { COMMAND, type Run, readRun } from './arguments.ts'
import type { CellFigures } from './figures.ts'
import { measureCell, measureDirect, type Setting } from './measure.ts'
import { reportOf } from './report.ts'
import { Results } from './results.ts'

async function relay(args: BenchArguments): Promise<number> {
  const run = readRun(args)
  const outcome = await isolateBench(import.meta.url)
  if ('status' in outcome) return outcome.status
  const skipped: Record<string, string> = {}
  const engines: Engine[] = []
  for (const engine of run.engines) {
    const missing = await engine.missing()
    if (missing === undefined) engines.push(engine)
    else skipped[engine.key] = missing
  }
  for (const [key, reason] of Object.entries(skipped)) warn(`!!! ${key} is not measured: ${reason}`)
  if (engines.length === 0) throw new Error('none of the engines can be measured here')

  const network = openNetwork()
  const generator = await Generator.open(outcome.program)
  try {
    if (!network.isIsolated) warn(`!!! network: ${network.name}`)
    const results = await measureAll({ ...run, engines }, network, generator)
    return await finish(reportOf(results, { run: { ...run, engines }, network: network.name, skipped }), args)
  } finally {
    await generator.close()
    network.close()
  }
}

async function measureAll(run: Run, network: Network, generator: Generator): Promise<Results> {
  const certificate = await generator.certificate()
  const { seconds, warmUpSeconds, ports, phonePorts } = run
  const setting: Setting = { network, generator, certificate, seconds, warmUpSeconds, ports, phonePorts }
  const results = new Results()
  const beaten = new Set<string>()
  for (const pps of run.loads) {
    await untilQuiet(run.quietSeconds)
    results.direct.set(pps, await measureDirect(pps, setting))
    for (const [engine, mode] of turnsOf(run)) {
      const subject = `${engine.key} ${mode}`
      if (beaten.has(subject)) continue
      await untilQuiet(run.quietSeconds)
      const figures = results.add(await measureCell(engine, { mode, pps }, setting))
      // Above the load that broke it, a relay shows only how it breaks.
      if (figures.lossPercent > BEATEN_PERCENT) beaten.add(subject)
      warn(lineOf(`${mode} at ${pps}, ${engine.key}`, figures))
    }
  }
  return results
}

const BEATEN_PERCENT = 1

/** Engines take turns, each first in its turn, so that a machine that warms up or slows down does not favour one. */
function turnsOf({ engines, modes, rounds }: Run): [Engine, Mode][] {
  return modes.flatMap((mode, n) =>
    Array.from({ length: rounds }, (_, round) => ((n + round) % 2 === 0 ? engines : engines.toReversed()))
      .flat()
      .filter((engine) => engine.modes.includes(mode))
      .map((engine): [Engine, Mode] => [engine, mode]),
  )
}

function lineOf(what: string, { wholeCoreUs, lossPercent, addedUs, carried }: CellFigures): string {
  const cost = `${wholeCoreUs.toFixed(2)} µs per packet, ${lossPercent} % lost, p99 ${addedUs.p99} µs added`
  return `${what}: ${cost}${carried ? '' : ', not carried'}`
}

function warn(line: string): void {
  process.stderr.write(`${line}\n`)
}

await runBench(COMMAND, relay)

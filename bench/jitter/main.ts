import type { RunningGateway } from '../peers/index.ts'
import { benchArguments, finish } from '../report/index.ts'
import { COMMAND, type Run, readGateways, readRun, type Wanted } from './arguments.ts'
import { measure, Tally } from './measure.ts'
import { type Measured, reportOf } from './report.ts'

async function main(argv: readonly string[]): Promise<number> {
  const args = benchArguments(COMMAND, argv)
  let run: Run
  let wanted: readonly Wanted[]
  try {
    run = readRun(args)
    wanted = readGateways(args)
  } catch (error) {
    process.stderr.write(`jitter: ${messageOf(error)}\nTry --help.\n`)
    return 2
  }
  const running: { key: string; gateway: RunningGateway; tally: Tally }[] = []
  try {
    for (const { key, open } of wanted) running.push({ key, gateway: await open(), tally: new Tally() })
    for (let round = 0; round < run.rounds; round++) {
      // Each goes first in turn, so that a machine that warms up or slows down does not favour one.
      const order = round % 2 === 0 ? running : running.toReversed()
      for (const { gateway, tally } of order) await measure(gateway, run, run.seconds / run.rounds, tally)
    }
    const [first, second] = running.map(({ key, gateway, tally }): Measured => ({ key, name: gateway.name, tally }))
    return first ? await finish(reportOf(first, second, run), args) : 1
  } catch (error) {
    process.stderr.write(`\njitter: ${messageOf(error)}\n`)
    return 1
  } finally {
    for (const { gateway } of running) await gateway.stop()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

process.exitCode = await main(process.argv.slice(2))

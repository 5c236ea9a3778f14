import type { RunningGateway } from '../peers/index.ts'
import { type BenchArguments, finish, runBench } from '../report/index.ts'
import { COMMAND, readGateways, readRun } from './arguments.ts'
import { measure, Tally } from './measure.ts'
import { type Measured, reportOf } from './report.ts'

async function jitter(args: BenchArguments): Promise<number> {
  const run = readRun(args)
  const wanted = readGateways(args)
  const running: { key: string; gateway: RunningGateway; tally: Tally }[] = []
  try {
    for (const { key, open } of wanted) running.push({ key, gateway: await open(), tally: new Tally() })
    for (let round = 0; round < run.rounds; round++) {
      // Each goes first in turn, so that a machine that warms up or slows down does not favour one.
      const order = round % 2 === 0 ? running : running.toReversed()
      for (const { gateway, tally } of order) await measure(gateway, run, run.seconds / run.rounds, tally)
    }
    const [first, second] = running.map(({ key, gateway, tally }): Measured => ({ key, name: gateway.name, tally }))
    if (!first) throw new Error('no gateway to measure')
    return await finish(reportOf(first, second, run), args)
  } finally {
    for (const { gateway } of running) await gateway.stop()
  }
}

await runBench(COMMAND, jitter)

import { availableParallelism } from 'node:os'
import { ENGINES } from '../engines/index.ts'
import { Generator, isolateBench, MODES, openNetwork, untilQuiet } from '../load/index.ts'
import { type BenchArguments, type BenchCommand, finish, runBench, UsageError } from '../report/index.ts'
import { type Cell, measureThreads, type Setting } from './measure.ts'
import { defaultThreads, placesOf } from './places.ts'
import { figuresOf, reportOf } from './report.ts'

const COMMAND: BenchCommand = {
  name: 'scaling',
  summary: 'What a packet costs the native engine with one relay thread and with more, at the same load per thread.',
  options: {
    threads: { type: 'string', value: 'N,N,…', help: 'Numbers of threads. Default: 1, 2, 4, … up to the cores.' },
    mode: { type: 'string', value: 'NAME', default: 'srtp-rtp', help: `Legs of a call: ${MODES.join(', ')}.` },
    pps: { type: 'string', value: 'N', default: '20000', help: 'Packets per second of each thread.' },
    seconds: { type: 'string', value: 'T', default: '20', help: 'Length of each measurement.' },
    warmup: { type: 'string', value: 'T', default: '4', help: 'Seconds of media before it.' },
    quiet: {
      type: 'string',
      value: 'T',
      default: '30',
      help: 'Waits so long for the machine to be quiet before each.',
    },
  },
  notes: `
The relay has the last cores, one for each thread; a generator for each thread has one of the first. Where there are fewer
than two cores for each thread they share some, which is said beside the figure, with what the generators used.

Figures for --require: summary.efficiency.THREADS, and THREADS.{packetsPerSecond,relayUs,generatorUs,lossPercent,…}.

Example: npm run bench -- scaling --threads 1,2 --require 'summary.efficiency.2>=0.8'`,
}

async function scaling(args: BenchArguments): Promise<number> {
  const cores = availableParallelism()
  const threads = threadsOf(args.text('threads'), cores)
  const mode = MODES.find((name) => name === args.text('mode'))
  if (mode === undefined) throw new UsageError(`--mode wants one of ${MODES.join(', ')}`)
  const ppsPerThread = args.number('pps', { min: 100, max: 500_000 })
  const [seconds, warmUpSeconds] = [
    args.number('seconds', { min: 1, max: 3_600 }),
    args.number('warmup', { min: 1, max: 600 }),
  ]
  const quietSeconds = args.number('quiet', { min: 0, max: 3_600 })
  const outcome = await isolateBench(import.meta.url)
  if ('status' in outcome) return outcome.status
  const engine = ENGINES.native
  const missing = engine === undefined ? 'there is none' : await engine.missing()
  if (engine === undefined || missing !== undefined) throw new Error(`the native engine cannot be measured: ${missing}`)

  const network = openNetwork()
  const generator = await Generator.open(outcome.program)
  try {
    const certificate = await generator.certificate()
    const setting: Setting = { network, generator, certificate, mode, ppsPerThread, seconds, warmUpSeconds }
    const cells: Cell[] = []
    for (const count of threads) {
      await untilQuiet(quietSeconds)
      const cell = await measureThreads(engine, placesOf(count, cores), setting)
      cells.push(cell)
      const { packetsPerSecond, relayUs, lossPercent } = figuresOf(cell)
      process.stderr.write(
        `${count} threads: ${packetsPerSecond} packets/s, ${relayUs} µs each, ${lossPercent} % lost\n`,
      )
    }
    return await finish(
      reportOf(cells, { network: network.name, cores, mode, ppsPerThread, seconds, warmUpSeconds }),
      args,
    )
  } finally {
    await generator.close()
    network.close()
  }
}

/** @throws UsageError if they are not numbers of threads. */
function threadsOf(text: string | undefined, cores: number): number[] {
  if (text === undefined) return defaultThreads(cores)
  return text.split(',').map((word) => {
    const threads = Number(word)
    if (Number.isInteger(threads) && threads >= 1 && threads <= 64) return threads
    throw new UsageError(`--threads wants whole numbers from 1 to 64, not "${word}"`)
  })
}

await runBench(COMMAND, scaling)

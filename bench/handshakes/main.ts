import { ENGINES } from '../engines/index.ts'
import { type Engine, Generator, isolateBench, openNetwork, untilQuiet } from '../load/index.ts'
import { type BenchArguments, type BenchCommand, finish, runBench, UsageError } from '../report/index.ts'
import { type Cell, MOST_JOINS, measureJoins, type Setting } from './measure.ts'
import { lineOf, NOTICED_P99_US, reportOf } from './report.ts'

const COMMAND: BenchCommand = {
  name: 'handshakes',
  summary: 'Whole joins of web clients per second on one core of the relay, while other calls run.',
  options: {
    engine: { type: 'string', value: 'NAME', default: 'native', help: 'native or portable.' },
    rates: { type: 'string', value: 'N,N,…', default: '1000,2000,2500,3000', help: 'Joins begun per second.' },
    calls: { type: 'string', value: 'N', default: '100', help: 'Calls that run all the time.' },
    seconds: { type: 'string', value: 'T', default: '4', help: 'Length of each measurement.' },
    warmup: { type: 'string', value: 'T', default: '2', help: 'Seconds of media before it.' },
    quiet: {
      type: 'string',
      value: 'T',
      default: '30',
      help: 'Waits so long for the machine to be quiet before each.',
    },
  },
  notes: `
A join is an authenticated STUN check that nominates, DTLS with a client certificate, keys, and a first SRTP packet that the
phone of the call has received as RTP. Sessions are opened before; each client has an address of its own. The generator
plays the clients on another core, which costs about what the relay's side costs: it says if it was late.

Figures for --require: summary.joinsPerSecond (the highest rate at which every join was completed and the running calls kept
a p99 below ${NOTICED_P99_US / 1_000} ms), summary.runningP99Us and summary.joinMs (p50, p99) at that rate.

Example: npm run bench -- handshakes --rates 2500 --require 'summary.joinsPerSecond>=2500'`,
}

async function handshakes(args: BenchArguments): Promise<number> {
  const rates = (args.text('rates') ?? '').split(',').map(rateOf)
  const engine = engineOf(args.text('engine'))
  const [calls, seconds] = [args.number('calls', { min: 0, max: 2_000 }), args.number('seconds', { min: 1, max: 60 })]
  const warmUpSeconds = args.number('warmup', { min: 1, max: 600 })
  const quietSeconds = args.number('quiet', { min: 0, max: 3_600 })
  const most = Math.max(...rates) * seconds
  if (most > MOST_JOINS) throw new UsageError(`${most} joins need more ports than the generator has (${MOST_JOINS})`)
  const outcome = await isolateBench(import.meta.url)
  if ('status' in outcome) return outcome.status
  const missing = await engine.missing()
  if (missing !== undefined) throw new Error(`${engine.key} cannot be measured: ${missing}`)

  const network = openNetwork()
  const generator = await Generator.open(outcome.program)
  try {
    const certificate = await generator.certificate()
    const setting: Setting = { network, generator, certificate, calls, seconds, warmUpSeconds }
    const cells: Cell[] = []
    for (const rate of rates) {
      await untilQuiet(quietSeconds)
      const cell = await measureJoins(engine, rate, setting)
      cells.push(cell)
      process.stderr.write(`${lineOf(cell)}\n`)
    }
    return await finish(reportOf(cells, { network: network.name, calls, seconds, warmUpSeconds }), args)
  } finally {
    await generator.close()
    network.close()
  }
}

function engineOf(name: string | undefined): Engine {
  const engine = ENGINES[name ?? '']
  if (engine === undefined || !engine.modes.includes('webrtc-rtp')) {
    throw new UsageError(`--engine: "${name ?? ''}" has no WebRTC side here`)
  }
  return engine
}

function rateOf(text: string): number {
  const rate = Number(text)
  if (!Number.isInteger(rate) || rate < 1 || rate > 20_000) {
    throw new UsageError(`--rates wants whole numbers from 1 to 20000, not "${text}"`)
  }
  return rate
}

await runBench(COMMAND, handshakes)

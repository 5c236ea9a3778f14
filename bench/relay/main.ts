import {
  type BenchArguments,
  type BenchCommand,
  finish,
  percentilePlot,
  percentilesOf,
  type Report,
  rounded,
  runBench,
} from '../report/index.ts'
import { type Direction, type LoadResult, measureRelay } from './load.ts'

const ABOUT =
  'What it costs the portable engine to relay: G.711 calls between a browser (DTLS-SRTP) and a phone (RTP) over ' +
  'loopback, 50 packets a second each way. The engine is a process of its own; its CPU time is taken from the ' +
  'operating system, so the load generator beside it does not count. Latency is from the call to send to the read of ' +
  'the relayed datagram, the generator’s own delays included.'

const COMMAND: BenchCommand = {
  name: 'relay',
  summary: 'CPU time per packet, loss and latency of the portable media engine.',
  options: {
    calls: { type: 'string', value: 'N', default: '50', help: 'Calls at once.' },
    seconds: { type: 'string', value: 'S', default: '10', help: 'How long it is measured.' },
    warmup: { type: 'string', value: 'S', default: '2', help: 'Seconds of media before the measurement.' },
  },
  notes: "Example: npm run bench -- relay --calls 50 --require 'cpuUsPerPacket<=60' --require 'lossPercent<=0.1'",
}

async function relay(args: BenchArguments): Promise<number> {
  const calls = args.number('calls', { min: 1, max: 1_000 })
  const seconds = args.number('seconds', { min: 1, max: 3_600 })
  const warmUpSeconds = args.number('warmup', { min: 0, max: 600 })
  const progress = (line: string): void => void process.stderr.write(`${line}\n`)
  const measured = await measureRelay({ calls, seconds, warmUpSeconds, progress })
  return finish(report(measured, { calls, seconds }), args)
}

function report(measured: LoadResult, parameters: { readonly calls: number; readonly seconds: number }): Report {
  const { toPhone, toBrowser } = measured
  const sent = toPhone.sent + toBrowser.sent
  const received = toPhone.received + toBrowser.received
  const cpuUsPerPacket = rounded(measured.cpuUs / received, 1)
  const coreShare = rounded(measured.cpuUs / 1_000 / measured.wallMs)
  const lossPercent = rounded(Math.max(0, 1 - received / sent) * 100)
  const figures = {
    packetsPerSecond: Math.round((received / measured.wallMs) * 1_000),
    cpuUsPerPacket,
    coreShare,
    lossPercent,
    discarded: measured.discarded,
    rssMiB: rounded(measured.rssMiB, 1),
    toPhone: figuresOf(toPhone),
    toBrowser: figuresOf(toBrowser),
  }
  return {
    name: 'relay',
    title: 'Media relay, portable engine',
    about: ABOUT,
    parameters,
    figures,
    tables: [
      {
        title: `${parameters.calls} calls, ${figures.packetsPerSecond} packets per second`,
        columns: ['', 'value'],
        rows: [
          ['CPU per packet, µs', cpuUsPerPacket],
          ['share of one core', coreShare],
          ['lost, %', lossPercent],
          ['discarded by the engine', measured.discarded],
          ['memory, MiB', figures.rssMiB],
        ],
      },
      {
        title: 'Latency in ms',
        columns: ['', 'p50', 'p99', 'p99.9', 'max'],
        rows: [
          ['browser to phone', ...Object.values(figures.toPhone.latencyMs)],
          ['phone to browser', ...Object.values(figures.toBrowser.latencyMs)],
        ],
      },
    ],
    plots: [
      percentilePlot('Latency by percentile', 'ms', [
        { name: 'browser to phone', samples: toPhone.latencyMs },
        { name: 'phone to browser', samples: toBrowser.latencyMs },
      ]),
    ],
  }
}

function figuresOf({ sent, received, latencyMs }: Direction) {
  return { sent, received, latencyMs: { ...percentilesOf(latencyMs) } }
}

await runBench(COMMAND, relay)

import { ENGINES } from '../engines/index.ts'
import { type Engine, MODES, type Mode, type PhonePorts, type PortPolicy } from '../load/index.ts'
import { type BenchArguments, type BenchCommand, UsageError } from '../report/index.ts'

const ENGINE_NAMES = Object.keys(ENGINES).join(', ')

export const COMMAND: BenchCommand = {
  name: 'relay',
  summary: 'What it costs to relay a packet, what it adds to its way, and how many calls a core carries.',
  options: {
    engines: {
      type: 'string',
      value: 'NAMES',
      default: 'native,rtpengine',
      help: `What is measured, in turns: ${ENGINE_NAMES}. Ratios are the first divided by each other.`,
    },
    modes: {
      type: 'string',
      value: 'NAMES',
      default: 'srtp-rtp,rtp-rtp',
      help: `Legs of a call: ${MODES.join(', ')}.`,
    },
    pps: {
      type: 'string',
      value: 'N,N,…',
      default: '25000,50000,100000',
      help: 'Loads, packets per second of all calls in both directions; a call has 100.',
    },
    seconds: { type: 'string', value: 'T', default: '30', help: 'Length of each measurement.' },
    warmup: { type: 'string', value: 'T', default: '4', help: 'Seconds of media before it.' },
    rounds: { type: 'string', value: 'N', default: '1', help: 'Measurements of each; the median counts.' },
    ports: {
      type: 'string',
      value: 'call|shared',
      default: 'call',
      help: 'Ports of the relay: of a call, or of many.',
    },
    phones: { type: 'string', value: 'own|shared', default: 'own', help: 'Ports of the phones: one each, or a few.' },
    quiet: {
      type: 'string',
      value: 'T',
      default: '30',
      help: 'Waits so long for the machine to be quiet before each.',
    },
  },
  notes: `
The load generator and the relay live in two network namespaces joined by veth (as root; else on loopback), each bound to
a core of its own. Cost per packet is that of the whole core: its time less its idle time, as the kernel does much of a
relay's work in interrupts. Latency is added latency: percentiles through the relay less those of the direct path.

Figures for --require: summary.wholeCoreRatio.MODE.PPS (ours divided by rtpengine's), summary.callsPerCore.MODE (at the
highest load with less than 0.01 % lost and p99 below 5 ms), summary.p99Us.MODE.PPS, summary.memoryKiBPerCall.MODE, and
for every engine ENGINE.MODE.PPS.{wholeCoreUs,processUs,lossPercent,addedUs.p99,…}.

Examples: npm run bench -- relay --pps 50000,70000,100000 --html page.html --require 'summary.wholeCoreRatio.srtp-rtp.50000<=0.5'
          npm run bench -- relay --engines portable --modes webrtc-rtp --pps 5000 --seconds 10`,
}

export interface Run {
  readonly engines: readonly Engine[]
  readonly modes: readonly Mode[]
  /** Ascending. */
  readonly loads: readonly number[]
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly rounds: number
  readonly ports: PortPolicy
  readonly phonePorts: PhonePorts
  readonly quietSeconds: number
}

/** @throws UsageError if the command line is wrong. */
export function readRun(args: BenchArguments): Run {
  const ports = choice(args, 'ports', ['call', 'shared'])
  const phonePorts = choice(args, 'phones', ['own', 'shared'])
  if (ports === 'shared' && phonePorts === 'shared') {
    throw new UsageError('--ports shared tells calls apart by their source: it needs --phones own')
  }
  return {
    engines: list(args, 'engines').map((name) => found('engines', name, ENGINES[name])),
    modes: list(args, 'modes').map((name) =>
      found(
        'modes',
        name,
        MODES.find((mode) => mode === name),
      ),
    ),
    loads: list(args, 'pps')
      .map(loadOf)
      .toSorted((a, b) => a - b),
    seconds: args.number('seconds', { min: 1, max: 86_400 }),
    warmUpSeconds: args.number('warmup', { min: 0, max: 600 }),
    rounds: args.number('rounds', { min: 1, max: 100 }),
    ports,
    phonePorts,
    quietSeconds: args.number('quiet', { min: 0, max: 3_600 }),
  }
}

function choice<T extends string>(args: BenchArguments, name: string, choices: readonly T[]): T {
  const text = args.text(name)
  return found(
    name,
    text,
    choices.find((each) => each === text),
  )
}

function list(args: BenchArguments, name: string): string[] {
  return (args.text(name) ?? '').split(',').map((word) => word.trim())
}

function found<T>(option: string, text: string | undefined, value: T | undefined): T {
  if (value === undefined) throw new UsageError(`--${option}: "${text ?? ''}" is none of those in --help`)
  return value
}

function loadOf(text: string): number {
  const pps = Number(text)
  if (!Number.isInteger(pps) || pps < 100 || pps > 500_000) {
    throw new UsageError(`--pps wants whole numbers from 100 to 500000, not "${text}"`)
  }
  return pps
}

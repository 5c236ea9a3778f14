import {
  type BenchArguments,
  type BenchCommand,
  finish,
  percentilePlot,
  percentilesOf,
  type Report,
  runBench,
} from '../report/index.ts'
import { type CallsMeasured, callFigures, measureCalls } from './calls.ts'
import { type MessageSpeed, measureMessages } from './messages.ts'
import { measureTransactions, type TransactionSpeed } from './transactions.ts'

const ABOUT =
  'How much signalling one gateway process carries. Messages: the same INVITE parsed (six fields read) and written, ' +
  'over and over, in one process. Transactions: calls between two SIP stacks without sockets. Calls: whole calls (INVITE, 180, 200, ACK, BYE, 200) between two trunks over UDP, ' +
  'through a gateway in its own process with a media engine that moves nothing; its CPU time is taken from the ' +
  'operating system, so the load generator beside it does not count.'

const COMMAND: BenchCommand = {
  name: 'signalling',
  summary: 'Messages per second of the SIP stack and whole calls per second of the B2BUA.',
  options: {
    rate: {
      type: 'string',
      value: 'N',
      default: '500',
      help: 'Calls begun per second; 0: as fast as --concurrent allows.',
    },
    seconds: { type: 'string', value: 'S', default: '10', help: 'How long calls are begun.' },
    calls: { type: 'string', value: 'N', default: '0', help: 'Begin so many calls, instead of --seconds; 0: not.' },
    concurrent: { type: 'string', value: 'N', default: '50', help: 'Calls kept going with --rate 0.' },
    talk: { type: 'string', value: 'S', default: '0', help: 'How long each call lasts, from ACK to BYE.' },
    warmup: {
      type: 'string',
      value: 'S',
      default: '8',
      help: 'Seconds of calls before the measurement. V8 still compiles during the first few thousand.',
    },
  },
  notes:
    "Example: npm run bench -- signalling --rate 500 --require 'calls.failed<=0' --require 'calls.callsPerSecondPerCore>=500'\n" +
    'With --rate 0 the gateway never sleeps, so its CPU per call is lower than at a rate that leaves it idle in between.\n' +
    'BENCH_PROFILE=DIR writes a CPU profile of the gateway there.',
}

async function signalling(args: BenchArguments): Promise<number> {
  const rate = args.number('rate', { min: 0, max: 20_000 })
  const total = args.number('calls', { min: 0, max: 10_000_000 })
  const seconds = total > 0 && rate > 0 ? total / rate : args.number('seconds', { min: 1, max: 3_600 })
  const load = {
    rate,
    seconds,
    talkSeconds: args.number('talk', { min: 0, max: 3_600 }),
    warmUpSeconds: args.number('warmup', { min: 0, max: 600 }),
    concurrent: args.number('concurrent', { min: 1, max: 5_000 }),
  }
  const progress = (line: string): void => void process.stderr.write(`${line}\n`)
  progress('messages')
  const messages = measureMessages(400)
  progress('transactions')
  const transactions = measureTransactions()
  const calls = await measureCalls({ ...load, progress })
  return finish({ ...report(messages, transactions, calls), parameters: load }, args)
}

function report(speed: MessageSpeed, stack: TransactionSpeed, measured: CallsMeasured): Omit<Report, 'parameters'> {
  const { result } = measured
  const setup = percentilesOf(result.setupMs)
  const whole = percentilesOf(result.wholeMs)
  return {
    name: 'signalling',
    title: 'Signalling',
    about: ABOUT,
    figures: { messages: { ...speed }, transactions: { ...stack }, calls: callFigures(measured) },
    tables: [
      {
        title: `Messages of ${speed.bytes} bytes, one core`,
        columns: ['', 'per second'],
        rows: [
          ['parsed, six fields read', speed.parsedPerSecond],
          ['written', speed.writtenPerSecond],
        ],
      },
      {
        title: 'Two SIP stacks that call each other, no sockets, no B2BUA',
        columns: ['', 'value'],
        rows: [
          ['calls per second, both stacks on one core', stack.callsPerSecond],
          ['CPU per call, both stacks, µs', stack.cpuUsPerCall],
          ['heap per call for 32 s, both stacks, bytes', stack.lingeringBytesPerCall],
        ],
      },
      {
        title: 'Whole calls, UDP to UDP',
        columns: ['', 'value'],
        rows: [
          ['complete', result.complete],
          ['failed', result.failed],
          ['requests repeated by the load', result.repeated],
          ['calls per second', measured.callsPerSecond],
          ['CPU of the gateway per call, µs', measured.cpuUsPerCall],
          ['of it in the kernel, µs', measured.systemUsPerCall],
          ['share of one core', measured.coreShare],
          ['calls per second and core at this cost', measured.callsPerSecondPerCore],
          ['set-up (INVITE to 200), ms, p50 / p99 / max', `${setup.p50} / ${setup.p99} / ${setup.max}`],
          ['whole call without the talk, ms, p50 / p99 / max', `${whole.p50} / ${whole.p99} / ${whole.max}`],
          ['memory of the gateway at the end, MiB', measured.rssMiB],
        ],
      },
    ],
    plots: [
      percentilePlot('Time by percentile', 'ms', [
        { name: 'set-up, INVITE to 200', samples: result.setupMs },
        { name: 'whole call', samples: result.wholeMs },
      ]),
    ],
  }
}

await runBench(COMMAND, signalling)

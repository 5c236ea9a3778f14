import { type Account, PEERS, type RunningGateway, type Subject, startTrunkline } from '../peers/index.ts'
import { type BenchArguments, type BenchCommand, UsageError } from '../report/index.ts'

const PEER_NAMES = Object.keys(PEERS).join(', ')

export const COMMAND: BenchCommand = {
  name: 'jitter',
  summary: 'Latency and jitter that a gateway adds to calls between browsers and SIP, against a direct path.',
  options: {
    calls: { type: 'string', value: 'N', default: '10', help: 'Calls at once; half are made by each side.' },
    seconds: { type: 'string', value: 'T', default: '20', help: 'Time to talk, in seconds, for each gateway.' },
    warmup: { type: 'string', value: 'T', default: '2', help: 'Seconds of talk before the measurement.' },
    direct: { type: 'string', value: 'N', default: '5', help: 'Direct flows beside them, as the baseline.' },
    peer: {
      type: 'string',
      value: 'NAME',
      help: `Measure this gateway, started for it, instead of ours: ${PEER_NAMES}.`,
    },
    compare: { type: 'string', value: 'NAME', help: `Measure ours and this one in turns: ${PEER_NAMES}, or ws.` },
    rounds: { type: 'string', value: 'N', default: '2', help: 'With --compare: turns of each; the time is split.' },
    ws: { type: 'string', value: 'URL', help: 'SIP WebSocket (RFC 7118) of a gateway that runs already.' },
    sip: { type: 'string', value: 'HOST:PORT', help: 'Its SIP address over UDP; [ADDRESS]:PORT for IPv6.' },
    domain: { type: 'string', value: 'NAME', help: 'SIP domain of its two accounts.' },
    'web-user': { type: 'string', value: 'NAME:PASSWORD', help: 'Account of the WebRTC end.' },
    'sip-user': { type: 'string', value: 'NAME:PASSWORD', help: 'Account of the SIP end.' },
  },
  notes: `
Without --peer, --compare or --ws our own gateway is started and measured. Both ends run in this process and share its
clock: a packet carries the moment it was sent. "Direct" packets take the same way through this program, encrypted too,
but no gateway; "added" is the difference of the two percentiles.

Figures for --require: toSip and toWeb with delayMs, addedMs, jitterMs (each p50, p99, p999, max), lossPercent and
reordered; failed, setUpMs, cpuPercent, cpuPerPacketUs. With --compare they stand below trunkline and the other's name,
and ratio has ours divided by theirs: ratio.cpuPerPacketUs, ratio.toSip.delayMs.p99.

Examples: npm run bench -- jitter --calls 50 --seconds 30 --require 'toSip.addedMs.p99<=5' --require 'toSip.lossPercent<=0.1'
          npm run bench -- jitter --compare kamailio --calls 20 --seconds 60 --html page.html
          npm run bench -- jitter --ws ws://192.0.2.1:8080/sip --sip 192.0.2.1:5060 --domain example.test \\
              --web-user alice:secret --sip-user bob:secret`,
}

export interface Run {
  readonly calls: number
  readonly seconds: number
  /** Before each turn: first packets find their way, and code that runs often is compiled. */
  readonly warmUpSeconds: number
  readonly direct: number
  readonly rounds: number
}

/** A gateway to be measured, by the name its figures stand below. */
export interface Wanted {
  readonly key: string
  open(): Promise<RunningGateway>
}

/** @throws UsageError if the command line is wrong. */
export function readRun(args: BenchArguments): Run {
  const compared = args.text('compare') !== undefined
  const seconds = args.number('seconds', { min: 1, max: 86_400 })
  return {
    calls: args.number('calls', { min: 1, max: 500 }),
    seconds,
    warmUpSeconds: args.number('warmup', { min: 0, max: 600 }),
    direct: args.number('direct', { min: 1, max: 100 }),
    // A turn is at least a second of talk.
    rounds: compared ? Math.min(Math.floor(seconds), args.number('rounds', { min: 1, max: 1_000 })) : 1,
  }
}

/** @throws UsageError if the command line is wrong. */
export function readGateways(args: BenchArguments): readonly Wanted[] {
  const [peer, compare, webSocket] = [args.text('peer'), args.text('compare'), args.text('ws')]
  if (peer !== undefined && compare !== undefined) throw new UsageError('--peer and --compare exclude each other')
  if (peer !== undefined && webSocket !== undefined) throw new UsageError('--peer and --ws exclude each other')
  if (compare !== undefined) return [OURS, compare === 'ws' ? running(args) : started(compare)]
  if (peer !== undefined) return [started(peer)]
  return [webSocket === undefined ? OURS : running(args)]
}

const OURS: Wanted = { key: 'trunkline', open: startTrunkline }

function started(name: string): Wanted {
  const open = Object.hasOwn(PEERS, name) ? PEERS[name] : undefined
  if (!open) throw new UsageError(`there is no gateway "${name}" to start: ${PEER_NAMES}`)
  return { key: name, open }
}

/** The gateway of `--ws`, which is not ours to start or stop. */
function running(args: BenchArguments): Wanted {
  const webSocket = args.text('ws') ?? ''
  const sip = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(args.text('sip') ?? '')
  const domain = args.text('domain')
  if (!/^wss?:\/\//.test(webSocket) || !sip || domain === undefined) {
    throw new UsageError('another gateway is named by --ws URL, --sip HOST:PORT, --domain, --web-user and --sip-user')
  }
  const subject: Subject = {
    webSocket,
    sip: { host: sip[1] ?? sip[2] ?? '', port: Number(sip[3]) },
    domain,
    web: account(args, 'web-user'),
    phone: account(args, 'sip-user'),
  }
  return {
    key: 'ws',
    open: async () => ({ name: webSocket, subject, cpuMs: () => undefined, stop: async () => undefined }),
  }
}

function account(args: BenchArguments, option: string): Account {
  const match = /^([^:]+):(.*)$/.exec(args.text(option) ?? '')
  if (!match) throw new UsageError(`--${option} wants NAME:PASSWORD`)
  return { user: match[1] ?? '', password: match[2] ?? '' }
}

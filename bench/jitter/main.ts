import { paceFrames } from '../../src/caller/index.ts'
import {
  type BenchArguments,
  type BenchCommand,
  benchArguments,
  type Figures,
  finish,
  type Percentiles,
  percentilesOf,
  type Report,
  rounded,
  type Samples,
  type Series,
} from '../report/index.ts'
import { CallMaker, type Subject, type UpCall } from './calls.ts'
import { attach, type DirectFlow, DirectionMeter, openDirectFlow } from './flows.ts'
import { type OwnGateway, startOwnGateway } from './own-gateway.ts'

const COMMAND: BenchCommand = {
  name: 'jitter',
  summary: 'Latency and jitter that a gateway adds to calls between browsers and SIP, against a direct path.',
  options: {
    calls: { type: 'string', value: 'N', default: '10', help: 'Calls at once; half are made by each side.' },
    seconds: { type: 'string', value: 'T', default: '20', help: 'Time to talk, in seconds.' },
    direct: { type: 'string', value: 'N', default: '5', help: 'Direct flows beside them, as the baseline.' },
    ws: {
      type: 'string',
      value: 'URL',
      help: 'SIP WebSocket (RFC 7118) of another gateway; default: our own, started for this.',
    },
    sip: { type: 'string', value: 'HOST:PORT', help: 'Its SIP address over UDP.' },
    domain: { type: 'string', value: 'NAME', help: 'SIP domain of the two accounts.' },
    'web-user': { type: 'string', value: 'NAME:PASSWORD', help: 'Account of the WebRTC end.' },
    'sip-user': { type: 'string', value: 'NAME:PASSWORD', help: 'Account of the SIP end.' },
  },
  notes: `
Both ends run in this process and share its clock: a packet carries the moment it was sent. "Direct" packets take the
same way through this program, encrypted too, but no gateway; "added" is the difference of the two percentiles.
Figures for --require: toSip and toWeb with delayMs, addedMs (p50, p99, p999, max), jitterMs, lossPercent, reordered;
setUpMs, cpuPercent, cpuPerPacketUs.`,
}

interface Run {
  readonly calls: number
  readonly seconds: number
  readonly direct: number
}

interface Measured {
  readonly toSip: DirectionMeter
  readonly toWeb: DirectionMeter
  readonly direct: DirectionMeter
  readonly setUpMs: readonly number[]
  readonly failed: number
  readonly cpuMs: number | undefined
}

async function main(argv: readonly string[]): Promise<number> {
  const args = benchArguments(COMMAND, argv)
  let run: Run
  let other: Subject | undefined
  try {
    run = {
      calls: args.number('calls', { min: 1, max: 500 }),
      seconds: args.number('seconds', { min: 1, max: 86_400 }),
      direct: args.number('direct', { min: 1, max: 100 }),
    }
    other = otherGateway(args)
  } catch (error) {
    process.stderr.write(`jitter: ${error instanceof Error ? error.message : String(error)}\nTry --help.\n`)
    return 2
  }
  const own = other === undefined ? await startOwnGateway() : undefined
  try {
    const measured = await measure(other ?? subjectOf(own), run, () => own?.cpuMs())
    return await finish(reportOf(measured, run, args.text('ws') ?? 'our own, started for this run'), args)
  } finally {
    await own?.stop()
  }
}

function subjectOf(own: OwnGateway | undefined): Subject {
  if (!own) throw new Error('no gateway to measure')
  return own.subject
}

function otherGateway(args: BenchArguments): Subject | undefined {
  const webSocket = args.text('ws')
  if (webSocket === undefined) return undefined
  const sip = /^(.+):(\d+)$/.exec(args.text('sip') ?? '')
  const domain = args.text('domain')
  if (!sip || domain === undefined)
    throw new Error('with --ws also --sip HOST:PORT, --domain, --web-user and --sip-user')
  return {
    webSocket,
    sip: { host: sip[1] ?? '', port: Number(sip[2]) },
    domain,
    web: account(args, 'web-user'),
    phone: account(args, 'sip-user'),
  }
}

function account(args: BenchArguments, option: string): { user: string; password: string } {
  const match = /^([^:]+):(.*)$/.exec(args.text(option) ?? '')
  if (!match) throw new Error(`--${option} wants NAME:PASSWORD`)
  return { user: match[1] ?? '', password: match[2] ?? '' }
}

async function measure(subject: Subject, run: Run, cpuMs: () => number | undefined): Promise<Measured> {
  const maker = await CallMaker.open(subject)
  const toSip = new DirectionMeter()
  const toWeb = new DirectionMeter()
  const direct = new DirectionMeter()
  const { calls, failed } = await setUp(maker, run)
  for (const call of calls) attach(call, toSip, toWeb)
  const flows = await Promise.all(Array.from({ length: run.direct }, () => openDirectFlow(direct.receiver())))
  const stop = [...talk(calls, toSip, toWeb), ...hum(flows, direct)]
  await wait(SETTLE_MS)
  const before = cpuMs()
  for (const meter of [toSip, toWeb, direct]) meter.begin()
  await talkFor(run.seconds, toSip, toWeb)
  for (const meter of [toSip, toWeb, direct]) meter.end()
  const after = cpuMs()
  await wait(SETTLE_MS)
  for (const each of stop) each()
  for (const flow of flows) flow.close()
  await Promise.all(calls.map((call) => call.hangUp()))
  maker.close()
  const used = before === undefined || after === undefined ? undefined : after - before
  return { toSip, toWeb, direct, setUpMs: calls.map((call) => call.setUpMs), failed, cpuMs: used }
}

async function setUp(maker: CallMaker, run: Run): Promise<{ calls: UpCall[]; failed: number }> {
  const calls: UpCall[] = []
  let failed = 0
  for (let n = 0; n < run.calls; n++) {
    try {
      calls.push(await maker.make(n % 2 === 0 ? 'web' : 'phone'))
    } catch (error) {
      failed++
      process.stderr.write(`\ncall ${n + 1}: ${error instanceof Error ? error.message : String(error)}\n`)
    }
    progress(`setting up ${calls.length}/${run.calls} calls`)
  }
  if (calls.length === 0) throw new Error('not one call came up')
  return { calls, failed }
}

/** Every call sends both ways each 20 ms; the calls are spread over that time as real ones are. */
function talk(calls: readonly UpCall[], toSip: DirectionMeter, toWeb: DirectionMeter): (() => void)[] {
  return calls.map((call, n) =>
    paceFrames(
      () => {
        call.web.send(toSip.stamp())
        call.sip.send(toWeb.stamp())
      },
      (20 * n) / calls.length,
    ),
  )
}

function hum(flows: readonly DirectFlow[], direct: DirectionMeter): (() => void)[] {
  return flows.map((flow, n) => paceFrames(() => flow.send(direct.stamp()), (20 * (n + 0.5)) / flows.length))
}

async function talkFor(seconds: number, toSip: DirectionMeter, toWeb: DirectionMeter): Promise<void> {
  const startedAt = performance.now()
  for (let second = 1; second <= seconds; second++) {
    await wait(startedAt + second * 1_000 - performance.now())
    const p99 = (meter: DirectionMeter): string => meter.delaysMs.percentile(0.99).toFixed(2)
    progress(`talking ${second}/${seconds} s   p99 to SIP ${p99(toSip)} ms, to WebRTC ${p99(toWeb)} ms`)
  }
  process.stderr.write('\n')
}

interface DirectionFigures {
  readonly delayMs: Percentiles
  readonly addedMs: Percentiles
  readonly jitterMs: Percentiles
  readonly sent: number
  readonly lost: number
  readonly lossPercent: number
  readonly reordered: number
}

function figuresOf(meter: DirectionMeter, baseline: Percentiles): DirectionFigures {
  const { sent, lost, reordered, jitterMs } = meter.totals()
  const delayMs = percentilesOf(meter.delaysMs)
  return {
    delayMs,
    addedMs: {
      p50: rounded(delayMs.p50 - baseline.p50),
      p99: rounded(delayMs.p99 - baseline.p99),
      p999: rounded(delayMs.p999 - baseline.p999),
      max: rounded(delayMs.max - baseline.max),
    },
    jitterMs: percentilesOf(jitterMs),
    sent,
    lost,
    lossPercent: rounded(sent === 0 ? 100 : (100 * lost) / sent, 4),
    reordered,
  }
}

function reportOf(measured: Measured, run: Run, gateway: string): Report {
  const baseline = percentilesOf(measured.direct.delaysMs)
  const direct = figuresOf(measured.direct, baseline)
  const toSip = figuresOf(measured.toSip, baseline)
  const toWeb = figuresOf(measured.toWeb, baseline)
  const packets = toSip.sent + toWeb.sent
  const cpu: Figures =
    measured.cpuMs === undefined
      ? {}
      : {
          cpuPercent: rounded(measured.cpuMs / (run.seconds * 10), 1),
          cpuPerPacketUs: rounded((measured.cpuMs * 1_000) / packets, 1),
        }
  const setUp = measured.setUpMs.toSorted((a, b) => a - b)
  const up = setUp.length
  return {
    name: 'jitter',
    title: `Added latency and jitter, ${up} calls`,
    about: `${up} calls between a WebRTC and a SIP end talked for ${run.seconds} s through the gateway (${gateway}), half of them made by each end, beside ${run.direct} flows from socket to socket. Delays are from the moment a packet was handed to the socket to the moment it was read and decrypted.`,
    parameters: { calls: run.calls, seconds: run.seconds, direct: run.direct, gateway },
    figures: {
      calls: up,
      failed: measured.failed,
      toSip: { ...toSip } as unknown as Figures,
      toWeb: { ...toWeb } as unknown as Figures,
      direct: { ...direct } as unknown as Figures,
      setUpMs: { p50: rounded(setUp[Math.floor(up / 2)] ?? 0, 1), max: rounded(setUp.at(-1) ?? 0, 1) },
      ...cpu,
    },
    tables: tablesOf({ direct, toSip, toWeb }, cpu, measured.failed),
    plots: [delayPlot(measured)],
  }
}

function tablesOf(
  directions: { readonly direct: DirectionFigures; readonly toSip: DirectionFigures; readonly toWeb: DirectionFigures },
  cpu: Figures,
  failed: number,
): Report['tables'] {
  const { direct, toSip, toWeb } = directions
  const row = (name: string, p: Percentiles): (string | number)[] => [name, p.p50, p.p99, p.p999, p.max]
  const columns = ['ms', 'p50', 'p99', 'p99.9', 'max']
  return [
    {
      title: 'Delay',
      columns,
      rows: [row('direct', direct.delayMs), row('WebRTC to SIP', toSip.delayMs), row('SIP to WebRTC', toWeb.delayMs)],
    },
    {
      title: 'Added by the gateway',
      columns,
      rows: [row('WebRTC to SIP', toSip.addedMs), row('SIP to WebRTC', toWeb.addedMs)],
    },
    {
      title: 'Jitter (RFC 3550, over the calls)',
      columns,
      rows: [
        row('direct', direct.jitterMs),
        row('WebRTC to SIP', toSip.jitterMs),
        row('SIP to WebRTC', toWeb.jitterMs),
      ],
    },
    {
      title: 'Packets',
      columns: ['', 'sent', 'lost', 'loss %', 'reordered'],
      rows: [
        ['WebRTC to SIP', toSip.sent, toSip.lost, toSip.lossPercent, toSip.reordered],
        ['SIP to WebRTC', toWeb.sent, toWeb.lost, toWeb.lossPercent, toWeb.reordered],
      ],
    },
    {
      title: 'Gateway process',
      columns: ['', ''],
      rows: [
        ['CPU, % of one core', String(cpu.cpuPercent ?? 'not known')],
        ['CPU per packet, µs', String(cpu.cpuPerPacketUs ?? 'not known')],
        ['calls that failed', failed],
      ],
    },
  ]
}

/** Share of packets that took longer than x: the tail is what is heard. */
function delayPlot(measured: Measured): Report['plots'][number] {
  return {
    title: 'Share of packets that took longer (complementary distribution)',
    xLabel: 'delay, ms (logarithmic)',
    yLabel: '-log10 of the share: 2 is 1 %, 3 is 0.1 %',
    xScale: 'log',
    series: [
      tail('direct', measured.direct.delaysMs),
      tail('WebRTC to SIP', measured.toSip.delaysMs),
      tail('SIP to WebRTC', measured.toWeb.delaysMs),
    ],
  }
}

function tail(name: string, samples: Samples): Series {
  const points: [number, number][] = []
  for (let nines = 0; nines <= Math.log10(Math.max(10, samples.count)); nines += 0.05) {
    points.push([samples.percentile(1 - 10 ** -nines), nines])
  }
  return { name, points: points.filter(([x]) => Number.isFinite(x)) }
}

function progress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r${text.padEnd(78)}` : `${text}\n`)
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}

/** For first packets to find their way, and for the last ones to arrive. */
const SETTLE_MS = 500

process.exitCode = await main(process.argv.slice(2))

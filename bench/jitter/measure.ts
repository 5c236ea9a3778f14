import { GatewayError } from '../../src/base/index.ts'
import { paceFrames } from '../../src/caller/index.ts'
import type { RunningGateway } from '../peers/index.ts'
import { Samples } from '../report/index.ts'
import type { Run } from './arguments.ts'
import { CallMaker, type UpCall } from './calls.ts'
import { attach, type DirectFlow, DirectionMeter, openDirectFlow } from './flows.ts'

/** All that was measured on one gateway, over all its turns. */
export class Tally {
  readonly toSip = new DirectionMeter()
  readonly toWeb = new DirectionMeter()
  readonly direct = new DirectionMeter()
  readonly setUpMs = new Samples()
  failed = 0
  talkedSeconds = 0
  /** CPU time of the gateway's processes while the calls talked, in ms; undefined if it is not known. */
  cpuMs: number | undefined = 0

  get meters(): readonly DirectionMeter[] {
    return [this.toSip, this.toWeb, this.direct]
  }
}

/**
 * One turn of a gateway: calls are set up, talk for `seconds`, and end.
 *
 * @throws GatewayError if an account cannot register or not one call comes up.
 */
export async function measure(gateway: RunningGateway, run: Run, seconds: number, tally: Tally): Promise<void> {
  const maker = await CallMaker.open(gateway.subject)
  const calls = await setUp(maker, gateway.name, run, tally)
  for (const call of calls) attach(call, tally.toSip, tally.toWeb)
  const flows = await Promise.all(Array.from({ length: run.direct }, () => openDirectFlow(tally.direct.receiver())))
  const stop = [...talk(calls, tally), ...hum(flows, tally.direct)]
  await wait(run.warmUpSeconds * 1_000)
  const before = gateway.cpuMs()
  for (const meter of tally.meters) meter.begin()
  await talkFor(seconds, gateway.name, tally)
  for (const meter of tally.meters) meter.end()
  const after = gateway.cpuMs()
  await wait(SETTLE_MS)
  for (const each of stop) each()
  for (const flow of flows) flow.close()
  await Promise.all(calls.map((call) => call.hangUp()))
  await maker.close()
  tally.talkedSeconds += seconds
  const used = before === undefined || after === undefined ? undefined : after - before
  tally.cpuMs = tally.cpuMs === undefined || used === undefined ? undefined : tally.cpuMs + used
}

async function setUp(maker: CallMaker, gateway: string, run: Run, tally: Tally): Promise<UpCall[]> {
  const calls: UpCall[] = []
  for (let n = 0; n < run.calls; n++) {
    try {
      const call = await maker.make(n % 2 === 0 ? 'web' : 'phone')
      tally.setUpMs.add(call.setUpMs)
      calls.push(call)
    } catch (error) {
      tally.failed++
      process.stderr.write(`\ncall ${n + 1}: ${error instanceof Error ? error.message : String(error)}\n`)
    }
    progress(`${gateway}: ${calls.length}/${run.calls} calls up`)
  }
  if (calls.length === 0) throw new GatewayError('CALL_REFUSED', `${gateway}: not one call came up`)
  return calls
}

/** Every call sends both ways each 20 ms; the calls are spread over that time as real ones are. */
function talk(calls: readonly UpCall[], { toSip, toWeb }: Tally): (() => void)[] {
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

async function talkFor(seconds: number, gateway: string, tally: Tally): Promise<void> {
  const startedAt = performance.now()
  for (let second = 1; second < seconds + 1; second++) {
    await wait(startedAt + Math.min(second, seconds) * 1_000 - performance.now())
    for (const meter of tally.meters) meter.closeSecond()
    const p99 = (meter: DirectionMeter): string => (meter.secondsP99Ms.at(-1) ?? 0).toFixed(2)
    progress(
      `${gateway}: ${Math.min(second, seconds)}/${seconds} s, p99 to SIP ${p99(tally.toSip)} ms, to WebRTC ${p99(tally.toWeb)} ms`,
    )
  }
  process.stderr.write('\n')
}

function progress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r${text.padEnd(100)}` : `${text}\n`)
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}

/** For the last packets to arrive. */
const SETTLE_MS = 500

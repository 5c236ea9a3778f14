import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { percentilesOf, rounded } from '../report/index.ts'
import type { GatewayOrder, GatewayUsage } from './gateway-process.ts'
import { CALLEE_HOST, CALLER_HOST, createLoad, type LoadResult } from './load.ts'

export interface CallsOptions {
  /** Calls per second; 0: as many as `concurrent` calls give. */
  readonly rate: number
  readonly seconds: number
  readonly warmUpSeconds: number
  /** From ACK to BYE. */
  readonly talkSeconds: number
  readonly concurrent: number
  readonly progress: (line: string) => void
}

export interface CallsMeasured {
  readonly result: LoadResult
  readonly seconds: number
  readonly callsPerSecond: number
  /** CPU time of the gateway process alone. */
  readonly cpuUsPerCall: number
  /** Of `cpuUsPerCall`, in the kernel. */
  readonly systemUsPerCall: number
  readonly coreShare: number
  /** What one core would carry at this cost. */
  readonly callsPerSecondPerCore: number
  readonly rssMiB: number
  readonly leftOver: Pick<GatewayUsage, 'calls' | 'transactions'>
}

const CHILD = fileURLToPath(new URL('./gateway-process.ts', import.meta.url))

/** Whole calls (INVITE, 180, 200, ACK, BYE, 200) through a gateway in its own process, UDP to UDP, media faked. */
export async function measureCalls(options: CallsOptions): Promise<CallsMeasured> {
  const load = await createLoad()
  const child = fork(CHILD, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [...process.execArgv, ...profiling()],
  })
  try {
    const port = await startGateway(child, {
      callerHost: CALLER_HOST,
      calleeHost: CALLEE_HOST,
      calleePort: load.calleePort,
    })
    options.progress(`warming up for ${options.warmUpSeconds} s`)
    await load.run(port, { ...options, seconds: options.warmUpSeconds })
    const before = await usage(child)
    const startedAt = performance.now()
    options.progress(`measuring for ${options.seconds} s`)
    const result = await load.run(port, options)
    const seconds = (performance.now() - startedAt) / 1_000
    const after = await usage(child)
    return summary(result, seconds, before, after)
  } finally {
    load.close()
    child.disconnect()
    await once(child, 'exit')
  }
}

/** `BENCH_PROFILE=DIR`: a CPU profile of the gateway is written there. */
function profiling(): readonly string[] {
  const dir = process.env.BENCH_PROFILE
  return dir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${dir}`]
}

function summary(result: LoadResult, seconds: number, before: GatewayUsage, after: GatewayUsage): CallsMeasured {
  const done = Math.max(1, result.complete)
  const cpuUs = after.cpuUs - before.cpuUs
  return {
    result,
    seconds: rounded(seconds, 2),
    callsPerSecond: rounded(result.complete / seconds, 1),
    cpuUsPerCall: rounded(cpuUs / done, 0),
    systemUsPerCall: rounded((after.systemUs - before.systemUs) / done, 0),
    coreShare: rounded(cpuUs / 1e6 / seconds, 3),
    callsPerSecondPerCore: rounded(1e6 / (cpuUs / done), 0),
    rssMiB: rounded(after.rssMiB, 0),
    leftOver: { calls: after.calls, transactions: after.transactions },
  }
}

/** The figures of the JSON. */
export function callFigures(measured: CallsMeasured) {
  const { result, leftOver, ...rest } = measured
  return {
    ...rest,
    begun: result.begun,
    complete: result.complete,
    failed: result.failed,
    repeated: result.repeated,
    callsLeft: leftOver.calls,
    setupMs: { ...percentilesOf(result.setupMs) },
    wholeMs: { ...percentilesOf(result.wholeMs) },
  }
}

async function startGateway(child: ChildProcess, order: GatewayOrder): Promise<number> {
  child.send(order)
  const [answer] = await once(child, 'message')
  return answer.port
}

async function usage(child: ChildProcess): Promise<GatewayUsage> {
  const answer = once(child, 'message')
  child.send('usage')
  return (await answer)[0]
}

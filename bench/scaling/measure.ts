import {
  type Engine,
  endsOf,
  familyOf,
  type Generator,
  type LoadPlan,
  type LoadResult,
  type Mode,
  type Network,
  newRun,
  type OpenCall,
  PACKETS_PER_CALL,
  wishes,
} from '../load/index.ts'
import type { Places } from './places.ts'

export interface Setting {
  readonly network: Network
  readonly generator: Generator
  readonly certificate: { readonly file: string; readonly fingerprint: string }
  readonly mode: Mode
  /** Packets per second of each relay thread. */
  readonly ppsPerThread: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

/** What was measured with one number of threads; a result for each generator, all of the same time. */
export interface Cell {
  readonly threads: number
  readonly name: string
  readonly places: Places
  readonly results: readonly LoadResult[]
}

const SOCKET_BUFFER_BYTES = 1_048_576
/** Two ports a call, and room between the generators. */
const PORTS_PER_GENERATOR = 12_000
const FIRST_PORT = 10_000

/** A relay of as many threads as `places` has cores for it, and a generator for each, every one with the same load. */
export async function measureThreads(engine: Engine, places: Places, setting: Setting): Promise<Cell> {
  const { network, certificate, mode } = setting
  const threads = places.relay.length
  const calls = Math.round(setting.ppsPerThread / PACKETS_PER_CALL)
  const relay = await engine.start({ network, ports: 'call', calls: calls * threads, cores: places.relay })
  try {
    const { fingerprint } = certificate
    const loads: OpenCall[][] = []
    for (let n = 0; n < threads; n++) {
      const firstPort = FIRST_PORT + n * Math.min(PORTS_PER_GENERATOR, Math.floor(50_000 / threads))
      const wished = wishes({
        ...{ mode, calls, phonePorts: 'own', fingerprint, firstPort },
        address: network.generatorAddress,
      })
      const opened: OpenCall[] = []
      for (const wish of wished) opened.push(await relay.open(wish))
      loads.push(opened)
    }
    const pids = familyOf(relay.pid)
    const results = await Promise.all(
      loads.map((opened, n) => setting.generator.run(planOf(opened, places, n, { setting, pids }))),
    )
    return { threads, name: relay.name, places, results }
  } finally {
    await relay.stop()
  }
}

function planOf(
  calls: readonly OpenCall[],
  places: Places,
  n: number,
  { setting, pids }: { readonly setting: Setting; readonly pids: readonly number[] },
): LoadPlan {
  const core = places.generators[n] ?? setting.network.generatorCore
  return {
    run: newRun(),
    core,
    certificate: setting.certificate.file,
    warmUpMs: setting.warmUpSeconds * 1_000,
    measureMs: setting.seconds * 1_000,
    socketBufferBytes: SOCKET_BUFFER_BYTES,
    watch: { core, pids },
    ends: endsOf(calls),
  }
}

import {
  type EndPlan,
  type Engine,
  endOf,
  endsOf,
  familyOf,
  type Generator,
  type LoadPlan,
  type LoadResult,
  type Network,
  newRun,
  type OpenCall,
  wishes,
} from '../load/index.ts'

export interface Setting {
  readonly network: Network
  readonly generator: Generator
  readonly certificate: { readonly file: string; readonly fingerprint: string }
  /** Calls that run all the time, web client to phone. */
  readonly calls: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

/** What was measured at one rate of joins. */
export interface Cell {
  readonly engine: string
  readonly name: string
  /** Joins begun per second. */
  readonly rate: number
  readonly result: LoadResult
}

const SOCKET_BUFFER_BYTES = 262_144
/** Ports of the joining clients are above those of the running calls. */
const FIRST_JOINING_PORT = 16_000
const LAST_PORT = 65_535

/** How many joins a generator with one address can play, each from a port of its own. */
export const MOST_JOINS = LAST_PORT - FIRST_JOINING_PORT

/** Opens all sessions, lets the running calls talk, and then clients join at even distances. */
export async function measureJoins(engine: Engine, rate: number, setting: Setting): Promise<Cell> {
  const { network, generator, certificate, calls, seconds } = setting
  const joins = Math.round(rate * seconds)
  const relay = await engine.start({ network, ports: 'call', calls: calls + joins })
  try {
    const frame = {
      mode: 'webrtc-rtp',
      address: network.generatorAddress,
      fingerprint: certificate.fingerprint,
    } as const
    const open = async (of: ReturnType<typeof wishes>): Promise<OpenCall[]> => {
      const opened: OpenCall[] = []
      for (const wish of of) opened.push(await relay.open(wish))
      return opened
    }
    const running = await open(wishes({ ...frame, calls, phonePorts: 'own' }))
    const joining = await open(wishes({ ...frame, calls: joins, phonePorts: 'shared', firstPort: FIRST_JOINING_PORT }))
    const plan: LoadPlan = {
      run: newRun(),
      core: network.generatorCore,
      certificate: certificate.file,
      warmUpMs: setting.warmUpSeconds * 1_000,
      measureMs: seconds * 1_000,
      socketBufferBytes: SOCKET_BUFFER_BYTES,
      watch: { core: network.relayCore, pids: familyOf(relay.pid) },
      ends: [...endsOf(running), ...joinersOf(joining, 2 * running.length, rate)],
    }
    return { engine: engine.key, name: relay.name, rate, result: await generator.run(plan) }
  } finally {
    await relay.stop()
  }
}

/** A client of each call joins, and its phone says nothing. */
function joinersOf(calls: readonly OpenCall[], first: number, rate: number): EndPlan[] {
  return calls.flatMap(({ wish, places }, n) => {
    const client = endOf(wish.ends[0], places[0], { group: 'joining', peer: first + 2 * n + 1 })
    const phone = endOf(wish.ends[1], places[1], { group: 'joining', peer: first + 2 * n })
    return [
      { ...client, joinAtUs: Math.round((n * 1e6) / rate) },
      { ...phone, silent: true },
    ]
  })
}

import {
  directEnds,
  type Engine,
  endsOf,
  familyOf,
  type Generator,
  type LoadGroup,
  type LoadPlan,
  type LoadResult,
  type Mode,
  memoryOf,
  type Network,
  newRun,
  type OpenCall,
  PACKETS_PER_CALL,
  type PhonePorts,
  type PortPolicy,
  wishes,
} from '../load/index.ts'

/** What all measurements of a run have in common. */
export interface Setting {
  readonly network: Network
  readonly generator: Generator
  readonly certificate: { readonly file: string; readonly fingerprint: string }
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly ports: PortPolicy
  readonly phonePorts: PhonePorts
}

export interface Load {
  readonly mode: Mode
  /** Packets per second, both directions together. */
  readonly pps: number
}

/** One measurement of one relay. */
export interface Cell extends Load {
  readonly engine: string
  readonly name: string
  readonly calls: number
  readonly result: LoadResult
  /** Growth of the relay's memory from no call to all of them talking, KiB per call. */
  readonly memoryKiBPerCall: number
}

/** Buffers of the generator's sockets: they must not be what loses a packet. */
const SOCKET_BUFFER_BYTES = 1_048_576

/** Starts the relay, opens calls, lets them talk, ends it. */
export async function measureCell(engine: Engine, load: Load, setting: Setting): Promise<Cell> {
  const { network, generator, certificate, ports, phonePorts } = setting
  const calls = Math.round(load.pps / PACKETS_PER_CALL)
  const relay = await engine.start({ network, ports, calls })
  try {
    const before = memoryOf(familyOf(relay.pid))
    const { fingerprint } = certificate
    const wished = wishes({ mode: load.mode, calls, address: network.generatorAddress, phonePorts, fingerprint })
    const opened: OpenCall[] = []
    for (const wish of wished) opened.push(await relay.open(wish))
    const pids = familyOf(relay.pid)
    const plan: LoadPlan = {
      ...frame(setting),
      core: network.generatorCore,
      certificate: certificate.file,
      watch: { core: network.relayCore, pids },
      ends: endsOf(opened),
    }
    const result = await generator.run(plan)
    const memoryKiBPerCall = (memoryOf(familyOf(relay.pid)) - before) / calls
    return { ...load, engine: engine.key, name: relay.name, calls, result, memoryKiBPerCall }
  } finally {
    await relay.stop()
  }
}

/** The same packets one way, from the generator straight to a process where the relay would be. */
export async function measureDirect(pps: number, setting: Setting): Promise<LoadGroup> {
  const { network, generator } = setting
  const ends = directEnds(Math.round(pps / 50), network.generatorAddress, network.relayAddress)
  const plan = frame(setting)
  const receiving = generator.run({ ...plan, core: network.relayCore, ends: ends.receivers }, network.atRelay)
  const sent = generator.run({ ...plan, core: network.generatorCore, ends: ends.senders })
  const [{ groups: there }, { groups: here }] = await Promise.all([receiving, sent])
  const group = there.find(({ name }) => name === 'direct')
  if (group === undefined) throw new Error('nothing came over the direct path')
  return { ...group, sent: here.reduce((sum, each) => sum + each.sent, 0) }
}

function frame(setting: Setting): Omit<LoadPlan, 'ends'> {
  return {
    run: newRun(),
    warmUpMs: setting.warmUpSeconds * 1_000,
    measureMs: setting.seconds * 1_000,
    socketBufferBytes: SOCKET_BUFFER_BYTES,
  }
}

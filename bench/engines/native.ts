import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNativeEngine, findMediaProgram } from '../../src/media/engines/native/index.ts'
import { type Engine, type EngineSetting, MODES, type RunningRelay } from '../load/index.ts'
import { openCall } from './media-engine.ts'

const FIRST_PORT = 20_000
/** RTP and RTCP of two legs. */
const PORTS_PER_CALL = 4
const SPARE_PORTS = 200
const FIRST_WEBRTC_PORT = 3_480

/** Our engine in Rust, as it is in a gateway, with one relay thread for each core. `BENCH_MEDIA_OPTIONS`: more of its options. */
export const native: Engine = {
  key: 'native',
  modes: MODES,
  missing: async () =>
    findMediaProgram() === undefined ? 'no trunkline-media program (npm run build makes it with cargo)' : undefined,
  start,
}

async function start(setting: EngineSetting): Promise<RunningRelay> {
  const { network, ports, calls } = setting
  const threads = setting.cores?.length ?? 1
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-bench-'))
  try {
    const own = ports === 'call' ? calls * PORTS_PER_CALL : 0
    const engine = await createNativeEngine({
      program: await placed(folder, setting),
      control: join(folder, 'media.sock'),
      advertise: [network.relayAddress],
      bind: network.relayAddress,
      webrtcPorts: { from: FIRST_WEBRTC_PORT, to: FIRST_WEBRTC_PORT + threads - 1 },
      rtpPorts: { from: FIRST_PORT, to: FIRST_PORT + own + SPARE_PORTS - 1 },
      threads,
      sessions: calls + 100,
    })
    return {
      name: `Trunkline, ${engine.about}`,
      pid: Number(await readFile(join(folder, 'pid'), 'latin1')),
      open: (wish) => openCall(engine, wish, ports),
      stop: async () => {
        await engine.stop()
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** A program that starts the engine's where the relay is to be, and says what process it is. */
async function placed(folder: string, { network, ports, cores = [network.relayCore] }: EngineSetting): Promise<string> {
  const program = findMediaProgram()
  if (program === undefined) throw new Error('there is no trunkline-media program')
  const more = ['--tcp-port', 'none', ...(ports === 'shared' ? ['--shared-ports', '2'] : [])]
  const given = process.env.BENCH_MEDIA_OPTIONS?.split(' ') ?? []
  const [command, args] = network.onCores(cores, program.path, ['"$@"', ...more, ...given])
  const path = join(folder, 'trunkline-media')
  await writeFile(path, `#!/bin/sh\necho $$ > ${folder}/pid\nexec ${[command, ...args].join(' ')}\n`, { mode: 0o700 })
  return path
}

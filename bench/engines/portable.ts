import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { VERSION } from '../../src/version.ts'
import {
  type CallWish,
  type Engine,
  type EngineSetting,
  MODES,
  type OpenCall,
  type RunningRelay,
} from '../load/index.ts'
import type { PortableOrder, PortableReply } from './portable-process.ts'

/** The engine in TypeScript. `BENCH_PROFILE=DIR`: a CPU profile of it is written there. */
export const portable: Engine = { key: 'portable', modes: MODES, missing: async () => undefined, start }

async function start({ network, ports, calls }: EngineSetting): Promise<RunningRelay> {
  const script = fileURLToPath(new URL('./portable-process.ts', import.meta.url))
  const [command, args] = network.onCores([network.relayCore], process.execPath, [
    '--import',
    'tsx',
    ...profiling(),
    script,
  ])
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const rtpPorts = { from: 20_000, to: 20_000 + calls * 4 + 99 }
  await ask(child, { address: network.relayAddress, rtpPorts, ports })
  return {
    name: `Trunkline ${VERSION}, portable engine`,
    pid: child.pid ?? 0,
    open: async (wish) => (await ask(child, wish)) as OpenCall,
    stop: async () => {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

function profiling(): readonly string[] {
  const dir = process.env.BENCH_PROFILE
  return dir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${dir}`]
}

/** One question at a time. */
async function ask(child: ChildProcess, question: PortableOrder | CallWish): Promise<OpenCall | undefined> {
  const ended = new AbortController()
  const answer = Promise.race([
    once(child, 'message', { signal: ended.signal }),
    once(child, 'exit', { signal: ended.signal }).then(() => Promise.reject(new Error('the portable engine ended'))),
  ])
  child.send(question)
  const [{ opened, error }] = (await answer.finally(() => ended.abort())) as [PortableReply]
  if (error !== undefined) throw new Error(error)
  return opened
}

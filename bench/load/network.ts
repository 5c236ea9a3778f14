import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

/** Where generator and relay live. Cores: the generator has core 0, the relay core 1. */
export interface Network {
  /** For people. */
  readonly name: string
  readonly isIsolated: boolean
  readonly generatorAddress: string
  readonly relayAddress: string
  readonly generatorCore: number
  readonly relayCore: number
  /** Command line of a program at the relay's place; the program dies with this process. */
  atRelay(command: string, args: readonly string[]): [string, string[]]
  /** The same, bound to these cores. */
  onCores(cores: readonly number[], command: string, args: readonly string[]): [string, string[]]
  close(): void
}

/** Set where this process already is in a network namespace of its own. */
const MARK = 'TRUNKLINE_BENCH_NAMESPACE'
/** Addresses for benchmarks (RFC 2544). */
const GENERATOR = '198.18.0.1'
const RELAY = '198.18.0.2'

/**
 * Runs this program again in a network namespace of its own, if it may make one; else does nothing.
 *
 * Namespaces have no names: they are gone with the last process in them, however it ended.
 *
 * @returns The exit status of that run; `undefined`: this process is to do the work.
 */
export async function runIsolated(script: string): Promise<number | undefined> {
  if (process.env[MARK] !== undefined || !canIsolate()) return undefined
  const argv = ['--net', process.execPath, ...process.execArgv, fileURLToPath(script), ...process.argv.slice(2)]
  const child = spawn('unshare', argv, { stdio: 'inherit', env: { ...process.env, [MARK]: '1' } })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)))
}

function canIsolate(): boolean {
  const tools = ['ip', 'nsenter', 'taskset', 'setpriv']
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  if (tools.some((tool) => spawnSync(tool, ['--version']).error !== undefined)) return false
  return spawnSync('unshare', ['--net', 'true']).status === 0
}

/** Two network namespaces joined by veth where this process has one of its own, else loopback. */
export function openNetwork(): Network {
  const cores = availableParallelism()
  const [generatorCore, relayCore] = [0, cores > 1 ? 1 : 0]
  bindOurselves(generatorCore)
  if (process.env[MARK] === undefined) return loopback({ generatorCore, relayCore })
  const other = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', 'infinity'], { stdio: 'ignore' })
  try {
    const pid = joinByVeth(other)
    const atRelay = (command: string, args: readonly string[]): [string, string[]] => [
      'setpriv',
      ['--pdeathsig', 'KILL', 'nsenter', `--net=/proc/${pid}/ns/net`, command, ...args],
    ]
    return {
      name: 'veth between two network namespaces',
      isIsolated: true,
      generatorAddress: GENERATOR,
      relayAddress: RELAY,
      generatorCore,
      relayCore,
      atRelay,
      onCores: (on, command, args) => atRelay('taskset', ['-c', on.join(','), command, ...args]),
      close: () => void other.kill('SIGKILL'),
    }
  } catch (error) {
    other.kill('SIGKILL')
    throw error
  }
}

function loopback(cores: { readonly generatorCore: number; readonly relayCore: number }): Network {
  const hasTools = process.platform === 'linux' && spawnSync('taskset', ['--version']).error === undefined
  return {
    name: 'loopback: no root, so no network namespaces; figures are not comparable with those over veth',
    isIsolated: false,
    generatorAddress: '127.0.0.1',
    relayAddress: '127.0.0.2',
    ...cores,
    atRelay: (command, args) => [command, [...args]],
    onCores: (on, command, args) =>
      hasTools ? ['taskset', ['-c', on.join(','), command, ...args]] : [command, [...args]],
    close: () => {},
  }
}

/** @returns Process id of the one that keeps the other namespace. */
function joinByVeth(other: ChildProcess): number {
  const pid = other.pid
  if (pid === undefined) throw new Error('cannot start unshare')
  const deadline = performance.now() + 5_000
  while (namespaceOf(pid) === namespaceOf(process.pid)) {
    if (performance.now() > deadline) throw new Error('the second network namespace did not come')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  }
  const inside = ['nsenter', `--net=/proc/${pid}/ns/net`]
  for (const command of [
    'ip link set lo up',
    `ip link add bench0 type veth peer name bench1 netns ${pid}`,
    `ip addr add ${GENERATOR}/24 dev bench0`,
    'ip link set bench0 up',
  ]) {
    must(command.split(' '))
  }
  for (const command of ['ip link set lo up', `ip addr add ${RELAY}/24 dev bench1`, 'ip link set bench1 up']) {
    must([...inside, ...command.split(' ')])
  }
  return pid
}

function namespaceOf(pid: number): string {
  return spawnSync('readlink', [`/proc/${pid}/ns/net`]).stdout.toString()
}

function must([command = '', ...args]: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args)
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')}: ${stderr?.toString() ?? 'cannot be started'}`)
}

/** This process must not disturb the core of the relay. */
function bindOurselves(core: number): void {
  if (process.platform === 'linux') spawnSync('taskset', ['-apc', `${core}`, `${process.pid}`])
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { GatewayError } from '../../../base/index.ts'
import type { MediaLog } from '../portable/config.ts'
import type { NativeConfig } from './config.ts'

/** A keeper that we started. */
export interface Keeper {
  /** Settles when the process has ended. */
  readonly ended: Promise<void>
  kill(): void
}

/** Starts a keeper that serves at a path. */
export type Launch = (control: string) => Promise<Keeper>

/**
 * Starts keepers of a program, each in a session of its own: neither a signal to our terminal nor our death reaches it.
 *
 * @throws GatewayError `LISTEN_FAILED`: what it said when it could not start.
 */
export function launcher(program: string, config: NativeConfig): Launch {
  return async (control) => {
    const { log } = config
    const child = spawn(program, ['keep', ...keeperArguments(control, config)], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: '/',
    })
    const ended = new Promise<void>((done) => {
      child.once('exit', () => done())
      child.once('error', () => done())
    })
    passOn(child, log)
    await ready(child)
    return { ended, kill: () => void child.kill('SIGKILL') }
  }
}

/** The command line of `trunkline-media keep`; what is not configured has its default there. */
export function keeperArguments(control: string, config: NativeConfig): readonly string[] {
  const { webrtcPorts, rtpPorts, advertise = [] } = config
  const options: readonly (readonly [name: string, value: string | number | undefined])[] = [
    ['--control', control],
    ['--webrtc-ports', `${webrtcPorts.from}-${webrtcPorts.to}`],
    ['--rtp-ports', `${rtpPorts.from}-${rtpPorts.to}`],
    ['--advertise', advertise.length === 0 ? undefined : advertise.join(',')],
    ['--bind', config.bind],
    ['--threads', config.threads],
    ['--io', config.io],
    ['--max-sessions', config.sessions],
    ['--quarantine-ms', config.quarantineMs],
    ['--silence-ms', config.silenceMs],
    ['--quality-ms', config.qualityMs],
    ['--consent-ms', config.consentMs],
    ['--latch', config.latch],
  ]
  const given = options.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]))
  return config.testClock === true ? [...given, '--test-clock'] : given
}

/** Waits for the one line that a keeper says on standard output. */
async function ready(child: ChildProcess): Promise<void> {
  const { stdout } = child
  if (stdout === null) return
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS)
  const failed = once(child, 'exit').then(([code, signal]) => `it ended with ${code ?? signal}`)
  const line = once(createInterface({ input: stdout }), 'line').then(([text]) => problemIn(String(text)))
  try {
    // The line is read before the end is noticed: it says more.
    const problem = await Promise.race([line, failed.then((end) => Promise.race([line, soon(end)]))])
    if (problem === undefined) return
    child.kill('SIGTERM') // Its relays end with it.
    throw new GatewayError('LISTEN_FAILED', `the media engine did not start: ${problem}`)
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown
    throw new GatewayError('MEDIA_ENGINE_MISSING', `the media engine cannot be run: ${thrown}`, { cause: thrown })
  } finally {
    clearTimeout(timer)
    stdout.destroy()
  }
}

/** @returns Why the keeper is not ready; `undefined`: it is. */
function problemIn(line: string): string | undefined {
  const said = readJson(line)
  if (said?.ready !== true) return String(said?.why ?? line)
  return said.pairs === 0 ? 'none of the RTP ports could be opened' : undefined
}

/** What the engine notes on standard error, as lines of our log; nobody else reads it. */
function passOn({ stderr }: ChildProcess, log: MediaLog | undefined): void {
  if (stderr === null) return
  createInterface({ input: stderr }).on('line', (line) => {
    const { level, msg, ...facts } = readJson(line) ?? { level: 'warn', msg: line }
    log?.[level === 'info' ? 'info' : 'warn'](facts, `media engine: ${msg}`)
  })
}

function readJson(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function soon<T>(value: T): Promise<T> {
  return new Promise((done) => void setImmediate(() => setImmediate(() => done(value))))
}

/** Ten thousand ports take a while to open on a small machine. */
const READY_MS = 30_000

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GatewayError } from '../../src/base/index.ts'
import type { Key } from './model.ts'

/** What `trunkline-load` reads (native/crates/load/src/plan.rs). Addresses are `HOST:PORT`, times in its units. */
export interface LoadPlan {
  readonly run: number
  readonly core?: number
  readonly warmUpMs: number
  readonly measureMs: number
  readonly drainMs?: number
  readonly intervalUs?: number
  readonly socketBufferBytes?: number
  readonly certificate?: string
  readonly watch?: { readonly core: number; readonly pids: readonly number[] }
  readonly ends: readonly EndPlan[]
}

export interface EndPlan {
  readonly bind?: string
  readonly remote?: string
  readonly group: string
  readonly peer: number
  readonly payloadType?: number
  readonly srtp?: { readonly send: Key; readonly receive: Key }
  readonly webrtc?: {
    readonly localUfrag: string
    readonly remoteUfrag: string
    readonly remotePwd: string
    readonly fingerprintAlgorithm: string
    readonly fingerprint: string
  }
  readonly joinAtUs?: number
  readonly silent?: boolean
}

/** A histogram's figures; `buckets`: (largest value, how many), ascending. */
export interface LoadSummary {
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly buckets: readonly (readonly [number, number])[]
}

export interface LoadGroup {
  readonly name: string
  readonly sent: number
  readonly received: number
  readonly duplicates: number
  readonly reordered: number
  readonly misrouted: number
  readonly latencyUs: LoadSummary
}

export interface LoadResult {
  readonly keptPace: boolean
  readonly latenessUs: LoadSummary
  readonly groups: readonly LoadGroup[]
  readonly rtcp: number
  readonly strays: number
  readonly refused: number
  readonly unsent: number
  readonly ownDropped: number
  readonly connected: number
  readonly failures: readonly string[]
  readonly joins: {
    readonly started: number
    readonly completed: number
    readonly perSecond: number
    readonly handshakeUs: LoadSummary
    readonly joinUs: LoadSummary
    readonly dtls: string | null
  } | null
  readonly usage: {
    readonly wallUs: number
    readonly coreBusyUs: number
    readonly coreStolenUs: number
    readonly processUs: number
    /** CPU time of the generator itself. */
    readonly ownUs: number
    readonly waitingUs: number | null
    readonly dropped: number
  } | null
}

/** Puts a command line at the place where it is to run. */
export type Placing = (command: string, args: readonly string[]) => [string, string[]]

const HERE: Placing = (command, args) => [command, [...args]]

/** The load generator's program. */
export class Generator {
  readonly #program: string
  readonly #folder: string
  #plans = 0

  private constructor(program: string, folder: string) {
    this.#program = program
    this.#folder = folder
  }

  static async open(program: string): Promise<Generator> {
    return new Generator(program, await mkdtemp(join(tmpdir(), 'trunkline-load-')))
  }

  /** Makes the certificate that all WebRTC clients show. */
  async certificate(): Promise<{ readonly file: string; readonly fingerprint: string }> {
    const file = join(this.#folder, 'certificate')
    return { file, fingerprint: (await this.#run(HERE, ['certificate', file])).trim() }
  }

  /** @throws GatewayError with what the generator said, if it cannot run the plan to its end. */
  async run(plan: LoadPlan, place: Placing = HERE): Promise<LoadResult> {
    const file = join(this.#folder, `plan-${this.#plans++}.json`)
    await writeFile(file, JSON.stringify(plan), { mode: 0o600 })
    return JSON.parse(await this.#run(place, [file])) as LoadResult
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #run(place: Placing, args: readonly string[]): Promise<string> {
    const child = spawn(...place(this.#program, args), { stdio: ['ignore', 'pipe', 'pipe'] })
    const end = (): void => void child.kill('SIGKILL')
    process.once('exit', end)
    let [text, errors] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString()
    })
    const [code] = await once(child, 'close')
    process.off('exit', end)
    if (code !== 0) throw new GatewayError('INTERNAL', errors.trim() || `the load generator ended with ${code}`)
    return text
  }
}

/** A number for a run; below 2^53, so that JSON keeps it. */
export function newRun(): number {
  return Math.floor(Math.random() * 2 ** 52)
}

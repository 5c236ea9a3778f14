import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child.ts'
import { eventually } from './eventually.ts'
import { freePort } from './ports.ts'
import { sine } from './tone.ts'

export interface SippOptions {
  /** Name of a file in `test/interop/scenarios`, without `.xml`. */
  readonly scenario: string
  /** `HOST:PORT` of the gateway; needed by scenarios that call. */
  readonly gateway?: string
  /** The user part it calls, for scenarios that call. */
  readonly calls?: string
  readonly address?: string
  readonly port?: number
  readonly transport?: 'u1' | 't1'
  /** Calls made or taken before it ends. Default 1. */
  readonly count?: number
  /** Calls per second, for scenarios that call. */
  readonly ratePerSecond?: number
  /** Sends all audio back to where it came from. */
  readonly echo?: boolean
  /** The tone it plays, in Hz, for scenarios with `rtp_stream`. */
  readonly toneHz?: number
  /** User and password for digest. */
  readonly auth?: { readonly user: string; readonly password: string }
  readonly keys?: Readonly<Record<string, string>>
  /** Words of the scenario that this test replaces (sipp has no keywords in its attributes). */
  readonly words?: Readonly<Record<string, string>>
  readonly netns?: string
}

export interface Sipp {
  readonly port: number
  readonly child: Child
  /** Ends well when every call ended as the scenario says. Throws with sipp's own words otherwise. */
  succeeded(timeoutMs?: number): Promise<void>
  stop(): Promise<void>
}

/** A real sipp running one of the project's scenarios, as carrier or as phone. */
export async function startSipp(options: SippOptions): Promise<Sipp> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-sipp-'))
  const address = options.address ?? '127.0.0.1'
  const port = options.port ?? (await freePort())
  const mediaPort = await freePort()
  await writeFile(join(folder, 'tone.pcmu'), pcmu(sine(options.toneHz ?? 440, 60)))
  await writeFile(join(folder, 'scenario.xml'), await scenarioText(options))
  const child = startChild('sipp', argumentsOf(options, address, port, mediaPort - (mediaPort % 2)), {
    cwd: folder,
    ...(options.netns === undefined ? {} : { netns: options.netns }),
  })
  // Over UDP what comes too early is sent again.
  if (options.transport === 't1' && options.gateway === undefined) await eventually(() => connects(address, port))
  return {
    port,
    child,
    async succeeded(timeoutMs = 30_000) {
      const status = await child.exited(timeoutMs)
      if (status !== 0)
        throw new Error(`sipp ${options.scenario} ended with ${status}:\n${child.output().slice(-6_000)}`)
    },
    async stop() {
      await child.stop('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function connects(host: string, port: number): Promise<void> {
  const socket = connect({ host, port })
  await once(socket, 'connect').finally(() => socket.destroy())
}

async function scenarioText(options: SippOptions): Promise<string> {
  const file = fileURLToPath(new URL(`../scenarios/${options.scenario}.xml`, import.meta.url))
  let text = await readFile(file, 'latin1')
  for (const [word, by] of Object.entries(options.words ?? {})) text = text.replaceAll(word, by)
  return text
}

function argumentsOf(options: SippOptions, address: string, port: number, mediaPort: number): string[] {
  const args = ['-sf', 'scenario.xml', '-i', address, '-p', String(port), '-mi', address, '-mp', String(mediaPort)]
  args.push(
    '-m',
    String(options.count ?? 1),
    '-t',
    options.transport ?? 'u1',
    '-nostdin',
    '-trace_err',
    '-recv_timeout',
    '15000',
  )
  args.push('-key', 'address', address)
  if (options.ratePerSecond !== undefined) args.push('-r', String(options.ratePerSecond), '-l', '1000')
  if (options.echo) args.push('-rtp_echo')
  if (options.calls !== undefined) args.push('-s', options.calls)
  if (options.auth) args.push('-au', options.auth.user, '-ap', options.auth.password)
  for (const [name, value] of Object.entries(options.keys ?? {})) args.push('-key', name, value)
  if (options.gateway !== undefined) args.push(options.gateway)
  return args
}

/** G.711 µ-law, one byte per sample (ITU-T G.711), the only form sipp plays. */
function pcmu(samples: Float32Array): Buffer {
  return Buffer.from(Uint8Array.from(samples, (sample) => mulaw(Math.round(sample * 32_767))))
}

function mulaw(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), 32_635) + 132
  const exponent = 31 - Math.clz32(magnitude) - 7
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff
}

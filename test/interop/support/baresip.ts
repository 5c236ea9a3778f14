import { readdirSync, readFileSync, statSync, watch } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bounded, type Child, startChild } from './child.ts'
import { netstringReader, writeNetstring } from './netstring.ts'
import { freePhonePort, freePort, hostPort } from './ports.ts'
import { sine } from './tone.ts'
import { type Pcm, readWav, writeWav } from './wav.ts'

/** Longer than any call of a test: baresip plays a file once. */
const MICROPHONE_SECONDS = 90

export interface BaresipOptions {
  readonly user: string
  readonly domain: string
  readonly password: string
  /** `HOST:PORT` of the gateway's SIP listener. */
  readonly registrar: string
  readonly transport?: 'udp' | 'tcp' | 'tls'
  /** File of the CA it trusts. */
  readonly ca?: string
  /** `false`: only calls, does not register. */
  readonly register?: boolean
  /** The tone it sends as its microphone, in Hz. */
  readonly toneHz: number
  readonly answer: 'auto' | 'manual'
  /** Address it binds to. */
  readonly address?: string
  /** Codecs in order, as baresip names them; default PCMU, PCMA. */
  readonly codecs?: string
  /** Further parameters of its account, such as `mediaenc=srtp`. */
  readonly account?: readonly string[]
  /** Its SIP port; default a free one. */
  readonly sipPort?: number
  readonly netns?: string
}

export interface BaresipEvent {
  readonly type: string
  readonly param?: string
  readonly peeruri?: string
}

export interface Baresip {
  /** Resolves when the registrar has taken it. */
  registered(): Promise<void>
  /** Resolves when it has ended that many calls, whoever hung up. */
  ended(calls: number): Promise<void>
  /** Waits for the next event of that type that was not taken before. */
  event(type: string, timeoutMs?: number): Promise<BaresipEvent>
  command(command: string, params?: string): Promise<string>
  /** Resolves when its newest call has recorded that many seconds of what it hears. */
  hasHeard(seconds: number, timeoutMs?: number): Promise<void>
  /** What it heard in its calls, as soon as they ended. */
  heard(): Promise<Pcm[]>
  log(): string
  /** As if its power failed: nobody is told. */
  kill(): void
  stop(): Promise<void>
}

/** A real baresip with a tone as microphone and a recording of what it hears, driven over its control connection. */
export async function startBaresip(options: BaresipOptions): Promise<Baresip> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-baresip-'))
  const recordings = join(folder, 'heard')
  await mkdir(recordings)
  const microphone = join(folder, 'microphone.wav')
  await writeFile(microphone, writeWav(sine(options.toneHz, MICROPHONE_SECONDS), 8000))
  const address = options.address ?? '127.0.0.1'
  const controlPort = await freePort(address)
  await writeFile(
    join(folder, 'config'),
    configFile({
      address,
      sipPort: options.sipPort ?? (await freePhonePort(address)),
      controlPort,
      recordings,
      microphone,
      ca: options.ca,
    }),
  )
  await writeFile(join(folder, 'accounts'), accountLine(options))
  await writeFile(join(folder, 'contacts'), '')
  const child = startChild('baresip', ['-f', folder], options.netns === undefined ? {} : { netns: options.netns })
  await child.sees(/baresip is ready/)
  const control = await openControl(controlPort, address, child)
  return {
    // Not the event: it may come before anybody listens.
    registered: async () => void (await child.sees(/\[\d+ bindings?\]/)),
    // Not what it prints: of a call that it ends in its first second it prints nothing.
    ended: (calls) => control.closed(calls),
    event: control.event,
    command: control.command,
    hasHeard: (seconds, timeoutMs = 15_000) =>
      bounded(
        `baresip to hear ${seconds} s`,
        timeoutMs,
        () => child.output(),
        (resolve) => {
          const look = (): void => {
            const newest = recordingsIn(recordings).at(-1)
            if (newest !== undefined && statSync(newest).size > seconds * bytesPerSecond(newest)) resolve()
          }
          const watcher = watch(recordings, look)
          look()
          return () => watcher.close()
        },
      ),
    heard: () => Promise.all(recordingsIn(recordings).map(async (file) => readWav(await readFile(file)))),
    log: () => child.output(),
    kill: () => void child.process.kill('SIGKILL'),
    async stop() {
      control.close()
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Places {
  readonly address: string
  readonly sipPort: number
  readonly controlPort: number
  readonly recordings: string
  readonly microphone: string
  readonly ca: string | undefined
}

function recordingsIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('-dec.wav'))
  return names.sort().map((name) => join(folder, name))
}

/** Of a WAV file, from its header. */
function bytesPerSecond(file: string): number {
  const header = readFileSync(file).subarray(0, 44)
  return header.length < 44 ? Number.POSITIVE_INFINITY : header.readUInt32LE(28)
}

function configFile(places: Places): string {
  const { address, sipPort, controlPort, recordings, microphone, ca } = places
  return [
    'poll_method epoll',
    `sip_listen ${hostPort(address, sipPort)}`,
    ...(ca === undefined ? [] : [`sip_cafile ${ca}`]),
    'audio_player aubridge,sink',
    // The microphone's, whatever the codec.
    'ausrc_srate 8000',
    'ausrc_channels 1',
    `audio_source aufile,${microphone}`,
    'audio_alert aubridge,alert',
    'call_max_calls 4',
    'call_local_timeout 120',
    'module_path /usr/lib/baresip/modules',
    ...['g711.so', 'g722.so', 'opus.so', 'srtp.so', 'aufile.so', 'aubridge.so', 'sndfile.so'].map(
      (name) => `module ${name}`,
    ),
    'module_tmp uuid.so',
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    `ctrl_tcp_listen ${hostPort(address, controlPort)}`,
    `snd_path ${recordings}`,
    '',
  ].join('\n')
}

function accountLine(options: BaresipOptions): string {
  const transport = options.transport ?? 'udp'
  return [
    `<sip:${options.user}@${options.domain};transport=${transport}>`,
    `auth_user=${options.user}`,
    `auth_pass=${options.password}`,
    `outbound="sip:${options.registrar};transport=${transport}"`,
    `regint=${options.register === false ? 0 : 600}`,
    `answermode=${options.answer}`,
    `audio_codecs=${options.codecs ?? 'PCMU,PCMA'}`,
    ...(options.account ?? []),
    'ptime=20\n',
  ].join(';')
}

interface Control {
  event(type: string, timeoutMs?: number): Promise<BaresipEvent>
  /** Resolves when that many calls have ended since the start, taken events included. */
  closed(calls: number): Promise<void>
  command(command: string, params?: string): Promise<string>
  close(): void
}

async function openControl(port: number, host: string, child: Child): Promise<Control> {
  const socket = await dialed(port, host)
  const events: BaresipEvent[] = []
  let closedCalls = 0
  const answers = new Map<string, (text: string) => void>()
  const watchers = new Set<() => void>()
  const read = netstringReader()
  socket.on('data', (chunk) => {
    for (const text of read(chunk)) {
      const message = JSON.parse(text) as { event?: boolean; token?: string; data?: string } & BaresipEvent
      if (message.event && message.type === 'CALL_CLOSED') closedCalls++
      if (message.event) events.push(message)
      else answers.get(message.token ?? '')?.(message.data ?? '')
    }
    for (const watcher of watchers) watcher()
  })
  socket.on('error', () => undefined)
  let token = 0
  return {
    event: (type, timeoutMs = 10_000) =>
      bounded(
        `baresip event ${type}`,
        timeoutMs,
        () => `seen: ${JSON.stringify(events)}\n${child.output()}`,
        (resolve) => {
          const look = (): void => {
            const at = events.findIndex((event) => event.type === type)
            const found = events[at]
            if (!found) return
            events.splice(at, 1)
            resolve(found)
          }
          watchers.add(look)
          look()
          return () => watchers.delete(look)
        },
      ),
    closed: (calls) =>
      bounded(
        `${calls} calls of baresip to end`,
        10_000,
        () => `seen: ${JSON.stringify(events)}\n${child.output()}`,
        (resolve) => {
          const look = (): void => {
            if (closedCalls >= calls) resolve(undefined)
          }
          watchers.add(look)
          look()
          return () => watchers.delete(look)
        },
      ),
    command: (command, params = '') =>
      bounded(`baresip to answer ${command}`, 5_000, child.output, (resolve) => {
        const id = String(++token)
        answers.set(id, resolve)
        socket.write(writeNetstring(JSON.stringify({ command, params, token: id })))
        return undefined
      }),
    close: () => socket.destroy(),
  }
}

function dialed(port: number, host: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => resolve(socket))
    socket.once('error', reject)
  })
}

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LocalRtpSide, LocalWebRtcSide, OpenedSession, SideStats } from '../../src/media/index.ts'
import { BrowserEnd, medium, PCMU, rtpMedium, rtpPacket, UdpEnd } from '../../test/support/media-peers.ts'
import { Samples } from '../report/index.ts'
import type { EngineOrder, EngineReply, EngineRequest, EngineUsage } from './engine-process.ts'

export interface LoadOptions {
  readonly calls: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly progress: (line: string) => void
}

/** One direction of all calls together. */
export interface Direction {
  sent: number
  received: number
  /** From the call to send until the datagram was read, in ms. */
  readonly latencyMs: Samples
}

export interface LoadResult {
  readonly toPhone: Direction
  readonly toBrowser: Direction
  readonly cpuUs: number
  readonly wallMs: number
  readonly rssMiB: number
  readonly discarded: number
}

type Request = EngineRequest extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never

/** The engine in a process of its own. */
class RemoteEngine {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (reply: EngineReply) => void>()
  #next = 1

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (reply: EngineReply) => {
      this.#waiting.get(reply.id)?.(reply)
      this.#waiting.delete(reply.id)
    })
  }

  static async start(order: EngineOrder): Promise<RemoteEngine> {
    const script = fileURLToPath(new URL('./engine-process.ts', import.meta.url))
    const engine = new RemoteEngine(fork(script, { execArgv: ['--import', 'tsx', ...profiling()] }))
    const ready = new Promise((resolve) => engine.#waiting.set(0, resolve))
    engine.#child.send(order)
    await ready
    return engine
  }

  async ask<T>(request: Request): Promise<T> {
    const id = this.#next++
    const reply = await new Promise<EngineReply>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#child.send({ ...request, id })
    })
    if (reply.error !== undefined) throw new Error(reply.error)
    return reply.result as T
  }

  stop(): void {
    this.#child.disconnect()
  }
}

/** `BENCH_PROFILE=DIR`: a CPU profile of the engine is written there. */
function profiling(): readonly string[] {
  const dir = process.env.BENCH_PROFILE
  return dir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${dir}`]
}

interface Call {
  readonly browser: BrowserEnd
  readonly phone: UdpEnd
  readonly port: number
}

/** G.711 calls between a browser (DTLS-SRTP) and a phone (RTP), 50 packets a second each way. */
export async function measureRelay(options: LoadOptions): Promise<LoadResult> {
  const rtpPorts = { from: 24_000, to: 24_000 + options.calls * 2 + 99 }
  const engine = await RemoteEngine.start({ webrtcPorts: { from: 0, to: 0 }, rtpPorts })
  const directions = { toPhone: direction(), toBrowser: direction() }
  const calls: Call[] = []
  for (let n = 0; n < options.calls; n++) calls.push(await establish(engine, `call-${n}`, directions))
  options.progress(`${calls.length} calls are up`)

  const stop = talk(calls, directions)
  await seconds(options.warmUpSeconds)
  const before = await engine.ask<EngineUsage>({ method: 'usage', args: [] })
  const beganAt = performance.now()
  reset(directions)
  for (let n = 1; n <= options.seconds; n++) {
    await seconds(1)
    options.progress(`${n} s: ${directions.toPhone.received + directions.toBrowser.received} packets`)
  }
  const after = await engine.ask<EngineUsage>({ method: 'usage', args: [] })
  const wallMs = performance.now() - beganAt
  stop()
  await seconds(0.3) // What is still under way counts as received.
  const discarded = await discardedBy(engine, calls.length)
  for (const { browser, phone } of calls) {
    browser.close()
    phone.close()
  }
  engine.stop()
  return { ...directions, cpuUs: after.cpuUs - before.cpuUs, wallMs, rssMiB: after.rssMiB, discarded }
}

async function establish(
  engine: RemoteEngine,
  id: string,
  directions: Record<'toPhone' | 'toBrowser', Direction>,
): Promise<Call> {
  const browser = await BrowserEnd.open()
  const phone = await UdpEnd.open()
  const sides = [
    { kind: 'webrtc', id: 'a', media: ['audio'] },
    { kind: 'rtp', id: 'b', media: ['audio'], towards: '127.0.0.1' },
  ] as const
  const opened = await engine.ask<OpenedSession>({ method: 'open', args: [{ id, sides }] })
  const [webrtc, rtp] = opened.sides as [LocalWebRtcSide, LocalRtpSide]
  const remote = browser.remote('active', [medium([PCMU])])
  await engine.ask({ method: 'change', args: [id, { kind: 'remote', side: 'a', remote }] })
  const phoneRemote = { kind: 'rtp', media: [rtpMedium(phone)] } as const
  await engine.ask({ method: 'change', args: [id, { kind: 'remote', side: 'b', remote: phoneRemote }] })
  await engine.ask({ method: 'change', args: [id, { kind: 'connect', side: 'a', to: { kind: 'side', side: 'b' } }] })
  await browser.connect(webrtc, 'active')
  browser.rtp.tap((packet) => arrive(directions.toBrowser, packet))
  phone.received.tap((packet) => {
    if (packet.length > 100) arrive(directions.toPhone, packet)
  })
  return { browser, phone, port: rtp.media[0]?.port ?? 0 }
}

/** Every call sends each 20 ms, spread over the interval; a late timer sends what is due. */
function talk(calls: readonly Call[], { toPhone, toBrowser }: Record<'toPhone' | 'toBrowser', Direction>): () => void {
  const beganAt = performance.now()
  let done = 0
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - beganAt) / 20) * calls.length)
    for (; done < due; done++) {
      const call = calls[done % calls.length]
      const n = Math.floor(done / calls.length)
      if (call === undefined) return
      call.browser.sendRtp(stamped(n, 0x1000))
      call.phone.send(stamped(n, 0x2000), call.port)
      toPhone.sent++
      toBrowser.sent++
    }
  }, 1)
  return () => clearInterval(timer)
}

function stamped(n: number, ssrc: number): Buffer {
  const payload = Buffer.alloc(160, 0xff)
  payload.writeDoubleBE(performance.now(), 0)
  return rtpPacket({ sequence: n, timestamp: n * 160, ssrc, payload })
}

function arrive(direction: Direction, packet: Buffer): void {
  direction.received++
  direction.latencyMs.add(performance.now() - packet.readDoubleBE(packet.length - 160))
}

function direction(): Direction {
  return { sent: 0, received: 0, latencyMs: new Samples() }
}

function reset(directions: Record<string, Direction>): void {
  for (const each of Object.values(directions)) {
    each.sent = 0
    each.received = 0
    each.latencyMs.clear()
  }
}

async function discardedBy(engine: RemoteEngine, calls: number): Promise<number> {
  let total = 0
  for (let n = 0; n < calls; n++) {
    const sides = await engine.ask<readonly SideStats[]>({ method: 'stats', args: [`call-${n}`] })
    for (const side of sides) for (const stream of side.media) total += stream.packetsDiscarded
  }
  return total
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1_000))
}

import { encodeUtf8 } from '../base/index.ts'
import { paceFrames } from './pacer.ts'
import type { MediaPeer } from './peer.ts'
import { StreamMeter, type StreamReport } from './stream-meter.ts'
import { ToneMeter, type ToneReport, toneFrames } from './tone.ts'
import type { UserAgent } from './user-agent.ts'

export interface MeasuredCallOptions {
  readonly to: string
  readonly domain: string
  readonly toneHz: number
  readonly seconds: number
  /** Each step as it happens, with ms since the INVITE. */
  readonly onStep: (step: string, afterMs: number) => void
}

/** Times are ms since the INVITE; absent: it did not happen. */
export interface CallReport {
  readonly ringingMs?: number
  readonly answeredMs: number
  readonly connectedMs: number
  readonly firstAudioMs?: number
  readonly sent: number
  readonly stream: StreamReport
  readonly tone: ToneReport
}

/**
 * Makes one call, sends a tone for a while and listens.
 *
 * @throws GatewayError if the call is refused, media does not connect or the server is gone.
 */
export async function measuredCall(
  agent: UserAgent,
  peer: MediaPeer,
  options: MeasuredCallOptions,
): Promise<CallReport> {
  const call = agent.call(`sip:${encodeUtf8(options.to)}@${options.domain}`, peer.offer())
  const since = call.moments.invitedAt
  const elapsed = (): number => performance.now() - since
  call.onProvisional = (status, reason) => options.onStep(`${status} ${reason}`, elapsed())
  call.onEarlyMedia = (sdp) => peer.accept(sdp)
  const listener = listen(peer, options)
  try {
    peer.accept(await call.answered)
    const answeredMs = elapsed()
    options.onStep('200 OK', answeredMs)
    await within(CONNECT_MS, peer.connected, () => `media does not connect: ${peer.state()}`)
    const connectedMs = elapsed()
    options.onStep('media connected', connectedMs)
    listener.begin()
    await Promise.race([listener.enough, call.ended.then((why) => options.onStep(why, elapsed()))])
    await call.hangUp()
    return {
      ...(call.moments.ringingAt === undefined ? {} : { ringingMs: call.moments.ringingAt - since }),
      answeredMs,
      connectedMs,
      ...listener.report(since),
    }
  } catch (error) {
    await call.hangUp().catch(() => undefined)
    throw error
  } finally {
    listener.stop()
  }
}

function listen(peer: MediaPeer, options: MeasuredCallOptions) {
  const meter = new StreamMeter(8_000)
  const tone = new ToneMeter(options.toneHz)
  const frame = toneFrames(options.toneHz)
  let sent = 0
  let firstAt: number | undefined
  let stopSending: () => void = () => undefined
  let enough: () => void = () => undefined
  let timer: NodeJS.Timeout | undefined
  peer.onPacket = (packet) => {
    firstAt ??= packet.atMs
    meter.onPacket(packet)
    tone.onPacket(packet)
  }
  return {
    enough: new Promise<void>((resolve) => {
      enough = resolve
    }),
    begin: () => {
      timer = setTimeout(enough, options.seconds * 1_000)
      stopSending = paceFrames(() => {
        peer.send(frame())
        sent++
      })
    },
    stop: () => {
      clearTimeout(timer)
      stopSending()
    },
    report: (since: number) => ({
      ...(firstAt === undefined ? {} : { firstAudioMs: firstAt - since }),
      sent,
      stream: meter.report(),
      tone: tone.report(),
    }),
  }
}

async function within<T>(ms: number, promise: Promise<T>, why: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(why())), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** A handshake over a bad network may take a few repetitions; beyond this nobody waits. */
const CONNECT_MS = 8_000

import type { ByteString } from '../base/index.ts'
import { GatewayError } from '../base/index.ts'
import type { CallerCall } from './call.ts'
import { paceFrames } from './pacer.ts'
import type { MediaDetails, MediaPeer } from './peer.ts'
import { StreamMeter, type StreamReport } from './stream-meter.ts'
import { ToneMeter, type ToneReport, toneFrames } from './tone.ts'
import type { UserAgent } from './user-agent.ts'

export interface MeasuredCallOptions {
  /** Request-URI. */
  readonly uri: ByteString
  readonly toneHz: number
  readonly seconds: number
  /** Hangs up early; what was measured until then is reported. */
  readonly signal?: AbortSignal
  /** Each step as it happens, with ms since the INVITE. */
  readonly onStep: (step: string, afterMs: number) => void
}

/** Times are ms since the INVITE; absent: it did not happen. */
export interface CallReport {
  readonly ringingMs?: number
  readonly answeredMs: number
  readonly connectedMs: number
  readonly firstAudioMs?: number
  readonly media?: MediaDetails
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
  const listener = listen(peer, options)
  const call = agent.call(options.uri, peer.offer())
  const hangUp = (): void => void call.hangUp()
  options.signal?.addEventListener('abort', hangUp)
  try {
    const { answeredMs, connectedMs } = await established(call, peer, options)
    listener.begin()
    const elapsed = elapsedOf(call)
    await Promise.race([listener.enough, call.ended.then((why) => options.onStep(why, elapsed()))])
    await call.hangUp()
    const media = peer.details()
    const { ringingAt, invitedAt } = call.moments
    return {
      ...(ringingAt === undefined ? {} : { ringingMs: ringingAt - invitedAt }),
      answeredMs,
      connectedMs,
      ...(media ? { media } : {}),
      ...listener.report(invitedAt),
    }
  } catch (error) {
    await call.hangUp()
    throw error
  } finally {
    options.signal?.removeEventListener('abort', hangUp)
    listener.stop()
  }
}

/** Waits for the answer, then for the media. */
async function established(
  call: CallerCall,
  peer: MediaPeer,
  { onStep }: MeasuredCallOptions,
): Promise<{ answeredMs: number; connectedMs: number }> {
  const elapsed = elapsedOf(call)
  call.onProvisional = (status, reason) => onStep(`${status} ${reason}`, elapsed())
  call.onEarlyMedia = (sdp) => acceptEarly(peer, sdp)
  const answer = await call.answered
  const answeredMs = elapsed()
  onStep('200 OK', answeredMs)
  peer.accept(answer)
  await within(CONNECT_MS, peer.connected, () => `media does not connect: ${peer.state()}`)
  const connectedMs = elapsed()
  onStep('media connected', connectedMs)
  return { answeredMs, connectedMs }
}

/** An early description that we cannot use is no reason to give up: the final one is judged. */
function acceptEarly(peer: MediaPeer, sdp: ByteString): void {
  try {
    peer.accept(sdp)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
  }
}

function elapsedOf(call: CallerCall): () => number {
  return () => performance.now() - call.moments.invitedAt
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
    timer = setTimeout(() => reject(new GatewayError('MEDIA_DEADLINE_MISSED', why())), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** A handshake over a bad network may take a few repetitions; beyond this nobody waits. */
const CONNECT_MS = 8_000

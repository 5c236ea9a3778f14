import assert from 'node:assert/strict'
import type { PortRange } from '../../src/media/engines/portable/index.ts'
import type { MediaEngine, MediaEvent } from '../../src/media/index.ts'
import type { LocalRtpSide, LocalRtpStream, LocalWebRtcSide, PayloadCodec, SessionSpec } from '../../src/media/model.ts'
import { BrowserEnd, Inbox, medium, PCMU, rtpMedium, UdpEnd } from '../support/media-peers.ts'
import { freePairs } from '../support/port-range.ts'

export const TIMEOUT = { timeout: 10_000 }

export interface Bench {
  readonly engine: MediaEngine
  readonly events: Inbox<MediaEvent>
  /** Time as the engine sees it, moved by hand beside the real one. */
  readonly advance: (ms: number) => void
}

export interface BenchConfig {
  readonly rtpPorts: PortRange
  readonly qualityMs?: number
}

/** Opens an engine on loopback, of one WebRTC port. */
export type OpenBench = (config: BenchConfig) => Promise<Pick<Bench, 'engine' | 'advance'>>

export type WithBench = (run: (bench: Bench) => Promise<void>, more?: Partial<BenchConfig>) => Promise<void>

/** An engine that is stopped at the end of `run` whatever happens. */
export function benchOf(open: OpenBench): WithBench {
  return async (run, more = {}) => {
    const { engine, advance } = await open({ rtpPorts: more.rtpPorts ?? (await freePairs(8)), ...more })
    const events = new Inbox<MediaEvent>()
    const reading = (async () => {
      for await (const event of engine.events) events.push(event)
    })()
    try {
      await run({ engine, events, advance })
    } finally {
      await engine.stop()
      await reading
    }
  }
}

export const BOTH: SessionSpec = {
  id: 'call',
  sides: [
    { kind: 'webrtc', id: 'a', media: ['audio'] },
    { kind: 'rtp', id: 'b', media: ['audio'], towards: '127.0.0.1' },
  ],
}

export interface Call {
  readonly browser: BrowserEnd
  readonly phone: UdpEnd
  readonly webrtc: LocalWebRtcSide
  readonly rtp: LocalRtpStream
}

/** A browser and a phone, connected and talking. */
export async function call(
  { engine }: Bench,
  role: 'active' | 'passive',
  codecs: readonly PayloadCodec[] = [PCMU],
): Promise<Call> {
  const browser = await BrowserEnd.open()
  const phone = await UdpEnd.open()
  const { sides } = await engine.open(BOTH)
  const webrtc = sides[0] as LocalWebRtcSide
  const [rtp] = (sides[1] as LocalRtpSide).media
  assert.ok(rtp)
  await engine.change('call', { kind: 'connect', side: 'a', to: { kind: 'side', side: 'b' } })
  await engine.change('call', { kind: 'remote', side: 'a', remote: browser.remote(role, [medium(codecs)]) })
  const media = [rtpMedium(phone, { sendCodecs: codecs, receiveCodecs: codecs })]
  await engine.change('call', { kind: 'remote', side: 'b', remote: { kind: 'rtp', media } })
  await browser.connect(webrtc, role)
  return { browser, phone, webrtc, rtp }
}

export function hangUp({ browser, phone }: Call): void {
  browser.close()
  phone.close()
}

export const isAudio = (datagram: Buffer): boolean => datagram.length >= 12 && ((datagram[1] ?? 0) & 0x7f) === 0
export const payloadOf = (packet: Buffer): Buffer => packet.subarray(12)

/** Sends numbered packets until one that fits arrives. */
export async function until(inbox: Inbox<Buffer>, send: (n: number) => void, wants = isAudio): Promise<Buffer> {
  let n = 0
  const timer = setInterval(() => send(n++), 10)
  try {
    return await inbox.next(wants)
  } finally {
    clearInterval(timer)
  }
}

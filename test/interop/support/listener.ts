import { FRAME_SAMPLES, openPlainPeer, paceFrames, type ReceivedPacket, ToneMeter } from '../../../src/caller/index.ts'
import { bounded } from './child.ts'
import type { GatewayProcess } from './gateway.ts'
import { agentOf } from './witness.ts'

/** Windows of 100 ms that have to be the tone. */
const ENOUGH = 5

/** Somebody on the phone who listens: unlike the recordings of baresip, not deaf after a re-INVITE. */
export interface Listener {
  /** Resolves once the audio that comes from now on is that tone. */
  hears(hz: number): Promise<void>
  /** Frames that come in while so many of its own go out: time by the clock of its audio. */
  framesWhileSending(frames: number): Promise<number>
  hangUp(): Promise<void>
}

/** `user` calls `uri` as a SIP phone with G.711 µ-law. */
export async function openListener(gateway: GatewayProcess, user: string, uri: string): Promise<Listener> {
  const { agent } = await agentOf(gateway, 'phone', user)
  const peer = await openPlainPeer('127.0.0.1')
  const call = agent.call(uri, peer.offer())
  peer.accept(await call.answered)
  let received = 0
  let sent = 0
  const watchers = new Set<(packet?: ReceivedPacket) => void>()
  peer.onPacket = (packet) => {
    received++
    for (const look of watchers) look(packet)
  }
  const stop = paceFrames(() => {
    peer.send(Buffer.alloc(FRAME_SAMPLES, 0x55))
    sent++
    for (const look of watchers) look()
  })
  const until = <T>(what: string, look: (packet?: ReceivedPacket) => T | undefined): Promise<T> =>
    bounded(
      what,
      10_000,
      () => `${received} frames came, ${sent} went`,
      (resolve) => {
        const watch = (packet?: ReceivedPacket): void => {
          const value = look(packet)
          if (value !== undefined) resolve(value)
        }
        watchers.add(watch)
        return () => watchers.delete(watch)
      },
    )
  return {
    hears(hz) {
      const meter = new ToneMeter(hz)
      return until(`${hz} Hz to be heard`, (packet) => {
        if (packet !== undefined) meter.onPacket(packet)
        return meter.report().heard >= ENOUGH ? true : undefined
      }).then(() => undefined)
    },
    framesWhileSending(frames) {
      const before = { received, sent }
      return until(`${frames} frames to go out`, () =>
        sent - before.sent >= frames ? received - before.received : undefined,
      )
    },
    async hangUp() {
      stop()
      await call.hangUp()
      peer.close()
      agent.close()
    },
  }
}

import type { Millis } from '../../../base/index.ts'
import type { PayloadCodec, RemoteMedium } from '../../model.ts'
import { midOf } from './routes.ts'
import type { G711Law, Route, Tone } from './rtp/index.ts'

export interface ToneFrame {
  readonly payload: Uint8Array
  readonly ticks: number
  readonly route: Route
}

/** Frames of a tone or of silence in real time: as many as 20 ms fit into the time that passed, so it neither drifts nor bursts. */
export class ToneSource {
  readonly #tone: Tone
  #nextAt: Millis | undefined

  constructor(tone: Tone) {
    this.#tone = tone
  }

  /** The frames that are due. None if the peer takes no G.711: calls to a tone are steered to it. */
  frames(remote: RemoteMedium, now: Millis): readonly ToneFrame[] {
    const codec = remote.sendCodecs.find((candidate) => lawOf(candidate) !== undefined)
    const law = codec && lawOf(codec)
    if (codec === undefined || law === undefined) return []
    if (this.#nextAt === undefined || now - this.#nextAt > MAX_LATE_MS) this.#nextAt = now
    const { payloadType, clockRateHz } = codec
    const route: Route = { payloadType, clockRateHz, ...midOf(remote) }
    const frames: ToneFrame[] = []
    for (; this.#nextAt <= now; this.#nextAt += FRAME_MS) {
      frames.push({ payload: this.#tone.next(law), ticks: this.#tone.ticks, route })
    }
    return frames
  }
}

function lawOf({ name }: PayloadCodec): G711Law | undefined {
  const upper = name.toUpperCase()
  return upper === 'PCMU' || upper === 'PCMA' ? upper : undefined
}

const FRAME_MS = 20
/** After a longer stall the listener's jitter buffer has given up anyway. */
const MAX_LATE_MS = 200

import { createTone, decodeG711, toneLevel } from '../media/engines/portable/rtp/index.ts'
import { FRAME_SAMPLES, PCMU, type ReceivedPacket } from './peer.ts'

/** How much of what was heard was our tone, in windows of 100 ms that were not silent. */
export interface ToneReport {
  readonly windows: number
  readonly heard: number
}

/** The tone as 20 ms payloads of G.711 µ-law. */
export function toneFrames(frequencyHz: number): () => Buffer {
  const tone = createTone(frequencyHz)
  return () => tone.next('PCMU')
}

/** Judges received G.711 audio window by window. */
export class ToneMeter {
  readonly #frequencyHz: number
  #window: Int16Array[] = []
  #windows = 0
  #heard = 0

  constructor(frequencyHz: number) {
    this.#frequencyHz = frequencyHz
  }

  onPacket({ payloadType, payload }: Pick<ReceivedPacket, 'payloadType' | 'payload'>): void {
    if (payloadType !== PCMU || payload.length !== FRAME_SAMPLES) return
    this.#window.push(decodeG711('PCMU', payload))
    if (this.#window.length < FRAMES_PER_WINDOW) return
    this.#judge()
    this.#window = []
  }

  report(): ToneReport {
    return { windows: this.#windows, heard: this.#heard }
  }

  #judge(): void {
    const samples = new Int16Array(FRAMES_PER_WINDOW * FRAME_SAMPLES)
    for (const [at, frame] of this.#window.entries()) samples.set(frame, at * FRAME_SAMPLES)
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
    if (power < SILENCE) return
    this.#windows++
    if (toneLevel(samples, this.#frequencyHz, 8_000) > 0.6) this.#heard++
  }
}

const FRAMES_PER_WINDOW = 5
/** Mean square of samples of 16 bits below which nothing is judged: about -60 dB of full scale. */
const SILENCE = 1_000

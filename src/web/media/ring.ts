import { audioContext } from './audio-context.ts'

/** Two tones, sounding for `onMs` and silent for `offMs`. */
interface Cadence {
  readonly frequenciesHz: readonly [number, number]
  readonly volume: number
  readonly onMs: number
  readonly offMs: number
}

/** What an incoming call sounds like. */
export const RING: Cadence = { frequenciesHz: [784, 988], volume: 0.12, onMs: 900, offMs: 1_600 }
/** What the caller hears while it rings at the other end, if the network sends nothing. */
export const RINGBACK: Cadence = { frequenciesHz: [440, 480], volume: 0.05, onMs: 1_200, offMs: 3_000 }

/** Plays a cadence until the function it returns is called. */
export function playCadence(cadence: Cadence): () => void {
  const context = audioContext()
  const gain = context.createGain()
  gain.gain.value = 0
  gain.connect(context.destination)
  const oscillators = cadence.frequenciesHz.map((frequency) => new OscillatorNode(context, { frequency }))
  for (const oscillator of oscillators) {
    oscillator.connect(gain)
    oscillator.start()
  }
  const sound = (): void => {
    const from = context.currentTime
    const until = from + cadence.onMs / 1_000
    gain.gain.setTargetAtTime(cadence.volume, from, 0.02) // Ramps: a step would click.
    gain.gain.setTargetAtTime(0, until, 0.04)
  }
  sound()
  const timer = setInterval(sound, cadence.onMs + cadence.offMs)
  return () => {
    clearInterval(timer)
    for (const oscillator of oscillators) oscillator.stop()
    gain.disconnect()
  }
}

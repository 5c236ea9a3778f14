import { encodeG711, type G711Law } from './g711.ts'

/** Sound made here, cut into payloads. */
export interface Tone {
  /** The next payload of G.711; the phase goes on from the last one. */
  next(law: G711Law): Buffer
  /** Length of a payload, in ticks of 8000 Hz. */
  readonly ticks: number
}

/** A tone at -16 dBm0 (full scale of G.711 is +3.17 dBm0), in frames of `frameMs` (default 20). */
export function createTone(frequencyHz: number, frameMs = 20): Tone {
  const ticks = (SAMPLE_RATE_HZ * frameMs) / 1000
  const samples = new Int16Array(ticks)
  let position = 0
  return {
    ticks,
    next(law) {
      for (let i = 0; i < ticks; i++) {
        samples[i] = Math.round(AMPLITUDE * Math.sin((2 * Math.PI * frequencyHz * (position + i)) / SAMPLE_RATE_HZ))
      }
      // Every frequency in whole hertz repeats after a second: the argument stays small and the phase exact.
      position = (position + ticks) % SAMPLE_RATE_HZ
      return encodeG711(law, samples)
    },
  }
}

/** Digital silence, in frames of `frameMs` (default 20). */
export function createSilence(frameMs = 20): Tone {
  const ticks = (SAMPLE_RATE_HZ * frameMs) / 1000
  const samples = new Int16Array(ticks)
  return { ticks, next: (law) => encodeG711(law, samples) }
}

/**
 * How much of the signal is at one frequency (Goertzel's algorithm).
 *
 * @returns From 0 to about 1: the share of the signal's power, so that loudness does not matter. 0 for silence.
 */
export function toneLevel(samples: Int16Array | Float32Array, frequencyHz: number, sampleRateHz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequencyHz) / sampleRateHz)
  let previous = 0
  let beforePrevious = 0
  let power = 0
  for (const sample of samples) {
    const current = sample + coefficient * previous - beforePrevious
    beforePrevious = previous
    previous = current
    power += sample * sample
  }
  if (power === 0) return 0
  const atFrequency = previous * previous + beforePrevious * beforePrevious - coefficient * previous * beforePrevious
  return (2 * atFrequency) / (samples.length * power)
}

const SAMPLE_RATE_HZ = 8000
/** Full scale of a sine is +3.17 dBm0 in µ-law; 16-bit samples of G.711 reach 32124. */
const AMPLITUDE = 32_124 * 10 ** ((-16 - 3.17) / 20)

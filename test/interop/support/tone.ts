import type { Pcm } from './wav.ts'

/** The strongest of the frequencies in windows of 100 ms, with how many windows each won by a clear margin. */
export function tonesHeard(pcm: Pcm, frequenciesHz: readonly number[]): Map<number, number> {
  const window = Math.floor(pcm.rateHz / 10)
  const wins = new Map<number, number>(frequenciesHz.map((hz) => [hz, 0]))
  for (let at = 0; at + window <= pcm.samples.length; at += window) {
    const slice = pcm.samples.subarray(at, at + window)
    const energy = slice.reduce((sum, sample) => sum + sample * sample, 0) / window
    if (energy < 1e-5) continue
    for (const hz of frequenciesHz) {
      // A pure tone has all its energy at its frequency: power 2·|X|²/N² equals the mean square.
      if (goertzelPower(slice, hz, pcm.rateHz) > energy * 0.6) wins.set(hz, (wins.get(hz) ?? 0) + 1)
    }
  }
  return wins
}

function goertzelPower(samples: Float32Array, hz: number, rateHz: number): number {
  const omega = (2 * Math.PI * hz) / rateHz
  const coefficient = 2 * Math.cos(omega)
  let s1 = 0
  let s2 = 0
  for (const sample of samples) {
    const s0 = sample + coefficient * s1 - s2
    s2 = s1
    s1 = s0
  }
  const power = s1 * s1 + s2 * s2 - coefficient * s1 * s2
  return (2 * power) / (samples.length * samples.length)
}

/** A sine at half of full scale, 8,000 samples per second. */
export function sine(hz: number, seconds: number): Float32Array {
  return Float32Array.from({ length: seconds * 8000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / 8000))
}

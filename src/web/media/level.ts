import { audioContext } from './audio-context.ts'

export interface LevelMeter {
  /** Loudness now, from 0 (-60 dBFS and below) to 1 (full scale). */
  readonly read: () => number
  readonly close: () => void
}

/** Measures how loud a stream is. A remote stream must also be attached to an audio element, or Chromium gives silence. */
export function createLevelMeter(stream: MediaStream): LevelMeter {
  const context = audioContext()
  const source = context.createMediaStreamSource(stream)
  const analyser = context.createAnalyser()
  analyser.fftSize = 1024
  source.connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  return {
    read: () => {
      analyser.getFloatTimeDomainData(samples)
      return loudness(samples)
    },
    close: () => source.disconnect(),
  }
}

/** Root mean square of samples between -1 and 1, on a scale of 60 dB that goes from 0 to 1. */
export function loudness(samples: Float32Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  const decibels = 10 * Math.log10(sum / samples.length + 1e-12)
  return Math.min(1, Math.max(0, (decibels + 60) / 60))
}

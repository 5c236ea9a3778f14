/** Audio samples of one channel, from -1 to 1. */
export interface Pcm {
  readonly samples: Float32Array
  readonly rateHz: number
}

/** Reads 16-bit PCM WAV, also one whose lengths were never written because its writer was ended. Takes the first channel. */
export function readWav(file: Buffer): Pcm {
  if (file.length < 44 || file.toString('latin1', 0, 4) !== 'RIFF')
    return { samples: new Float32Array(0), rateHz: 8000 }
  let at = 12
  let channels = 1
  let rateHz = 8000
  while (at + 8 <= file.length) {
    const name = file.toString('latin1', at, at + 4)
    const length = file.readUInt32LE(at + 4)
    if (name === 'fmt ') {
      channels = file.readUInt16LE(at + 10)
      rateHz = file.readUInt32LE(at + 12)
    }
    if (name === 'data') return { samples: samplesOf(file.subarray(at + 8), channels), rateHz }
    at += 8 + length + (length % 2)
  }
  return { samples: new Float32Array(0), rateHz }
}

/** Writes 16-bit mono PCM WAV. */
export function writeWav(samples: Float32Array, rateHz: number): Buffer {
  const data = Buffer.alloc(samples.length * 2)
  for (let i = 0; i < samples.length; i++)
    data.writeInt16LE(Math.round(Math.max(-1, Math.min(1, samples[i] ?? 0)) * 32767), i * 2)
  const head = Buffer.alloc(44)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(36 + data.length, 4)
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(rateHz, 24)
  head.writeUInt32LE(rateHz * 2, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(data.length, 40)
  return Buffer.concat([head, data])
}

function samplesOf(data: Buffer, channels: number): Float32Array {
  const frames = Math.floor(data.length / 2 / channels)
  const samples = new Float32Array(frames)
  for (let i = 0; i < frames; i++) samples[i] = data.readInt16LE(i * 2 * channels) / 32768
  return samples
}

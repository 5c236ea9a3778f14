import { LIMITS } from '../../../base/index.ts'

const LENGTH_BYTES = 4

/** What a reader gives: a value, or why there is none. After a `broken` one nothing more can be read. */
export type Frame =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'unreadable'; readonly problem: string }
  | { readonly kind: 'broken'; readonly problem: string }

/** A big-endian 32-bit length and that many bytes of JSON. `undefined`: longer than a frame may be. */
export function encodeFrame(value: unknown): Buffer | undefined {
  const text = Buffer.from(JSON.stringify(value), 'utf8')
  if (text.length > LIMITS.mediaControlFrameBytes) return undefined
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + text.length)
  frame.writeUInt32BE(text.length, 0)
  frame.set(text, LENGTH_BYTES)
  return frame
}

/** Takes bytes as they come and gives the frames that are whole. */
export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0)
  #broken = false

  push(chunk: Buffer): readonly Frame[] {
    if (this.#broken) return []
    let bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    const frames: Frame[] = []
    while (bytes.length >= LENGTH_BYTES) {
      const length = bytes.readUInt32BE(0)
      if (length > LIMITS.mediaControlFrameBytes) {
        // Where the next frame starts is not to be trusted any more.
        this.#broken = true
        bytes = Buffer.alloc(0)
        frames.push({ kind: 'broken', problem: `a frame of ${length} bytes` })
        break
      }
      if (bytes.length < LENGTH_BYTES + length) break
      frames.push(parse(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length)))
      bytes = bytes.subarray(LENGTH_BYTES + length)
    }
    this.#bytes = bytes
    return frames
  }
}

function parse(text: Buffer): Frame {
  try {
    return { kind: 'value', value: JSON.parse(text.toString('utf8')) }
  } catch {
    return { kind: 'unreadable', problem: `${text.length} bytes that are not JSON` } // Its text may hold a key.
  }
}

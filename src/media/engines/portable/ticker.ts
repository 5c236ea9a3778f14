import type { Millis } from '../../../base/index.ts'
import type { MediaClock } from './config.ts'
import type { Stream } from './stream.ts'
import type { WebRtcSide } from './webrtc-side.ts'

/** The two clocks of an engine: 20 ms for handshakes, tones and digits while there are any, 250 ms for everything else. */
export class Ticker {
  readonly #clock: MediaClock
  readonly #onSlow: (now: Millis) => void
  readonly #onFault: (error: unknown) => void
  readonly #handshakes = new Set<WebRtcSide>()
  /** Streams that make packets. */
  readonly #makers = new Set<Stream>()
  #stopFast: (() => void) | undefined
  #stopSlow: (() => void) | undefined

  constructor(clock: MediaClock, onSlow: (now: Millis) => void, onFault: (error: unknown) => void) {
    this.#clock = clock
    this.#onSlow = onSlow
    this.#onFault = onFault
  }

  readonly wantWakeups = (side: WebRtcSide, wanted: boolean): void => {
    if (wanted) this.#handshakes.add(side)
    else this.#handshakes.delete(side)
    this.#adjust()
  }

  /** The stream makes packets, or does not any more. */
  follow(stream: Stream): void {
    if (stream.makes) this.#makers.add(stream)
    else this.#makers.delete(stream)
    this.#adjust()
  }

  /** Whether the slow clock is needed. */
  want(wanted: boolean): void {
    if (wanted)
      this.#stopSlow ??= this.#clock.every(SLOW_MS, () => this.#guarded(() => this.#onSlow(this.#clock.now())))
    else this.#endSlow()
  }

  stop(): void {
    this.#handshakes.clear()
    this.#makers.clear()
    this.#adjust()
    this.#endSlow()
  }

  #endSlow(): void {
    this.#stopSlow?.()
    this.#stopSlow = undefined
  }

  #adjust(): void {
    if (this.#handshakes.size + this.#makers.size > 0) {
      this.#stopFast ??= this.#clock.every(FAST_MS, () => this.#fast())
    } else {
      this.#stopFast?.()
      this.#stopFast = undefined
    }
  }

  #fast(): void {
    const now = this.#clock.now()
    for (const side of this.#handshakes) this.#guarded(() => side.wake(now))
    for (const stream of this.#makers) {
      this.#guarded(() => stream.make(now))
      if (!stream.makes) this.follow(stream) // Its digits are out.
    }
  }

  #guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#onFault(error)
    }
  }
}

const FAST_MS = 20
const SLOW_MS = 250

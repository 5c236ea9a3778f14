/** What a pacer needs of its surroundings; a test turns the clock by hand. */
export interface PacerClock {
  now(): number
  /** Calls back once after `ms`. Returns what cancels that. */
  after(ms: number, callback: () => void): () => void
}

/**
 * Calls `onFrame` every 20 ms without drift: a late timer is followed by an early one, so that the rate stays right.
 *
 * @param startInMs Time to the first frame.
 * @returns Stops it.
 */
export function paceFrames(onFrame: () => void, startInMs = 0, clock: PacerClock = SYSTEM_CLOCK): () => void {
  let next = clock.now() + startInMs
  let cancel: () => void = () => undefined
  let stopped = false
  const tick = (): void => {
    const now = clock.now()
    // After a long stall the frames that are overdue are let go: a microphone does not catch up either.
    if (now - next > MAX_BEHIND_MS) next = now
    while (next <= now && !stopped) {
      onFrame()
      next += FRAME_MS
    }
    if (!stopped) cancel = clock.after(Math.max(1, next - clock.now()), tick)
  }
  cancel = clock.after(startInMs, tick)
  return () => {
    stopped = true
    cancel()
  }
}

const SYSTEM_CLOCK: PacerClock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
}

const FRAME_MS = 20
const MAX_BEHIND_MS = 200

/**
 * Calls `onFrame` every 20 ms without drift: a late timer is followed by an early one, so that the rate stays right.
 *
 * @returns Stops it.
 */
export function paceFrames(onFrame: () => void, startInMs = 0): () => void {
  let next = performance.now() + startInMs
  let timer: NodeJS.Timeout
  const tick = (): void => {
    const now = performance.now()
    // After a long stall the frames that are overdue are let go: a microphone does not catch up either.
    if (now - next > MAX_BEHIND_MS) next = now
    while (next <= now) {
      onFrame()
      next += FRAME_MS
    }
    timer = setTimeout(tick, Math.max(1, next - performance.now()))
  }
  timer = setTimeout(tick, startInMs)
  return () => clearTimeout(timer)
}

const FRAME_MS = 20
const MAX_BEHIND_MS = 200

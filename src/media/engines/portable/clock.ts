import type { MediaClock } from './config.ts'

/** The machine's monotonic clock. */
export const systemClock: MediaClock = {
  now: () => performance.now(),
  every(intervalMs, run) {
    const timer = setInterval(run, intervalMs)
    return () => clearInterval(timer)
  },
}

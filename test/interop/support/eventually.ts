import { setTimeout as pause } from 'node:timers/promises'

const LOOK_AGAIN_MS = 25

/** Looks until `check` no longer throws, at most `timeoutMs`; then its last complaint is thrown. */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 5_000): Promise<T> {
  const until = performance.now() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (thrown) {
      if (performance.now() > until) throw thrown
    }
    await pause(LOOK_AGAIN_MS)
  }
}

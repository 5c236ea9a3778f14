import { cpus } from 'node:os'

/** Share of all cores that others may use in a quiet machine. */
const QUIET = 0.08
const LOOK_MS = 1_000

/** Waits until the machine has little else to do, at most so long. @returns The share it was busy in the last second. */
export async function untilQuiet(seconds: number): Promise<number> {
  const deadline = performance.now() + seconds * 1_000
  for (;;) {
    const before = times()
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    const after = times()
    const busy = 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all)
    if (busy <= QUIET || performance.now() > deadline) return busy
  }
}

function times(): { readonly idle: number; readonly all: number } {
  let [idle, all] = [0, 0]
  for (const core of cpus()) {
    idle += core.times.idle
    all += Object.values(core.times).reduce((sum, each) => sum + each, 0)
  }
  return { idle, all }
}

import type { Core, CoreInput, CoreOutput } from './core-model.ts'

/** Longest sleep in ms; also bounds how late a clock that jumped is noticed. */
const LONGEST_SLEEP_MS = 60_000

/** Pause before a deadline that a wake-up did not settle is tried again, in ms: a fault must not take the whole CPU. */
const STUCK_MS = 1_000

/** Gives a core its inputs, its clock and its wake-ups, and its outputs to whoever carries them out. */
export interface Driver {
  handle(input: CoreInput): void
  stop(): void
}

/**
 * One input after the other: an input that arrives while outputs are carried out waits its turn, so the core is never
 * entered twice.
 */
export function createDriver(
  core: Pick<Core, 'handle' | 'poll' | 'deadline'>,
  perform: (output: CoreOutput) => void,
  onError: (thrown: unknown) => void,
): Driver {
  const waiting: CoreInput[] = []
  let isRunning = false
  let timer: NodeJS.Timeout | undefined
  let timerAt = Number.POSITIVE_INFINITY
  let stopped = false

  /** @param wokenAt When a wake-up ran just now: what was due then and still is, it could not settle. */
  const sleep = (wokenAt = Number.NEGATIVE_INFINITY): void => {
    const deadline = core.deadline()
    if (deadline === undefined || deadline >= timerAt || stopped) return // Waking too early does no harm.
    clearTimeout(timer)
    timerAt = deadline
    const leftMs = deadline <= wokenAt ? STUCK_MS : Math.max(0, Math.ceil(deadline - performance.now()))
    timer = setTimeout(wake, Math.min(leftMs, LONGEST_SLEEP_MS))
  }

  const wake = (): void => {
    const wokenAt = performance.now()
    timerAt = Number.POSITIVE_INFINITY
    run({ kind: 'wake' })
    sleep(wokenAt)
  }

  const carryOut = (output: CoreOutput): void => {
    try {
      perform(output)
    } catch (thrown) {
      onError(thrown) // One output is lost; those behind it still go out.
    }
  }

  const run = (first: CoreInput): void => {
    waiting.push(first)
    if (isRunning) return
    isRunning = true
    try {
      for (let input = waiting.shift(); input !== undefined; input = waiting.shift()) {
        core.handle(input, performance.now())
        for (let output = core.poll(); output !== undefined; output = core.poll()) carryOut(output)
      }
    } finally {
      isRunning = false
    }
  }

  return {
    handle(input) {
      run(input)
      if (!isRunning) sleep()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

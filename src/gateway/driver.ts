import type { Core, CoreInput, CoreOutput } from './core-model.ts'

/** Longest sleep in ms; also bounds how late a clock that jumped is noticed. */
const LONGEST_SLEEP_MS = 60_000

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
  core: Core,
  perform: (output: CoreOutput) => void,
  onError: (thrown: unknown) => void,
): Driver {
  const waiting: CoreInput[] = []
  let isRunning = false
  let timer: NodeJS.Timeout | undefined
  let timerAt = Number.POSITIVE_INFINITY
  let stopped = false

  const sleep = (): void => {
    const deadline = core.deadline()
    if (deadline === undefined || deadline >= timerAt || stopped) return // Waking too early does no harm.
    clearTimeout(timer)
    timerAt = deadline
    const delayMs = Math.min(Math.max(0, Math.ceil(deadline - performance.now())), LONGEST_SLEEP_MS)
    timer = setTimeout(() => {
      timerAt = Number.POSITIVE_INFINITY
      handle({ kind: 'wake' })
    }, delayMs)
  }

  const carryOut = (output: CoreOutput): void => {
    try {
      perform(output)
    } catch (thrown) {
      onError(thrown) // One output is lost; those behind it still go out.
    }
  }

  const handle = (first: CoreInput): void => {
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
    sleep()
  }

  return {
    handle,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

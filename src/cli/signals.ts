import type { EventEmitter } from 'node:events'

/** npm passes on the Ctrl-C that the terminal has sent already: a copy so soon is not a second wish. */
const SAME_WISH_MS = 500

/**
 * Waits for SIGINT or SIGTERM, then for `stop`. A further signal during the stop gives up waiting.
 *
 * @returns Whether the stop was cut short.
 * @throws What `stop` throws.
 */
export function untilStopped(
  process: Pick<EventEmitter, 'on' | 'off'>,
  stop: (signal: string) => Promise<void>,
  now: () => number = () => performance.now(),
): Promise<boolean> {
  return new Promise((done, failed) => {
    let stoppingSince: number | undefined
    const end = (settle: () => void): void => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      settle()
    }
    const onSignal = (signal: string): void => {
      if (stoppingSince !== undefined) {
        if (now() - stoppingSince >= SAME_WISH_MS) end(() => done(true))
        return
      }
      stoppingSince = now()
      stop(signal).then(
        () => end(() => done(false)),
        (thrown) => end(() => failed(thrown)),
      )
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}

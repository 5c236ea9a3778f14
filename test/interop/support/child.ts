import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Child {
  readonly process: ChildProcess
  /** Everything printed so far. */
  output(): string
  /** Resolves with the first match in the output, now or later. */
  sees(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>
  /** Resolves with the exit status. */
  exited(timeoutMs?: number): Promise<number | null>
  stop(signal?: NodeJS.Signals): Promise<void>
}

export interface ChildOptions {
  readonly cwd?: string
  readonly env?: Record<string, string>
  /** Network namespace to run in (made by the test). */
  readonly netns?: string
}

/** Starts an outside program of a test. It is ended by `stop`, by its own pid. */
export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const [file, argv] = options.netns ? ['ip', ['netns', 'exec', options.netns, command, ...args]] : [command, [...args]]
  const child = spawn(file, argv, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
  })
  let text = ''
  const watchers = new Set<() => void>()
  const more = (chunk: Buffer): void => {
    text += chunk.toString('utf8')
    for (const watcher of watchers) watcher()
  }
  child.stdout.on('data', more)
  child.stderr.on('data', more)
  child.on('error', (error) => more(Buffer.from(`cannot start ${command}: ${error.message}\n`)))
  const ended = once(child, 'close').catch(() => [null])

  return {
    process: child,
    output: () => text,
    sees: (pattern, timeoutMs = 10_000) =>
      bounded(
        `${command} to print ${pattern}`,
        timeoutMs,
        () => text,
        (resolve, reject) => {
          const look = (): void => {
            const match = text.match(pattern)
            if (match) resolve(match)
          }
          watchers.add(look)
          child.once('close', () => {
            look()
            reject(new Error(`${command} ended before it printed ${pattern}:\n${text.slice(-4000)}`))
          })
          look()
          return () => watchers.delete(look)
        },
      ),
    exited: (timeoutMs = 30_000) =>
      bounded(
        `${command} to end`,
        timeoutMs,
        () => text,
        (resolve) => {
          void ended.then(() => resolve(child.exitCode))
        },
      ),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal)
        const force = setTimeout(() => child.kill('SIGKILL'), 3_000)
        await ended
        clearTimeout(force)
      }
    },
  }
}

/** A promise with a bound whose failure tells what was awaited and the context then. */
export function bounded<T>(
  what: string,
  timeoutMs: number,
  context: () => string,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => (() => void) | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let stop: (() => void) | undefined
    const timer = setTimeout(() => {
      stop?.()
      reject(new Error(`waited ${timeoutMs} ms in vain for ${what}\n${context().slice(-4000)}`))
    }, timeoutMs)
    const settle =
      <V>(settled: (value: V) => void) =>
      (value: V): void => {
        clearTimeout(timer)
        stop?.()
        settled(value)
      }
    stop = start(settle(resolve), settle(reject))
  })
}

import { type ParseArgsConfig, parseArgs } from 'node:util'
import { nearest } from '../config/index.ts'

/** Where a command reads and writes; tests give their own. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isTty: boolean
}

/** 0: done. 1: it did not work. 2: the command line is wrong. */
export type ExitCode = number

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string
  /** Text for `--help`; absent: the command prints it itself. */
  readonly help?: string
  run(argv: readonly string[], terminal: Terminal): Promise<ExitCode>
}

/** The command line cannot be understood; the message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** `parseArgs` with `--help` added and errors that name the nearest option. @throws UsageError */
export function readArguments<Options extends NonNullable<ParseArgsConfig['options']>>(
  argv: readonly string[],
  options: Options,
  positionals: { readonly atMost: number } = { atMost: 0 },
) {
  const all = { ...options, help: { type: 'boolean', short: 'h' } } as const
  try {
    const read = parseArgs({ args: [...argv], options: all, allowPositionals: true, strict: true })
    const extra = read.positionals[positionals.atMost]
    if (extra !== undefined) throw new UsageError(`unexpected argument: ${extra}`)
    return read
  } catch (thrown) {
    if (thrown instanceof UsageError) throw thrown
    throw new UsageError(explain(thrown, Object.keys(all)), { cause: thrown })
  }
}

function explain(thrown: unknown, options: readonly string[]): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const unknown = /Unknown option '--?([^']+)'/.exec(message)?.[1]
  if (unknown === undefined) return message.split('. ')[0] ?? message
  const meant = nearest(unknown, options)
  return `unknown option --${unknown}${meant === undefined ? '' : `, did you mean --${meant}?`}`
}

import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino'
import { redactNumbers } from './redact.ts'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface LogOptions {
  readonly level: LogLevel
  /** `json`: one object per line, for machines. `text`: one line for a person at a terminal. */
  readonly format: 'json' | 'text'
  /** Where lines go; standard error by default, so that standard output stays free for what a command prints. */
  readonly destination?: { write(line: string): unknown }
}

/** Keys whose values never reach a log, at the first two levels of the logged object. */
const SECRET_KEYS = ['password', 'token', 'authorization', 'proxyAuthorization', 'key', 'pwd', 'secret']

/** The process's log. Telephone numbers in messages and string fields are shortened to their last two digits. */
export function createLog(options: LogOptions): Log {
  const settings: LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: '[secret]' },
    formatters: { level: (label) => ({ level: label }), log: withoutNumbers },
    hooks: {
      logMethod(args, method) {
        method.apply(
          this,
          args.map((arg) => (typeof arg === 'string' ? redactNumbers(arg) : arg)) as Parameters<typeof method>,
        )
      },
    },
  }
  return pino(settings, destinationOf(options))
}

function destinationOf(options: LogOptions): DestinationStream {
  const out = options.destination ?? process.stderr
  if (options.format === 'json') return { write: (line) => void out.write(line) }
  return { write: (line) => void out.write(readable(line)) }
}

function withoutNumbers(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === 'string' ? redactNumbers(value) : value]),
  )
}

/** `12:03:04.567 WARN  trunk is silent  trunk=carrier`. */
function readable(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const clock = String(time).slice(11, 23)
  const facts = Object.entries(fields).map(([key, value]) => `${key}=${factText(value)}`)
  return `${[clock, String(level).toUpperCase().padEnd(5), printable(String(msg ?? '')), facts.join(' ')].join(' ').trimEnd()}\n`
}

function factText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return printable(/\s/.test(text) && typeof value === 'string' ? JSON.stringify(text) : text)
}

/** A peer's text must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
}

import { type ParseArgsConfig, parseArgs } from 'node:util'

type Options = NonNullable<ParseArgsConfig['options']>

/** The command line is wrong; the message is a sentence for who typed it. */
export class UsageError extends Error {}

export interface BenchOption {
  readonly type: 'string' | 'boolean'
  readonly default?: string | boolean
  /** What it means, its unit and its default, in one line. */
  readonly help: string
  /** Word for the value in `--help`. */
  readonly value?: string
}

export interface BenchCommand {
  /** As typed: `jitter`. */
  readonly name: string
  readonly summary: string
  readonly options: Readonly<Record<string, BenchOption>>
  readonly notes?: string
}

export interface BenchArguments {
  text(name: string): string | undefined
  /** @throws UsageError with the option's name if it is no number or out of range. */
  number(name: string, range: { readonly min: number; readonly max: number }): number
  flag(name: string): boolean
  readonly json: string | undefined
  readonly html: string | undefined
  readonly requirements: readonly Requirement[]
}

/** `--require 'path<=number'`: a figure of the JSON that must hold. */
export interface Requirement {
  readonly text: string
  readonly path: readonly string[]
  readonly operator: '<=' | '>='
  readonly bound: number
}

const COMMON: Readonly<Record<string, BenchOption>> = {
  json: { type: 'string', value: 'FILE', help: 'Write all figures as JSON.' },
  html: { type: 'string', value: 'FILE', help: 'Write one self-contained page with the table and plots.' },
  require: {
    type: 'string',
    value: 'FIGURE<=N',
    help: 'Exit with 1 unless a figure holds, by its path in the JSON; may be repeated (also >=).',
  },
  help: { type: 'boolean', help: 'Show this text.' },
}

/** Reads a bench's command line. Prints help and ends the process on `--help`; ends with 2 on a mistake. */
export function benchArguments(command: BenchCommand, argv: readonly string[]): BenchArguments {
  const all = { ...command.options, ...COMMON }
  try {
    const { values } = parseArgs({ args: [...argv], options: parseOptions(all), allowPositionals: false })
    if (values.help === true) {
      process.stdout.write(helpText(command))
      process.exit(0)
    }
    return view(values as Readonly<Record<string, string | boolean | string[] | undefined>>)
  } catch (error) {
    process.stderr.write(`${command.name}: ${error instanceof Error ? error.message : String(error)}\nTry --help.\n`)
    process.exit(2)
  }
}

function parseOptions(options: Readonly<Record<string, BenchOption>>): Options {
  const out: Options = {}
  for (const [name, option] of Object.entries(options)) {
    out[name] = name === 'require' ? { type: 'string', multiple: true } : { type: option.type }
    if (option.default !== undefined && name !== 'require') {
      out[name] = { type: option.type, default: option.default } as Options[string]
    }
  }
  return out
}

function view(values: Readonly<Record<string, string | boolean | string[] | undefined>>): BenchArguments {
  const text = (name: string): string | undefined => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  const required = values.require
  return {
    text,
    number(name, range) {
      const value = Number(text(name))
      if (text(name)?.trim() === '' || !Number.isFinite(value) || value < range.min || value > range.max) {
        throw new UsageError(`--${name} must be a number from ${range.min} to ${range.max}, not "${text(name) ?? ''}"`)
      }
      return value
    },
    flag: (name) => values[name] === true,
    json: text('json'),
    html: text('html'),
    requirements: (Array.isArray(required) ? required : []).map(requirement),
  }
}

function requirement(text: string): Requirement {
  const match = /^\s*([\w.\-*]+)\s*(<=|>=)\s*(-?[\d.]+)\s*$/.exec(text)
  if (!match) throw new Error(`--require wants FIGURE<=NUMBER or FIGURE>=NUMBER, not "${text}"`)
  return { text, path: (match[1] ?? '').split('.'), operator: match[2] === '<=' ? '<=' : '>=', bound: Number(match[3]) }
}

function helpText(command: BenchCommand): string {
  const rows = Object.entries({ ...command.options, ...COMMON }).map(([name, option]) => {
    const left = `  --${name}${option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : ''}`
    const standard = option.default === undefined || option.default === false ? '' : ` Default ${option.default}.`
    return `${left.padEnd(26)} ${option.help}${standard}`
  })
  const notes = command.notes === undefined ? '' : `\n${command.notes.trim()}\n`
  return `${command.summary}\n\nUsage: npm run bench -- ${command.name} [options]\n\n${rows.join('\n')}\n${notes}`
}

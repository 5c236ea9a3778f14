import { nearest } from '../config/index.ts'
import { type Command, type ExitCode, type Terminal, UsageError } from './command.ts'

/** Runs the command that the first argument names. */
export async function runCli(
  argv: readonly string[],
  commands: Readonly<Record<string, Command>>,
  terminal: Terminal,
): Promise<ExitCode> {
  const [name, ...rest] = argv
  if (name === undefined) {
    terminal.err(overview(commands))
    return 2
  }
  if (name === '--help' || name === '-h' || name === 'help') return await help(rest[0], commands, terminal)
  const command = commands[name === '--version' || name === '-v' ? 'version' : name]
  if (command === undefined) return unknownCommand(name, commands, terminal)
  const wantsHelp = rest.includes('--help') || rest.includes('-h')
  if (wantsHelp && command.help !== undefined) return help(name, commands, terminal)
  try {
    return await command.run(rest, terminal)
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown
    terminal.err(`trunkline ${name}: ${thrown.message}\nTry: trunkline ${name} --help\n`)
    return 2
  }
}

async function help(
  name: string | undefined,
  commands: Readonly<Record<string, Command>>,
  terminal: Terminal,
): Promise<ExitCode> {
  if (name === undefined) {
    terminal.out(overview(commands))
    return 0
  }
  const command = commands[name]
  if (command === undefined) return unknownCommand(name, commands, terminal)
  if (command.help === undefined) return command.run(['--help'], terminal)
  terminal.out(command.help)
  return 0
}

function unknownCommand(name: string, commands: Readonly<Record<string, Command>>, terminal: Terminal): ExitCode {
  const meant = nearest(name, Object.keys(commands))
  terminal.err(`trunkline: unknown command ${name}${meant === undefined ? '' : `, did you mean ${meant}?`}\n\n`)
  terminal.err(overview(commands))
  return 2
}

function overview(commands: Readonly<Record<string, Command>>): string {
  const lines = Object.entries(commands).map(([name, command]) => `  ${name.padEnd(9)}${command.summary}`)
  return `trunkline: a WebRTC-to-SIP gateway\n\nUsage: trunkline COMMAND [OPTIONS]\n\n${lines.join('\n')}\n\nEach command knows --help.\n`
}

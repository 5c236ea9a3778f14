import { GatewayError } from '../../src/base/index.ts'
import { type BenchArguments, type BenchCommand, benchArguments, UsageError } from './options.ts'

/**
 * A bench as a program: reads the command line, runs, and ends with its status.
 *
 * 0: measured, and every `--require` holds. 1: one does not, or it could not be measured. 2: the command line is wrong.
 */
export async function runBench(command: BenchCommand, run: (args: BenchArguments) => Promise<number>): Promise<void> {
  const args = benchArguments(command, process.argv.slice(2))
  const status = await run(args).catch((error: unknown) => {
    process.stderr.write(`\n${command.name}: ${textOf(error)}\n`)
    return error instanceof UsageError ? 2 : 1
  })
  process.exit(status)
}

/** What is meant for a person has a sentence; anything else is a bug, and its place is told. */
function textOf(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\nTry --help.`
  if (error instanceof GatewayError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

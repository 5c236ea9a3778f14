import { runIsolated } from './network.ts'
import { loadProgram } from './programs.ts'

/**
 * Gets the load generator and, where that is allowed, runs the bench again in a network namespace of its own.
 *
 * @returns The status of that run, or the generator's program: then this process is the one to measure.
 * @throws GatewayError that says what is missing.
 */
export async function isolateBench(
  script: string,
): Promise<{ readonly status: number } | { readonly program: string }> {
  const program = await loadProgram()
  process.env.TRUNKLINE_LOAD_BIN = program
  const status = await runIsolated(script)
  return status === undefined ? { program } : { status }
}

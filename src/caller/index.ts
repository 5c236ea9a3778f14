/** Runs `trunkline call`. */
export async function runCallCommand(_argv: readonly string[]): Promise<number> {
  process.stderr.write('trunkline call is not there yet\n')
  return 1
}

import { asGatewayError } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import { type Command, readArguments, type Terminal, UsageError } from './command.ts'
import { loadConfig } from './load.ts'

export interface CheckDependencies {
  /** Which media engine a start would take, in words. @throws GatewayError if it could not be had. */
  readonly engineOf: (config: Config, env: Terminal['env']) => string
}

export function checkCommand({ engineOf }: CheckDependencies): Command {
  return {
    summary: 'check a configuration file and name every mistake in it',
    help: `Usage: trunkline check FILE

Reads the configuration and says what is wrong: every mistake with its line, its path and what was expected.
Secrets given as env:NAME or file:PATH are looked up too. Nothing is started.

Exit code: 0 if the file can be used, 1 if not, 2 if the command line is wrong.
`,
    async run(argv, terminal) {
      const { positionals } = readArguments(argv, {}, { atMost: 1 })
      const [path] = positionals
      if (path === undefined) throw new UsageError('name the file to check')
      try {
        const config = loadConfig(path, terminal.env)
        const users = config.tenants.reduce((sum, tenant) => sum + tenant.users.length, 0)
        const trunks = config.tenants.reduce((sum, tenant) => sum + tenant.trunks.length, 0)
        terminal.out(`${path} is fine: tenants ${config.tenants.length}, users ${users}, trunks ${trunks}\n`)
        terminal.out(`  media engine: ${engineOf(config, terminal.env)}\n`)
        for (const notice of config.notices) terminal.out(`  note: ${notice}\n`)
        return 0
      } catch (thrown) {
        const error = asGatewayError(thrown)
        if (error.code === 'INTERNAL') throw thrown
        terminal.err(`${error.message}\n`)
        return 1
      }
    },
  }
}

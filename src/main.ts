import { callCommand, checkCommand, runCli, startCommand, type Terminal, version } from './cli/index.ts'
import { engineOf, SIP_PATH, startTrunkline } from './compose.ts'
import { randomIds } from './random.ts'

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  env: process.env,
  isTty: process.stderr.isTTY,
}

const commands = {
  start: startCommand({ start: startTrunkline, sipPath: SIP_PATH, newToken: () => randomIds.token(130) }),
  check: checkCommand({ engineOf }),
  call: callCommand(async () => (await import('./caller/index.ts')).runCallCommand),
  version,
}

// Whoever read our output has gone (`| head`): the gateway goes on without telling.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

// What nobody caught is a bug: say so and stop, rather than go on with half a state.
process.on('uncaughtException', (error) => {
  terminal.err(`trunkline: a bug: ${error.stack ?? error.message}\n`)
  process.exit(1)
})

process.exit(await runCli(process.argv.slice(2), commands, terminal))

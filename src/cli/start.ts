import { isIP } from 'node:net'
import { asGatewayError, Secret } from '../base/index.ts'
import { type Config, demoConfig } from '../config/index.ts'
import { createLog, type Log } from '../telemetry/index.ts'
import { VERSION } from '../version.ts'
import { banner } from './banner.ts'
import { type Command, type ExitCode, readArguments, type Terminal, UsageError } from './command.ts'
import { loadConfig, newPassword } from './load.ts'
import { withFreePorts } from './ports.ts'
import { untilStopped } from './signals.ts'

/** What the composition root gives: start, and what was started. */
export interface Startable {
  readonly http: { readonly host: string; readonly port: number }
  readonly https?: { readonly host: string; readonly port: number }
  readonly sip: readonly { readonly transport: string; readonly host: string; readonly port: number }[]
  readonly media: string
  /** Reads certificates, keys and CAs again. */
  reload(): void
  stop(): Promise<void>
}

export interface StartDependencies {
  readonly start: (config: Config, options: { readonly log: Log; readonly operatorToken: Secret }) => Promise<Startable>
  readonly sipPath: string
  readonly newToken: () => string
}

const HELP = `Usage: trunkline start [--config FILE] [--host ADDRESS]

Starts the gateway and runs until Ctrl-C (SIGINT) or SIGTERM: new calls are refused, calls that are up are ended
politely, sockets are closed. A second signal stops at once. SIGHUP reads certificates again, where there are any.

  --config FILE      what to listen on, tenants, trunks; see docs/config.md
  --host ADDRESS     without a file: listen on this address instead of 127.0.0.1, for phones in the local network
  --log-level LEVEL  debug, info, warn or error; stronger than the file

Without --config there is a demo tenant with three users whose passwords are made for this run.

Exit code: 0 after a stop, 1 if it could not start, 2 if the command line is wrong.
`

export function startCommand(dependencies: StartDependencies): Command {
  return {
    summary: 'start the gateway',
    help: HELP,
    async run(argv, terminal) {
      const { values } = readArguments(argv, {
        config: { type: 'string' },
        host: { type: 'string' },
        'log-level': { type: 'string' },
      })
      if (values.config !== undefined && values.host !== undefined) {
        throw new UsageError('--host is for a start without a file; write the addresses in the file (listen)')
      }
      const level = levelOf(values['log-level'])
      try {
        const prepared = await prepare(values, terminal)
        const config =
          level === undefined ? prepared.config : { ...prepared.config, log: { ...prepared.config.log, level } }
        return await run({ config, notes: prepared.notes }, dependencies, terminal)
      } catch (thrown) {
        return explainFailure(thrown, terminal)
      }
    },
  }
}

interface Prepared {
  readonly config: Config
  readonly notes: readonly string[]
}

async function prepare(
  values: { readonly config?: string | undefined; readonly host?: string | undefined },
  terminal: Terminal,
): Promise<Prepared> {
  if (values.config !== undefined) return { config: loadConfig(values.config, terminal.env), notes: [] }
  const host = values.host ?? '127.0.0.1'
  if (isIP(host) === 0) throw new UsageError(`--host needs an IP address of this machine, not ${host}`)
  const { config, notes } = await withFreePorts(demoConfig(host, newPassword))
  return { config, notes: isLoopback(host) ? notes : [...notes, ...openToOthers()] }
}

function openToOthers(): readonly string[] {
  return [
    'the page gives the demo accounts to every browser in your private network; let nobody else through',
    'browsers give the microphone to pages from localhost or https only: other machines need listen.https in a file, or a proxy in front',
  ]
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.')
}

async function run(prepared: Prepared, dependencies: StartDependencies, terminal: Terminal): Promise<ExitCode> {
  const { config } = prepared
  const log = createLog({ level: config.log.level, format: logFormat(config, terminal) })
  const operatorToken = config.api.token ?? new Secret(dependencies.newToken())
  const started = await dependencies.start(config, { log, operatorToken })
  terminal.out(
    banner({
      version: VERSION,
      config,
      http: started.http,
      ...(started.https === undefined ? {} : { https: started.https }),
      sip: started.sip,
      sipPath: dependencies.sipPath,
      media: started.media,
      apiToken: operatorToken.reveal(),
      apiTokenIsNew: config.api.token === undefined,
      notes: prepared.notes,
    }),
  )
  // Elsewhere SIGHUP means that the terminal has gone.
  if (usesTls(config)) process.on('SIGHUP', started.reload)
  const forced = await untilStopped(process, (signal) => {
    log.info({ signal }, 'stopping: calls are being ended; the same signal again stops at once')
    return started.stop()
  })
  process.off('SIGHUP', started.reload)
  return forced ? 130 : 0
}

function usesTls({ tls, tenants }: Config): boolean {
  const files = [
    ...tls.certificates,
    tls.ca,
    tls.clientCa,
    ...tenants.flatMap(({ trunks }) => trunks.map((t) => t.tls)),
  ]
  return files.some((each) => each !== undefined)
}

function logFormat(config: Config, terminal: Terminal): 'json' | 'text' {
  if (config.log.format !== 'auto') return config.log.format
  return terminal.isTty ? 'text' : 'json'
}

function levelOf(text: string | undefined): Config['log']['level'] | undefined {
  if (text === undefined || text === 'debug' || text === 'info' || text === 'warn' || text === 'error') return text
  throw new UsageError(`--log-level is debug, info, warn or error, not ${text}`)
}

function explainFailure(thrown: unknown, terminal: Terminal): ExitCode {
  const error = asGatewayError(thrown)
  if (thrown instanceof UsageError || error.code === 'INTERNAL') throw thrown
  terminal.err(`trunkline: ${error.message} (${error.code})\n`)
  if (error.code === 'LISTEN_FAILED') terminal.err(`${adviceFor(error.message)}\n`)
  return 1
}

function adviceFor(problem: string): string {
  if (/EADDRNOTAVAIL/.test(problem)) return 'This machine has no such address; ip address shows those it has.'
  if (/EACCES/.test(problem)) return 'Ports below 1024 need more rights; take a higher one.'
  return 'Another program uses it: ss -lntup shows which. Stop that one, or give other ports (listen, media) in --config.'
}

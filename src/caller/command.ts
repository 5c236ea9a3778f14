import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { randomIds } from '../random.ts'
import { VERSION } from '../version.ts'
import { type CallReport, measuredCall } from './measured-call.ts'
import { openPlainPeer } from './plain-peer.ts'
import { localAddressToward } from './resolve.ts'
import { callSummary, cameBack } from './summary.ts'
import { type CallTarget, callTarget } from './target.ts'
import { UserAgent } from './user-agent.ts'
import { openWebRtcPeer } from './webrtc-peer.ts'
import { openWebSocket, openWire, type Trust, type Wire } from './wire.ts'

const HELP = `Makes a test call, sends a tone and measures what comes back.

Usage: trunkline call sip:USER@HOST[:PORT][;transport=tcp|tls] [OPTIONS] a SIP call with plain RTP; also sips:
       trunkline call ws://HOST[:PORT]/sip --to USER [OPTIONS]           a WebRTC call (ICE, DTLS-SRTP); also wss://

  --user NAME        account to call from (default: caller)
  --password TEXT    its password; better in the environment as TRUNKLINE_PASSWORD
  --domain NAME      SIP domain of the account (default: the host)
  --to USER          whom to call, for example "*43", or a whole sip: URI
  --register         register the account first, and take that back at the end
  --seconds N        how long to talk, 1 to 3600 (default 5); Ctrl-C ends it early
  --tone HZ          the tone that is sent, 100 to 3400 (default 620)
  --ca FILE          CAs (PEM) that a server over TLS or wss is verified with, instead of the usual ones
  --json FILE        write the figures as JSON
  --help             show this text

Prints the set-up times (to 180, to 200, to first audio), loss, jitter and whether the tone came back.
Exit status: 0 audio came back on an answered call, 1 it did not or the call failed, 2 the command line is wrong.
`

interface Wanted {
  readonly target: CallTarget
  readonly user: string
  readonly password: string | undefined
  readonly register: boolean
  readonly seconds: number
  readonly toneHz: number
  readonly ca: string | undefined
  readonly json: string | undefined
}

/** `trunkline call`. Returns the exit status. */
export async function runCallCommand(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(HELP)
    return 0
  }
  let wanted: Wanted
  try {
    wanted = readWanted(argv)
  } catch (error) {
    process.stderr.write(`trunkline call: ${messageOf(error)}\nTry: trunkline call --help\n`)
    return 2
  }
  try {
    const report = await callOnce(wanted)
    process.stdout.write(callSummary(report, wanted.toneHz))
    if (wanted.json !== undefined) await writeJson(wanted.json, wanted, report)
    return report.stream.received > 0 ? 0 : 1
  } catch (error) {
    process.stderr.write(`trunkline call: ${messageOf(error)}\n`)
    return 1
  }
}

async function callOnce(wanted: Wanted): Promise<CallReport> {
  const { target } = wanted
  const wire = await openWireTo(target, await trustOf(wanted))
  const agent = new UserAgent({
    wire,
    user: wanted.user,
    domain: target.domain,
    ...(wanted.password === undefined ? {} : { password: wanted.password }),
    ids: randomIds,
    product: `Trunkline-call/${VERSION}`,
  })
  const interrupted = new AbortController()
  const interrupt = (): void => interrupted.abort()
  process.once('SIGINT', interrupt)
  try {
    if (wanted.register) await agent.register()
    process.stdout.write(`calling ${target.uri} as ${agent.aor} by ${wire.server} (${MEDIA[target.media]})\n`)
    return await measuredCallOf(agent, wanted, interrupted.signal)
  } finally {
    process.off('SIGINT', interrupt)
    await agent.unregister()
    agent.close()
  }
}

function openWireTo({ transport, server, webSocket }: CallTarget, trust: Trust): Promise<Wire> {
  if (webSocket !== undefined) return openWebSocket(webSocket, trust)
  return openWire(transport === 'tcp' || transport === 'tls' ? transport : 'udp', server, trust)
}

async function trustOf({ ca }: Wanted): Promise<Trust> {
  return ca === undefined ? {} : { ca: await readFile(ca, 'utf8') }
}

async function measuredCallOf(agent: UserAgent, wanted: Wanted, signal: AbortSignal): Promise<CallReport> {
  const host = await localAddressToward(wanted.target.server.host)
  const peer = await (wanted.target.media === 'webrtc' ? openWebRtcPeer(host) : openPlainPeer(host))
  try {
    return await measuredCall(agent, peer, {
      uri: wanted.target.uri,
      toneHz: wanted.toneHz,
      seconds: wanted.seconds,
      signal,
      onStep: (step, afterMs) => process.stdout.write(`  ${afterMs.toFixed(1).padStart(8)} ms  ${step}\n`),
    })
  } finally {
    peer.close()
  }
}

function readWanted(argv: readonly string[]): Wanted {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      user: { type: 'string', default: 'caller' },
      password: { type: 'string' },
      domain: { type: 'string' },
      to: { type: 'string' },
      register: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '5' },
      tone: { type: 'string', default: '620' },
      ca: { type: 'string' },
      json: { type: 'string' },
    },
  })
  const [target, extra] = positionals
  if (target === undefined) throw new Error('say what to call: sip:USER@HOST or ws://HOST/sip')
  if (extra !== undefined) throw new Error(`unexpected argument: ${extra}`)
  return {
    target: callTarget(target, {
      ...(values.to === undefined ? {} : { to: values.to }),
      ...(values.domain === undefined ? {} : { domain: values.domain }),
    }),
    user: values.user,
    password: values.password ?? (process.env.TRUNKLINE_PASSWORD || undefined),
    register: values.register,
    seconds: inRange('--seconds', values.seconds, 1, 3_600),
    toneHz: inRange('--tone', values.tone, 100, 3_400),
    ca: values.ca,
    json: values.json,
  }
}

function inRange(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= least && value <= most)) {
    throw new Error(`${name} must be a number from ${least} to ${most}, not "${text}"`)
  }
  return value
}

async function writeJson(file: string, { toneHz, seconds, target }: Wanted, report: CallReport): Promise<void> {
  const figures = {
    uri: target.uri,
    transport: target.transport,
    seconds,
    ...report,
    tone: { hz: toneHz, ...report.tone, cameBack: cameBack(report.tone) },
  }
  await writeFile(file, `${JSON.stringify(figures, undefined, 2)}\n`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

const MEDIA = { webrtc: 'WebRTC', plain: 'RTP' } as const

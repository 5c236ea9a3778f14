import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { VERSION } from '../version.ts'
import { randomIds } from './ids.ts'
import { localAddressToward } from './local-address.ts'
import { type CallReport, measuredCall } from './measured-call.ts'
import { openPlainPeer } from './plain-peer.ts'
import { type CallTarget, callTarget } from './target.ts'
import { UserAgent } from './user-agent.ts'
import { openWebRtcPeer } from './webrtc-peer.ts'
import { openWebSocket, openWire } from './wire.ts'

const HELP = `Makes a test call, sends a tone and measures what comes back.

Usage: trunkline call sip:USER@HOST[:PORT][;transport=tcp] [OPTIONS]     a SIP call with plain RTP
       trunkline call ws://HOST[:PORT]/sip --to USER [OPTIONS]           a WebRTC call (ICE, DTLS-SRTP)

  --user NAME        account to call from (default: caller)
  --password TEXT    its password; better in the environment as TRUNKLINE_PASSWORD
  --domain NAME      SIP domain of the account (default: the host)
  --to USER          whom to call, for example "*43"
  --register         register the account first
  --seconds N        how long to talk, 1 to 3600 (default 5)
  --tone HZ          the tone that is sent, 100 to 3400 (default 620)
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
    process.stdout.write(summary(report, wanted.toneHz))
    if (wanted.json !== undefined) await writeFile(wanted.json, `${JSON.stringify(report, undefined, 2)}\n`)
    return report.stream.received > 0 ? 0 : 1
  } catch (error) {
    process.stderr.write(`trunkline call: ${messageOf(error)}\n`)
    return 1
  }
}

async function callOnce(wanted: Wanted): Promise<CallReport> {
  const { target } = wanted
  const wire = await (target.webSocket === undefined
    ? openWire(target.transport === 'tcp' ? 'tcp' : 'udp', target.server)
    : openWebSocket(target.webSocket))
  const agent = new UserAgent({
    wire,
    user: wanted.user,
    domain: target.domain,
    ...(wanted.password === undefined ? {} : { password: wanted.password }),
    ids: randomIds,
    product: `Trunkline-call/${VERSION}`,
  })
  const host = await localAddressToward(target.server.host)
  const peer = await (target.media === 'webrtc' ? openWebRtcPeer(host) : openPlainPeer(host))
  try {
    if (wanted.register) await agent.register()
    process.stdout.write(
      `calling ${target.to}@${target.domain} as ${wanted.user} (${target.media}, ${target.transport})\n`,
    )
    return await measuredCall(agent, peer, {
      to: target.to,
      domain: target.domain,
      toneHz: wanted.toneHz,
      seconds: wanted.seconds,
      onStep: (step, afterMs) => process.stdout.write(`  ${afterMs.toFixed(1).padStart(8)} ms  ${step}\n`),
    })
  } finally {
    peer.close()
    agent.close()
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
    password: values.password ?? process.env.TRUNKLINE_PASSWORD,
    register: values.register,
    seconds: inRange('--seconds', values.seconds, 1, 3_600),
    toneHz: inRange('--tone', values.tone, 100, 3_400),
    json: values.json,
  }
}

function inRange(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!(value >= least && value <= most))
    throw new Error(`${name} must be a number from ${least} to ${most}, not "${text}"`)
  return value
}

function summary(report: CallReport, toneHz: number): string {
  const { stream, tone } = report
  const ms = (value: number | undefined): string => (value === undefined ? 'never' : `${value.toFixed(1)} ms`)
  const share = stream.received + stream.lost === 0 ? 0 : (100 * stream.lost) / (stream.received + stream.lost)
  return [
    `set-up  180 ${ms(report.ringingMs)}, 200 ${ms(report.answeredMs)}, first audio ${ms(report.firstAudioMs)}`,
    `audio   sent ${report.sent}, received ${stream.received}, lost ${stream.lost} (${share.toFixed(2)} %), reordered ${stream.reordered}, jitter ${stream.jitterMs.toFixed(2)} ms`,
    tone.windows === 0
      ? 'tone    no audio that could be judged'
      : `tone    ${toneHz} Hz ${tone.heard * 2 > tone.windows ? 'came back' : 'did not come back'} (in ${tone.heard} of ${tone.windows} windows of 100 ms)`,
    '',
  ].join('\n')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

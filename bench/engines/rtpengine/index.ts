import { type Child, startChild } from '../../../test/interop/support/child.ts'
import type { CallWish, Engine, EngineSetting, Network, OpenCall, RunningRelay } from '../../load/index.ts'
import { NgClient } from './ng.ts'
import { placeOf, sdpOf } from './sdp.ts'

const CONTROL_PORT = 2_223
/** An answer with four ports each, and room for those that rest. */
const PORTS = { from: 20_000, to: 59_999 }

/** rtpengine of the system, forwarding in userspace on one thread, driven by its own control protocol. */
export const rtpengine: Engine = {
  key: 'rtpengine',
  modes: ['srtp-rtp', 'rtp-rtp'],
  missing: async () =>
    (await versionOf()) === undefined ? 'not installed (Debian: apt-get install rtpengine-daemon)' : undefined,
  start,
}

async function start({ network }: EngineSetting): Promise<RunningRelay> {
  const host = network.relayAddress
  const child = startRtpengine(network)
  try {
    const control = await NgClient.open(host, CONTROL_PORT)
    await control.ask('ping', {}).catch((error) => {
      throw new Error(`${error.message}\n${child.output()}`)
    })
    return {
      name: `rtpengine ${(await versionOf()) ?? ''} (userspace)`,
      pid: child.process.pid ?? 0,
      open: (wish) => open(control, wish),
      stop: async () => {
        control.close()
        await child.stop('SIGKILL') // It would say goodbye to each call first.
      },
    }
  } catch (error) {
    await child.stop('SIGKILL')
    throw error
  }
}

function startRtpengine(network: Network): Child {
  const [command, args] = network.onCores([network.relayCore], 'rtpengine', [
    '--foreground',
    '--log-stderr',
    '--log-level=5',
    '--no-log-timestamps',
    '--config-file=none',
    '--table=-1',
    '--num-threads=1',
    '--delete-delay=0',
    `--interface=${network.relayAddress}`,
    `--listen-ng=${network.relayAddress}:${CONTROL_PORT}`,
    `--port-min=${PORTS.from}`,
    `--port-max=${PORTS.to}`,
  ])
  return startChild(command, args)
}

async function open(control: NgClient, wish: CallWish): Promise<OpenCall> {
  const [first, second] = wish.ends
  const common = { 'call-id': wish.id, 'from-tag': 'first', ICE: 'remove', replace: ['origin', 'session-connection'] }
  const offered = await control.ask('offer', { ...common, 'transport-protocol': 'RTP/AVP', sdp: sdpOf(first) })
  const answered = await control.ask('answer', { ...common, 'to-tag': 'second', sdp: sdpOf(second) })
  return { wish, places: [placeOf(String(answered.sdp)), placeOf(String(offered.sdp))] }
}

async function versionOf(): Promise<string | undefined> {
  const child = startChild('rtpengine', ['--version'])
  const match = await child.sees(/Version: (\d+(?:\.\d+)*)/).catch(() => undefined)
  return match?.[1]
}

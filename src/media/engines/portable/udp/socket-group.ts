import { isIPv4 } from 'node:net'
import { GatewayError } from '../../../../base/index.ts'
import { isLocal } from '../addresses.ts'
import type { PortRange } from '../config.ts'
import { UdpSocket } from './socket.ts'

/** The sockets of one WebRTC port: one for each advertised address, so that answers leave from where checks went. */
export interface SocketGroup {
  readonly port: number
  readonly addresses: readonly string[]
  readonly sockets: readonly UdpSocket[]
}

/**
 * Binds every port of the range that is free. `0` lets the system choose.
 *
 * @throws GatewayError `LISTEN_FAILED`: none could be bound.
 */
export async function bindGroups(
  range: PortRange,
  advertise: readonly string[],
  bind: string | undefined,
): Promise<readonly SocketGroup[]> {
  const groups: SocketGroup[] = []
  let cause: unknown
  for (let port = range.from; port <= range.to && groups.length < MAX_GROUPS; port++) {
    try {
      groups.push(await bindGroup(port, advertise, bind))
    } catch (error) {
      cause = error
    }
  }
  if (groups.length > 0) return groups
  const ports = `${range.from}-${range.to}`
  throw new GatewayError('LISTEN_FAILED', `no UDP port of ${ports} can be used for WebRTC`, { cause })
}

async function bindGroup(wanted: number, advertise: readonly string[], bind: string | undefined): Promise<SocketGroup> {
  const sockets: UdpSocket[] = []
  let port = wanted
  try {
    for (const address of bindAddresses(advertise, bind)) {
      const socket = await UdpSocket.bind(address, port, WEBRTC_BUFFER_BYTES)
      port = socket.port
      sockets.push(socket)
    }
  } catch (error) {
    await Promise.all(sockets.map((socket) => socket.close()))
    throw error
  }
  return { port, addresses: advertise, sockets }
}

/** Behind a one-to-one NAT the advertised address is not ours: then one socket for all of its family. */
export function bindAddresses(advertise: readonly string[], bind: string | undefined): readonly string[] {
  if (bind !== undefined) return [bind]
  if (advertise.every(isLocal)) return [...new Set(advertise)]
  return [...new Set(advertise.map((address) => (isIPv4(address) ? '0.0.0.0' : '::')))]
}

const MAX_GROUPS = 16
/** Room for a burst of all calls of one port while the process is busy for some milliseconds. */
const WEBRTC_BUFFER_BYTES = 4_194_304

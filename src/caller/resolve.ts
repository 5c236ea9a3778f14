import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { GatewayError } from '../base/index.ts'
import type { HostPort } from '../sip/index.ts'

/**
 * The address a host name stands for, the first one the system gives; an address stays itself.
 *
 * @throws GatewayError `SIP_FLOW_GONE` if there is none.
 */
export async function resolveHost(host: string): Promise<string> {
  try {
    return (await lookup(host)).address
  } catch (cause) {
    throw new GatewayError('SIP_FLOW_GONE', `there is no host "${host}"`, { cause })
  }
}

/** The server with its name resolved. See `resolveHost` for what is thrown. */
export async function resolveServer(server: HostPort): Promise<HostPort> {
  return { host: await resolveHost(server.host), port: server.port }
}

/**
 * The address of this machine that packets to `host` leave from: what a peer there can answer to.
 *
 * @throws GatewayError `SIP_FLOW_GONE` if the host is unknown or no route leads there.
 */
export async function localAddressToward(host: string): Promise<string> {
  const address = await resolveHost(host)
  const socket = createSocket(isIpv6(address) ? 'udp6' : 'udp4')
  try {
    // Connecting a UDP socket sends nothing; it only asks the routing table.
    socket.connect(9, address)
    await once(socket, 'connect')
    return socket.address().address
  } catch (cause) {
    throw new GatewayError('SIP_FLOW_GONE', `no way leads from this machine to ${address}`, { cause })
  } finally {
    socket.close()
  }
}

export function isIpv6(address: string): boolean {
  return address.includes(':')
}

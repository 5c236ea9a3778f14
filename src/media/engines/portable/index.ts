import type { MediaEngine } from '../../engine.ts'
import { machineAddresses } from './addresses.ts'
import { systemClock } from './clock.ts'
import type { PortableConfig } from './config.ts'
import { PortableEngine } from './engine.ts'
import { bindGroups } from './udp/socket-group.ts'

export type { MediaClock, MediaLog, PortableConfig, PortableLimits, PortRange } from './config.ts'

/**
 * The engine in TypeScript: runs wherever Node runs, for small scale.
 *
 * @throws GatewayError `LISTEN_FAILED`: none of the WebRTC ports could be bound.
 */
export async function createPortableEngine(config: PortableConfig): Promise<MediaEngine> {
  const given = config.advertise ?? []
  const advertise = given.length > 0 ? given : machineAddresses()
  const groups = await bindGroups(config.webrtcPorts, advertise, config.bind)
  return new PortableEngine({ config, clock: config.clock ?? systemClock, advertise, groups })
}

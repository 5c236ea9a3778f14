import { GatewayError } from '../../../base/index.ts'
import type { MediaEngine } from '../../engine.ts'
import type { PortableConfig } from './config.ts'

export type { MediaClock, MediaLog, PortableConfig, PortableLimits, PortRange } from './config.ts'

/**
 * The engine in TypeScript: runs wherever Node runs, for small scale.
 *
 * @throws GatewayError `MEDIA_PORTS_EXHAUSTED`: none of the WebRTC ports could be bound.
 */
export async function createPortableEngine(_config: PortableConfig): Promise<MediaEngine> {
  throw new GatewayError('MEDIA_ENGINE_LOST', 'the portable engine is not there yet')
}

import { GatewayError } from '../base/index.ts'
import type { Gateway, GatewayOptions } from './model.ts'

export type * from './core-model.ts'
export type * from './model.ts'

/**
 * Opens the sockets and starts taking calls.
 *
 * @throws GatewayError `LISTEN_FAILED`: an address cannot be listened on; nothing stays open.
 */
export async function createGateway(_options: GatewayOptions): Promise<Gateway> {
  throw new GatewayError('LISTEN_FAILED', 'the gateway is not there yet')
}

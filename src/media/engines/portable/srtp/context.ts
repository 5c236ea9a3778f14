import type { SrtpContext, SrtpOptions } from './model.ts'

/**
 * Makes one direction of SRTP under one master key.
 *
 * @throws GatewayError `MEDIA_SPEC_INVALID`: key or salt of the wrong length.
 */
export function createSrtpContext(_options: SrtpOptions): SrtpContext {
  throw new Error('not there yet')
}

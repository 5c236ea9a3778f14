import type { StreamRtcp, StreamRtcpOptions } from './model.ts'

export function createStreamRtcp(_options: StreamRtcpOptions): StreamRtcp {
  throw new Error('not there yet')
}

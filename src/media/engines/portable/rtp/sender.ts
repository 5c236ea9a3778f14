import type { RtpSender, RtpSenderOptions } from './model.ts'

export function createRtpSender(_options: RtpSenderOptions): RtpSender {
  throw new Error('not there yet')
}

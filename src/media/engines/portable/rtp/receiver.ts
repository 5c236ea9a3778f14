import type { RtpReceiver } from './model.ts'

export function createRtpReceiver(): RtpReceiver {
  throw new Error('not there yet')
}

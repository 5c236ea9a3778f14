export { buildRtp, type OutgoingRtp } from './build.ts'
export { createDtmfDetector } from './dtmf-detector.ts'
export { decodeG711, encodeG711, type G711Law } from './g711.ts'
export type {
  DtmfDetector,
  DtmfDigit,
  Route,
  RtcpNews,
  RtpReceiver,
  RtpSender,
  RtpSenderOptions,
  SenderClock,
  StreamRtcp,
  StreamRtcpOptions,
} from './model.ts'
export { emptyHeader, isRtcp, isRtp, RTP_HEADER_BYTES, type RtpHeader, readRtp } from './packet.ts'
export { createRtpReceiver } from './receiver.ts'
export { createRtpSender } from './sender.ts'
export { createStreamRtcp } from './stream-rtcp.ts'
export { buildTelephoneEvent, eventOf } from './telephone-event.ts'
export { createSilence, createTone, type Tone, toneLevel } from './tone.ts'

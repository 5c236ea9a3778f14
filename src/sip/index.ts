export { answerChallenge, type ChallengeAnswer, parseChallenges } from './auth/client.ts'
export type * from './auth/model.ts'
export { createNonces, type NonceOptions, type Nonces } from './auth/nonces.ts'
export { createChallenge, type DigestProof, parseAuthorization, verifyDigest } from './auth/server.ts'
export { ALLOW, ALLOW_IN_CALL, isSupported, outsideDialog, SUPPORTED, SUPPORTED_IN_CALL } from './capabilities.ts'
export {
  acceptInDialog,
  ackInDialog,
  type Dialog,
  dialogFromRequest,
  dialogFromResponse,
  type InDialogParts,
  nextHopUri,
  refreshTarget,
  requestInDialog,
} from './dialog/dialog.ts'
export { targetOf, withTlsProfile } from './dialog/target.ts'
export { createSipEndpoint, type SipCounters, type SipEndpoint } from './endpoint.ts'
export type * from './endpoint-model.ts'
export type * from './flow.ts'
export { isReliable } from './flow.ts'
export { type Located, locate } from './locate/locate.ts'
export { type LocatedTarget, type LocatedTargets, Locator, type LocatorOutput } from './locate/locator.ts'
export type * from './locate/model.ts'
export {
  type Body,
  createRequest,
  createResponse,
  type ReplyParts,
  type RequestParts,
  type ResponseParts,
  replyTo,
  withHeaders,
} from './message/create.ts'
export type { Headers } from './message/headers.ts'
export { isIpAddress } from './message/ip-address.ts'
export type * from './message/model.ts'
export { parseNameAddr, writeNameAddr } from './message/name-addr.ts'
export { type Params, parseParams } from './message/params.ts'
export { parseMessage } from './message/parse.ts'
export { reasonPhrase } from './message/reason-phrase.ts'
export { parseUri, uriEquals, writeUri } from './message/uri.ts'
export { writeMessage } from './message/write.ts'
export { isWildcard, type OwnAddress, ownAddressFor } from './own-addresses.ts'
export { createStreamFramer, type Framed, type StreamFramer } from './stream-framer.ts'

export { hostCandidates } from './candidates.ts'
export { LiteAgent } from './lite-agent.ts'
export { type MuxPeer, WebRtcMux, type WebRtcPath } from './mux.ts'

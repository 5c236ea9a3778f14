export { addressBytes, buildStun, errorCode, type StunParts, xorMappedAddress } from './build.ts'
export { integrity, isAuthentic } from './integrity.ts'
export { ATTRIBUTE, BINDING, parseStun, type StunMessage } from './message.ts'

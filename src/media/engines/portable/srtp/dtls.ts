import type { SrtpSuite } from '../../../model.ts'
import { createSrtpContext } from './context.ts'
import type { SrtpPair } from './model.ts'

/** What the DTLS handshake exported, as seen from us (RFC 5764 §4.2). */
export interface ExportedKeys {
  readonly suite: SrtpSuite
  readonly local: { readonly key: Buffer; readonly salt: Buffer }
  readonly remote: { readonly key: Buffer; readonly salt: Buffer }
}

/** Both contexts of a DTLS-SRTP association. @throws GatewayError `MEDIA_SPEC_INVALID`: a length is wrong. */
export function contextsFromDtls({ suite, local, remote }: ExportedKeys): SrtpPair {
  return {
    send: createSrtpContext({ suite, masterKey: local.key, masterSalt: local.salt, direction: 'send' }),
    receive: createSrtpContext({ suite, masterKey: remote.key, masterSalt: remote.salt, direction: 'receive' }),
  }
}

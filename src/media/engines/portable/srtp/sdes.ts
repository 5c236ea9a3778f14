import { randomBytes } from 'node:crypto'
import { GatewayError, Secret } from '../../../../base/index.ts'
import type { SdesKey, SrtpSuite } from '../../../model.ts'
import { createSrtpContext } from './context.ts'
import type { SrtpPair } from './model.ts'
import { parametersOf } from './suite.ts'

/** A fresh random key for one `a=crypto` line (RFC 4568 §6.1). */
export function sdesKey(suite: SrtpSuite, tag: number): SdesKey {
  const { keyLength, saltLength } = parametersOf(suite)
  return { tag, suite, key: new Secret(randomBytes(keyLength + saltLength).toString('base64')) }
}

/**
 * Both contexts of a negotiated pair of keys: we send with `local` and receive with `remote`.
 *
 * @throws GatewayError `MEDIA_SPEC_INVALID`: the suites differ, or a key has the wrong length.
 */
export function contextsFromSdes(local: SdesKey, remote: SdesKey): SrtpPair {
  if (local.suite !== remote.suite) {
    throw new GatewayError('MEDIA_SPEC_INVALID', `SDES suites differ: ${local.suite} and ${remote.suite}`)
  }
  return {
    send: createSrtpContext({ suite: local.suite, ...splitKey(local), direction: 'send' }),
    receive: createSrtpContext({ suite: remote.suite, ...splitKey(remote), direction: 'receive' }),
  }
}

function splitKey({ suite, key }: SdesKey): { masterKey: Buffer; masterSalt: Buffer } {
  const { keyLength, saltLength } = parametersOf(suite)
  const bytes = Buffer.from(key.reveal(), 'base64')
  if (bytes.length !== keyLength + saltLength) {
    throw new GatewayError('MEDIA_SPEC_INVALID', `an SDES key of ${suite} has ${bytes.length} bytes`)
  }
  return { masterKey: bytes.subarray(0, keyLength), masterSalt: bytes.subarray(keyLength) }
}

import { randomBytes } from 'node:crypto'
import { GatewayError, Secret } from '../../../../base/index.ts'
import type { SdesKey, SrtpSuite } from '../../../model.ts'
import { createSrtpContext } from './context.ts'
import type { SrtpContext, SrtpPair } from './model.ts'
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
  return new SdesContexts().of(local, remote)
}

/**
 * The contexts of one side over all its negotiations.
 *
 * A key of ours keeps its context however the peer's changes: begun anew, its first indices would come a second time,
 * under the same keystream (RFC 3711 §9.1). The peer's keeps its own while it stays the same, with its roll-over counter.
 */
export class SdesContexts {
  /** By key; there are as many as we offered. */
  readonly #sending = new Map<string, SrtpContext>()
  #receiving: { readonly key: string; readonly context: SrtpContext } | undefined

  /** @throws GatewayError `MEDIA_SPEC_INVALID`: the suites differ, or a key has the wrong length; nothing changed. */
  of(local: SdesKey, remote: SdesKey): SrtpPair {
    if (local.suite !== remote.suite) {
      throw new GatewayError('MEDIA_SPEC_INVALID', `SDES suites differ: ${local.suite} and ${remote.suite}`)
    }
    const [ours, theirs] = [nameOf(local), nameOf(remote)]
    const send = this.#sending.get(ours) ?? contextOf(local, 'send')
    const receive = this.#receiving?.key === theirs ? this.#receiving.context : contextOf(remote, 'receive')
    this.#sending.set(ours, send)
    this.#receiving = { key: theirs, context: receive }
    return { send, receive }
  }
}

function nameOf({ suite, key }: SdesKey): string {
  return `${suite} ${key.reveal()}`
}

function contextOf(key: SdesKey, direction: 'send' | 'receive'): SrtpContext {
  return createSrtpContext({ suite: key.suite, ...splitKey(key), direction })
}

function splitKey({ suite, key }: SdesKey): { masterKey: Buffer; masterSalt: Buffer } {
  const { keyLength, saltLength } = parametersOf(suite)
  const bytes = Buffer.from(key.reveal(), 'base64')
  if (bytes.length !== keyLength + saltLength) {
    throw new GatewayError('MEDIA_SPEC_INVALID', `an SDES key of ${suite} has ${bytes.length} bytes`)
  }
  return { masterKey: bytes.subarray(0, keyLength), masterSalt: bytes.subarray(keyLength) }
}

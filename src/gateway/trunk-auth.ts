import { encodeUtf8 } from '../base/index.ts'
import { answerChallenge, type HeaderField, parseChallenges, type SipResponse } from '../sip/index.ts'
import type { Tenant } from '../tenancy/index.ts'
import type { Outstanding } from './call-table.ts'
import type { CoreOptions } from './core-model.ts'

/**
 * The credentials that answer a challenge to one of our requests (RFC 3261 §22.2), if they may be given: the request
 * went to the trunk they belong to, the realm is that trunk's, and this request was not answered before.
 */
export function answerToChallenge(
  response: SipResponse,
  outstanding: Outstanding | undefined,
  options: Pick<CoreOptions, 'tenants' | 'ids' | 'hash'>,
): HeaderField | undefined {
  if (response.status !== 401 && response.status !== 407) return undefined
  if (outstanding?.credentialsOf === undefined) return undefined
  const { request, credentialsOf } = outstanding
  if (request.headers.has('Authorization') || request.headers.has('Proxy-Authorization')) return undefined
  const auth = trunkAuth(options.tenants, credentialsOf)
  if (auth === undefined) return undefined
  const { realm } = auth
  const challenge = parseChallenges(response).find(
    (candidate) => realm === undefined || candidate.realm === encodeUtf8(realm),
  )
  if (challenge === undefined) return undefined
  return answerChallenge({
    challenge,
    method: request.method,
    uri: request.uri,
    username: encodeUtf8(auth.username),
    password: encodeUtf8(auth.password.reveal()),
    cnonce: options.ids.token(),
    nonceCount: 1,
    hash: options.hash,
    body: request.body,
  })
}

function trunkAuth(tenants: readonly Tenant[], whose: { readonly tenant: string; readonly trunk: string }) {
  const tenant = tenants.find(({ domain }) => domain === whose.tenant)
  return tenant?.trunks.find(({ name }) => name === whose.trunk)?.auth
}

import { createHash } from 'node:crypto'
import { type ByteString, GatewayError, type IdSource } from '../base/index.ts'
import {
  answerChallenge,
  createRequest,
  createSipEndpoint,
  type DigestHash,
  type HeaderField,
  parseChallenges,
  replyTo,
  type SendTarget,
  type SipEndpoint,
  type SipInput,
  type SipOutput,
  type SipRequest,
  type SipResponse,
} from '../sip/index.ts'
import { CallerCall } from './call.ts'
import { isIpv6 } from './resolve.ts'
import type { Wire } from './wire.ts'

export interface UserAgentOptions {
  readonly wire: Wire
  readonly user: string
  readonly domain: string
  readonly password?: string
  readonly ids: IdSource
  readonly product: string
}

/** What became of a request that waits for its final response. */
interface Pending {
  readonly request: SipRequest
  readonly onProvisional: (response: SipResponse) => void
  readonly resolve: (outcome: { response: SipResponse; request: SipRequest; key: string }) => void
  readonly reject: (error: Error) => void
  /** Told the key of each attempt. */
  readonly onKey: (key: string) => void
  readonly authorized: boolean
}

/** A small user agent for measuring: one account, one wire, any number of calls at once. */
export class UserAgent {
  /** Called with an INVITE of somebody who calls us. Default: 486. */
  onIncoming: (call: CallerCall) => void = (call) => call.refuse(486)
  readonly ids: IdSource
  readonly #options: UserAgentOptions
  readonly #endpoint: SipEndpoint
  readonly #pending = new Map<string, Pending>()
  readonly #calls = new Map<string, CallerCall>()
  #timer: NodeJS.Timeout | undefined
  #keys = 0
  #registered = false
  #closed = false

  constructor(options: UserAgentOptions) {
    this.#options = options
    this.ids = options.ids
    const { transport, local } = options.wire.flow
    this.#endpoint = createSipEndpoint(
      { sentBy: { [transport]: local }, product: options.product },
      { ids: options.ids },
    )
    options.wire.onMessage = (data) => this.#handle({ kind: 'received', flow: options.wire.flow, data })
    options.wire.onClose = (cause) => this.#lost(cause)
  }

  /** Our address of record. */
  get aor(): ByteString {
    return `sip:${this.#options.user}@${this.#options.domain}`
  }

  get contact(): ByteString {
    const { transport, local } = this.#options.wire.flow
    const port = local.port === 0 ? '' : `:${local.port}`
    const host = isIpv6(local.host) ? `[${local.host}]` : local.host
    // RFC 7118 §5: the URI parameter is `ws` for secure WebSockets too.
    return `sip:${this.#options.user}@${host}${port};transport=${transport === 'wss' ? 'ws' : transport}`
  }

  get target(): SendTarget {
    return { kind: 'flow', flow: this.#options.wire.flow }
  }

  /** @throws GatewayError `CALL_REFUSED` with what the registrar said. */
  async register(expiresSeconds = 600): Promise<void> {
    await this.#register(expiresSeconds)
    this.#registered = true
  }

  /** Takes the registration back, so that nobody is rung who is not there; a registrar that fails does not matter. */
  async unregister(): Promise<void> {
    if (!this.#registered) return
    this.#registered = false
    await this.#register(0).catch(() => undefined)
  }

  async #register(expiresSeconds: number): Promise<void> {
    const request = this.request('REGISTER', `sip:${this.#options.domain}`, {
      to: this.aor,
      headers: [
        { name: 'Contact', value: `<${this.contact}>` },
        { name: 'Expires', value: String(expiresSeconds) },
      ],
    })
    const { response } = await this.send(request)
    if (response.status >= 300) throw this.refused('REGISTER', response)
  }

  /** Calls `uri` with an SDP offer. The call is returned at once; its promises tell what becomes of it. */
  call(uri: ByteString, offer: ByteString): CallerCall {
    return CallerCall.outgoing(this, uri, offer)
  }

  /** A request outside of dialogs with the headers every request has. */
  request(
    method: string,
    uri: ByteString,
    options: { to: ByteString; headers?: HeaderField[]; sdp?: ByteString },
  ): SipRequest {
    return createRequest({
      method,
      uri,
      headers: [
        { name: 'From', value: `<${this.aor}>;tag=${this.ids.token()}` },
        { name: 'To', value: `<${options.to}>` },
        { name: 'Call-ID', value: this.ids.token(96) },
        { name: 'CSeq', value: `1 ${method}` },
        ...(options.headers ?? []),
      ],
      ...(options.sdp === undefined ? {} : { body: { type: 'application/sdp', content: options.sdp } }),
    })
  }

  /**
   * Sends a request and waits for its final response; a challenge is answered once with our password.
   *
   * @throws GatewayError `SIP_FLOW_GONE` if no final response comes.
   */
  send(
    request: SipRequest,
    onProvisional: (response: SipResponse) => void = () => undefined,
    onKey: (key: string) => void = () => undefined,
  ): Promise<{ response: SipResponse; request: SipRequest; key: string }> {
    return new Promise((resolve, reject) => {
      this.#start({ request, onProvisional, resolve, reject, onKey, authorized: false })
    })
  }

  cancel(key: string): void {
    this.#handle({ kind: 'cancel', key })
  }

  acknowledge(key: string, ack: SipRequest): void {
    this.#handle({ kind: 'ack', key, ack, target: this.target })
  }

  respond(key: string, response: SipResponse): void {
    this.#handle({ kind: 'respond', key, response })
  }

  /** In-dialog requests with this Call-ID go to the call from now on. */
  attach(callId: ByteString, call: CallerCall): void {
    this.#calls.set(callId, call)
  }

  /** The call is over: what still comes for it is answered 481. */
  detach(callId: ByteString): void {
    this.#calls.delete(callId)
  }

  /** Why a request came to nothing, for a person: who refused what, and what can be done. */
  refused(what: string, response: SipResponse): GatewayError {
    const { wire, user, password } = this.#options
    const answer = `${response.status} ${response.reason}`.trimEnd()
    const because = warningOf(response)
    const text = !CHALLENGED.includes(response.status)
      ? `${wire.server} refused ${what}: ${answer}${because}`
      : password === undefined
        ? `${wire.server} wants a password for ${user} (${answer}), and none was given`
        : `${wire.server} did not take the password of ${user}: ${answer}${because}`
    return new GatewayError('CALL_REFUSED', text)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#options.wire.close()
  }

  #start(pending: Pending): void {
    const key = `c${++this.#keys}`
    this.#pending.set(key, pending)
    pending.onKey(key)
    this.#handle({ kind: 'request', key, request: pending.request, target: this.target })
  }

  #handle(input: SipInput): void {
    if (this.#closed) return
    this.#endpoint.handle(input, performance.now())
    for (let output = this.#endpoint.poll(); output; output = this.#endpoint.poll()) this.#perform(output)
    this.#arm()
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const deadline = this.#endpoint.deadline()
    if (deadline === undefined || this.#closed) return
    const waitMs = Math.max(0, deadline - performance.now())
    this.#timer = setTimeout(() => this.#handle({ kind: 'wake' }), waitMs)
  }

  #perform(output: SipOutput): void {
    switch (output.kind) {
      case 'send':
      case 'pong':
        return this.#options.wire.send(output.data)
      case 'request':
        return this.#onRequest(output.key, output.request)
      case 'cancelled':
        return this.#calls.get(output.request.headers.callId)?.onCancelled()
      case 'response':
        return this.#onResponse(output.key, output.response)
      case 'failed':
        return this.#fail(output.key, `${this.#options.wire.server} does not answer (${output.detail || output.cause})`)
      case 'ack':
      case 'ack-missing':
      case 'rejected':
        return
    }
  }

  #onRequest(key: string, request: SipRequest): void {
    const known = this.#calls.get(request.headers.callId)
    if (known) return known.onRequest(key, request)
    if (request.method === 'INVITE') return this.onIncoming(CallerCall.incoming(this, key, request))
    const status = request.method === 'OPTIONS' ? 200 : 481
    this.respond(key, replyTo(request, status, { toTag: this.ids.token() }))
  }

  #onResponse(key: string, response: SipResponse): void {
    const pending = this.#pending.get(key)
    if (!pending) return
    if (response.status < 200) return pending.onProvisional(response)
    this.#pending.delete(key)
    if (CHALLENGED.includes(response.status)) {
      const again = this.#authorized(pending, response)
      if (again) return this.#start({ ...pending, request: again, authorized: true })
    }
    pending.resolve({ response, request: pending.request, key })
  }

  /** The request with our credentials. A second challenge is answered only if the nonce had grown old. */
  #authorized({ request, authorized }: Pending, response: SipResponse): SipRequest | undefined {
    const password = this.#options.password
    const challenge = parseChallenges(response)[0]
    if (password === undefined || !challenge || (authorized && !challenge.stale)) return undefined
    const authorization = answerChallenge({
      challenge,
      method: request.method,
      uri: request.uri,
      username: this.#options.user,
      password,
      cnonce: this.ids.token(),
      nonceCount: 1,
      hash: digestHash,
    })
    const cseq = request.headers.cseq
    const kept = request.headers.fields().filter((field) => !REPLACED.includes(field.name))
    return createRequest({
      method: request.method,
      uri: request.uri,
      headers: [...kept, { name: 'CSeq', value: `${cseq.sequence + 1} ${cseq.method}` }, authorization],
      ...(request.body === ''
        ? {}
        : { body: { type: request.headers.get('Content-Type') ?? 'application/sdp', content: request.body } }),
    })
  }

  #fail(key: string, why: string): void {
    const pending = this.#pending.get(key)
    this.#pending.delete(key)
    pending?.reject(new GatewayError('SIP_FLOW_GONE', why))
  }

  #lost(cause: string): void {
    if (this.#closed) return
    for (const key of [...this.#pending.keys()]) this.#fail(key, cause)
    for (const call of this.#calls.values()) call.onLost(cause)
  }
}

/** The reason a server adds in words (RFC 3261 §20.43): `399 host "text"`. */
function warningOf(response: SipResponse): string {
  const text = /"([^"]*)"/.exec(response.headers.get('Warning') ?? '')?.[1]
  return text ? ` (${text})` : ''
}

const digestHash: DigestHash = (algorithm, data) =>
  createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(data, 'latin1')
    .digest('hex')

/** Headers of a first attempt that the second one has anew. */
const REPLACED = ['CSeq', 'Via', 'Content-Type', 'Content-Length', 'Authorization', 'Proxy-Authorization']
const CHALLENGED = [401, 407]

import { type IdSource, type Millis, seededIds } from '../../src/base/index.ts'
import {
  answerChallenge,
  type ClientKey,
  createRequest,
  createSipEndpoint,
  type Flow,
  type HeaderField,
  parseChallenges,
  replyTo,
  type SendTarget,
  type ServerKey,
  type SipEndpoint,
  type SipOutput,
  type SipRequest,
  type SipResponse,
  withHeaders,
} from '../../src/sip/index.ts'
import { DOMAIN, GATEWAY, hash } from './gateway-node.ts'
import { PhoneCall } from './phone-call.ts'
import type { Node, World } from './world.ts'

export interface PhoneOptions {
  readonly user: string
  readonly address: string
  /** `ws`: a browser. */
  readonly transport?: 'udp' | 'ws'
  /** Default: the one that the gateway knows. */
  readonly password?: string
}

/** Who gets the answers of one request. */
export interface Asking {
  onResponse(response: SipResponse, key: ClientKey, request: SipRequest): void
  onFailed(key: ClientKey, cause: string): void
  /** The request is sent again with credentials under another key. */
  onResent?(key: ClientKey, request: SipRequest): void
}

interface Pending {
  readonly request: SipRequest
  readonly asking: Asking
  readonly challenged: boolean
}

/** A scripted SIP user agent: what it does is decided by `onInvite` and by calling its calls' methods. */
export class Phone implements Node {
  readonly user: string
  readonly address: string
  readonly isBrowser: boolean
  readonly calls: PhoneCall[] = []
  readonly world: World
  readonly ids: IdSource
  /** What happens to calls that come in. Default: nothing, they wait for the script. */
  onInvite: (call: PhoneCall) => void = () => {}
  registered = false
  readonly #endpoint: SipEndpoint
  readonly #password: string
  readonly #pending = new Map<ClientKey, Pending>()
  #keys = 0
  #registrations = 0

  constructor(world: World, options: PhoneOptions) {
    this.world = world
    this.user = options.user
    this.address = options.address
    this.isBrowser = options.transport === 'ws'
    this.#password = options.password ?? `password of ${options.user}`
    this.ids = seededIds(
      [...options.address].reduce((seed, char) => (Math.imul(seed, 31) + char.charCodeAt(0)) >>> 0, world.now),
    )
    const sentBy = { host: options.address, port: 5060 }
    this.#endpoint = createSipEndpoint({ sentBy: { udp: sentBy, ws: sentBy }, product: 'Phone' }, { ids: this.ids })
  }

  get contact(): string {
    return `sip:${this.user}@${this.address}:5060${this.isBrowser ? ';transport=ws' : ''}`
  }

  /** Registers at the gateway with the password the gateway knows. */
  register(): void {
    const request = createRequest({
      method: 'REGISTER',
      uri: `sip:${DOMAIN}`,
      headers: [
        { name: 'From', value: `<sip:${this.user}@${DOMAIN}>;tag=${this.ids.token()}` },
        { name: 'To', value: `<sip:${this.user}@${DOMAIN}>` },
        { name: 'Call-ID', value: this.ids.token() },
        { name: 'CSeq', value: `${++this.#registrations} REGISTER` },
        { name: 'Contact', value: `<${this.contact}>;expires=7200` },
      ],
    })
    this.ask(request, {
      onResponse: (response) => {
        if (response.status >= 200) this.registered = response.status === 200
      },
      onFailed: () => {},
    })
  }

  /** Calls `user` of the gateway's domain, a number or a service. */
  call(user: string, options: ConstructorParameters<typeof PhoneCall>[1] = {}): PhoneCall {
    const call = new PhoneCall(this, options)
    this.calls.push(call)
    call.begin(user)
    return call
  }

  receive(data: string, _from: string, now: Millis): void {
    this.#endpoint.handle({ kind: 'received', flow: this.#flow(), data }, now)
    this.#drain()
  }

  wake(now: Millis): void {
    this.#endpoint.handle({ kind: 'wake' }, now)
    this.#drain()
  }

  deadline(): Millis | undefined {
    return this.#endpoint.deadline()
  }

  get transactions(): number {
    const { clientTransactions, serverTransactions } = this.#endpoint.counters()
    return clientTransactions + serverTransactions
  }

  ask(request: SipRequest, asking: Asking, challenged = false): ClientKey {
    const key = `${this.address}-${++this.#keys}`
    this.#pending.set(key, { request, asking, challenged })
    this.#endpoint.handle({ kind: 'request', key, request, target: this.#target() }, this.world.now)
    this.#drain()
    return key
  }

  cancel(key: ClientKey): void {
    this.#endpoint.handle({ kind: 'cancel', key }, this.world.now)
    this.#drain()
  }

  acknowledge(key: ClientKey, ack: SipRequest): void {
    this.#endpoint.handle({ kind: 'ack', key, ack, target: this.#target() }, this.world.now)
    this.#drain()
  }

  respond(key: ServerKey, response: SipResponse): void {
    this.#endpoint.handle({ kind: 'respond', key, response }, this.world.now)
    this.#drain()
  }

  #drain(): void {
    for (let output = this.#endpoint.poll(); output !== undefined; output = this.#endpoint.poll()) this.#take(output)
  }

  #take(output: SipOutput): void {
    switch (output.kind) {
      case 'send':
        return this.world.send(this.address, hostOf(output.target), output.data, this.isBrowser)
      case 'request':
        return this.#request(output.key, output.request)
      case 'ack':
        return this.#callOf(output.request)?.onAck(output.request)
      case 'cancelled':
        return this.#callOf(output.request)?.onCancelled(output.key)
      case 'ack-missing':
        return this.calls.find((call) => call.answered.has(output.key))?.onAckMissing(output.status)
      case 'response':
        return this.#response(output.key, output.response)
      case 'failed':
        return this.#failed(output.key, output.cause)
      default:
    }
  }

  #request(key: ServerKey, request: SipRequest): void {
    const call = this.#callOf(request)
    if (call !== undefined) return call.onRequest(key, request)
    if (request.method !== 'INVITE' || request.headers.toTag !== undefined) {
      return this.respond(key, replyTo(request, 481, { toTag: this.ids.token() }))
    }
    const incoming = new PhoneCall(this, {})
    this.calls.push(incoming)
    incoming.ringing(key, request)
    this.onInvite(incoming)
  }

  #response(key: ClientKey, response: SipResponse): void {
    const pending = this.#pending.get(key)
    if (pending === undefined) return
    const { status } = response
    if ((status === 401 || status === 407) && !pending.challenged) return this.#authorize(key, pending, response)
    pending.asking.onResponse(response, key, pending.request)
  }

  #authorize(key: ClientKey, { request, asking }: Pending, response: SipResponse): void {
    this.#pending.delete(key)
    const [challenge] = parseChallenges(response)
    if (challenge === undefined) return asking.onFailed(key, 'no challenge')
    const sequence = request.headers.cseq.sequence + 1
    const authorization: HeaderField = answerChallenge({
      challenge,
      method: request.method,
      uri: request.uri,
      username: this.user,
      password: this.#password,
      cnonce: this.ids.token(),
      nonceCount: 1,
      hash,
    })
    const again = withHeaders(request, [{ name: 'CSeq', value: `${sequence} ${request.method}` }, authorization])
    if (request.method === 'REGISTER') this.#registrations = sequence
    const next = this.ask(again, asking, true)
    asking.onResent?.(next, again)
  }

  #failed(key: ClientKey, cause: string): void {
    this.#pending.get(key)?.asking.onFailed(key, cause)
    this.#pending.delete(key)
  }

  #callOf({ headers, method }: SipRequest): PhoneCall | undefined {
    return this.calls.find(
      (call) =>
        call.sipCallId === headers.callId &&
        (headers.toTag === call.localTag || (method === 'CANCEL' && !call.isCaller)),
    )
  }

  #flow(): Flow {
    const transport = this.isBrowser ? 'ws' : 'udp'
    return {
      id: `${transport}:${this.address}`,
      transport,
      local: { host: this.address, port: 5060 },
      remote: { host: GATEWAY, port: 5060 },
    }
  }

  #target(): SendTarget {
    return { kind: 'flow', flow: this.#flow() }
  }
}

function hostOf(target: SendTarget): string {
  return target.kind === 'flow' ? target.flow.remote.host : target.to.host
}

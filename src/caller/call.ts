import { type ByteString, GatewayError } from '../base/index.ts'
import {
  acceptInDialog,
  ackInDialog,
  type Dialog,
  dialogFromRequest,
  dialogFromResponse,
  replyTo,
  requestInDialog,
  type SipRequest,
  type SipResponse,
} from '../sip/index.ts'
import type { UserAgent } from './user-agent.ts'

/** Moments of a call's set-up in ms of `performance.now()`. */
export interface CallMoments {
  invitedAt: number
  ringingAt?: number
  answeredAt?: number
}

/** One call of the small user agent, outgoing or incoming. */
export class CallerCall {
  readonly moments: CallMoments = { invitedAt: performance.now() }
  /** The other side's SDP: their answer, or their offer if they called. Rejects if there will be no call. */
  readonly answered: Promise<ByteString>
  /** Why it ended, once it did. */
  readonly ended: Promise<string>
  onProvisional: (status: number, reason: string) => void = () => undefined
  /** SDP of a 183 before the answer. */
  onEarlyMedia: (sdp: ByteString) => void = () => undefined
  readonly #agent: UserAgent
  #dialog: Dialog | undefined
  #inviteKey: string | undefined
  #invite: SipRequest | undefined
  #localSdp: ByteString = ''
  #resolveAnswered: (sdp: ByteString) => void = () => undefined
  #rejectAnswered: (error: Error) => void = () => undefined
  #resolveEnded: (why: string) => void = () => undefined
  #callId: ByteString = ''
  #cancelled = false
  #over = false

  private constructor(agent: UserAgent) {
    this.#agent = agent
    this.answered = new Promise((resolve, reject) => {
      this.#resolveAnswered = resolve
      this.#rejectAnswered = reject
    })
    this.answered.catch(() => undefined)
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
  }

  static outgoing(agent: UserAgent, uri: ByteString, offer: ByteString): CallerCall {
    const call = new CallerCall(agent)
    call.#localSdp = offer
    const request = agent.request('INVITE', uri, {
      to: uri,
      headers: [
        { name: 'Contact', value: `<${agent.contact}>` },
        { name: 'Allow', value: ALLOW },
      ],
      sdp: offer,
    })
    call.#attach(request.headers.callId)
    const sent = agent.send(
      request,
      (response) => call.#onProvisional(response),
      (key) => {
        call.#inviteKey = key
      },
    )
    sent.then(
      (final) => call.#onFinal(final.request, final.response, final.key),
      (error: Error) => call.#finish(error.message, error),
    )
    return call
  }

  static incoming(agent: UserAgent, key: string, invite: SipRequest): CallerCall {
    const call = new CallerCall(agent)
    call.#inviteKey = key
    call.#invite = invite
    call.#attach(invite.headers.callId)
    return call
  }

  /** The offer of somebody who calls us. */
  get offer(): ByteString {
    return this.#invite?.body ?? ''
  }

  /** Answers an incoming call. */
  accept(answer: ByteString): void {
    if (!this.#invite || this.#inviteKey === undefined) return
    const tag = this.#agent.ids.token()
    this.#dialog = dialogFromRequest(this.#invite, tag, 'confirmed')
    this.#localSdp = answer
    this.#agent.respond(
      this.#inviteKey,
      replyTo(this.#invite, 200, {
        toTag: tag,
        headers: [
          { name: 'Contact', value: `<${this.#agent.contact}>` },
          { name: 'Allow', value: ALLOW },
        ],
        body: { type: 'application/sdp', content: answer },
      }),
    )
    this.moments.answeredAt = performance.now()
    this.#resolveAnswered(this.#invite.body)
  }

  refuse(status: number): void {
    if (!this.#invite || this.#inviteKey === undefined) return
    this.#agent.respond(this.#inviteKey, replyTo(this.#invite, status, { toTag: this.#agent.ids.token() }))
    this.#finish(`refused with ${status}`)
  }

  /** Ends the call: BYE, or CANCEL before the answer. Resolves when the other side confirmed or gave no answer. */
  async hangUp(): Promise<void> {
    if (this.#over) return
    if (!this.#dialog) {
      this.#cancelled = true
      if (this.#invite) this.refuse(480)
      else if (this.#inviteKey !== undefined) this.#agent.cancel(this.#inviteKey)
      await this.ended
      return
    }
    await this.#bye(this.#dialog)
  }

  async #bye(before: Dialog): Promise<void> {
    const { request, dialog } = requestInDialog(before, 'BYE')
    this.#dialog = dialog
    await this.#agent.send(request).catch(() => undefined)
    this.#finish('we hung up')
  }

  onRequest(key: string, request: SipRequest): void {
    const verdict = this.#dialog ? acceptInDialog(this.#dialog, request) : { kind: 'refuse' as const, status: 481 }
    if (verdict.kind === 'refuse') return this.#agent.respond(key, replyTo(request, verdict.status))
    this.#dialog = verdict.dialog
    if (request.method === 'INVITE' || (request.method === 'UPDATE' && request.body !== '')) {
      return this.#agent.respond(
        key,
        replyTo(request, 200, {
          headers: [{ name: 'Contact', value: `<${this.#agent.contact}>` }],
          body: { type: 'application/sdp', content: this.#localSdp },
        }),
      )
    }
    this.#agent.respond(key, replyTo(request, 200))
    if (request.method === 'BYE') this.#finish('the other side hung up')
  }

  onCancelled(): void {
    this.refuse(487)
  }

  onLost(cause: string): void {
    this.#finish(cause, new GatewayError('SIP_FLOW_GONE', cause))
  }

  #onProvisional(response: SipResponse): void {
    this.onProvisional(response.status, response.reason)
    if (response.status >= 180) this.moments.ringingAt ??= performance.now()
    if (response.body !== '' && response.headers.contentType === 'application/sdp') this.onEarlyMedia(response.body)
  }

  #onFinal(request: SipRequest, response: SipResponse, key: string): void {
    if (response.status >= 300) {
      const error = this.#agent.refused('the call', response)
      return this.#finish(error.message, error)
    }
    this.moments.answeredAt = performance.now()
    this.#dialog = dialogFromResponse(request, response)
    this.#agent.acknowledge(key, ackInDialog(this.#dialog, response.headers.cseq.sequence))
    // Our CANCEL and the answer crossed (RFC 3261 §9.1).
    if (this.#cancelled) return void this.#bye(this.#dialog)
    this.#resolveAnswered(response.body)
  }

  #attach(callId: ByteString): void {
    this.#callId = callId
    this.#agent.attach(callId, this)
  }

  #finish(why: string, error?: Error): void {
    if (this.#over) return
    this.#over = true
    this.#agent.detach(this.#callId)
    this.#rejectAnswered(error ?? new GatewayError('SIP_FLOW_GONE', why))
    this.#resolveEnded(why)
  }
}

const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO'

import { parseSdp } from '../../src/sdp/index.ts'
import {
  acceptInDialog,
  ackInDialog,
  type ClientKey,
  createRequest,
  type Dialog,
  dialogFromRequest,
  dialogFromResponse,
  type HeaderField,
  refreshTarget,
  replyTo,
  requestInDialog,
  type ServerKey,
  type SipRequest,
  type SipResponse,
} from '../../src/sip/index.ts'
import { DOMAIN } from './gateway-node.ts'
import type { Asking, Phone } from './phone.ts'
import { browserSdp, phoneSdp } from './sdp-texts.ts'

export interface PhoneCallOptions {
  /** Begin without an offer and answer in the ACK. */
  readonly late?: boolean
  readonly headers?: readonly HeaderField[]
}

interface ReplyParts {
  readonly sdp?: string | undefined
  readonly tag?: string | undefined
  readonly headers?: readonly HeaderField[]
}

/** One call at one phone. `log` tells what it saw, in order, as `180`, `BYE`, `INVITE 491`. */
export class PhoneCall {
  state: 'calling' | 'ringing' | 'up' | 'leaving' | 'ended' = 'calling'
  readonly log: string[] = []
  /** Final status of the INVITE that began the call. */
  status: number | undefined
  /** SDP the gateway sent last. */
  heard = ''
  holding = false
  /** Where its media is. */
  mediaAddress: string
  /** Refuses new offers with this status. */
  refusesOffers: number | undefined
  isCaller = true
  sipCallId: string
  /** Changes when the call is answered by another device behind the phone's address. */
  localTag: string
  /** Keys of INVITEs that were answered with 2xx. */
  readonly answered = new Set<ServerKey>()
  /** Reason of the CANCEL or BYE that ended it. */
  reason: string | undefined
  readonly #phone: Phone
  readonly #options: PhoneCallOptions
  #dialog: Dialog | undefined
  #inviteKey: ClientKey | undefined
  #invited: { readonly key: ServerKey; readonly request: SipRequest } | undefined
  #offering = false
  #version = 0
  #cancelled = false

  constructor(phone: Phone, options: PhoneCallOptions) {
    this.#phone = phone
    this.#options = options
    this.sipCallId = phone.ids.token()
    this.localTag = phone.ids.token()
    this.mediaAddress = phone.address
  }

  get isOver(): boolean {
    return this.state === 'ended'
  }

  /** Sends the first INVITE. */
  begin(user: string): void {
    const { contact, user: own } = this.#phone
    const body = this.#options.late ? undefined : { type: 'application/sdp', content: this.#sdp() }
    const request = createRequest({
      method: 'INVITE',
      uri: `sip:${user}@${DOMAIN}`,
      headers: [
        { name: 'From', value: `"${own}" <sip:${own}@${DOMAIN}>;tag=${this.localTag}` },
        { name: 'To', value: `<sip:${user}@${DOMAIN}>` },
        { name: 'Call-ID', value: this.sipCallId },
        { name: 'CSeq', value: '1 INVITE' },
        { name: 'Contact', value: `<${contact}>` },
        ...(this.#options.headers ?? []),
      ],
      body,
    })
    this.#inviteKey = this.#phone.ask(request, {
      onResponse: (response, key, sent) => this.#onInviteResponse(response, key, sent),
      onFailed: (_, cause) => this.#end(cause),
      onResent: (key) => {
        this.#inviteKey = key
        if (this.#cancelled) this.#phone.cancel(key)
      },
    })
  }

  /** An INVITE came in. */
  ringing(key: ServerKey, request: SipRequest): void {
    this.isCaller = false
    this.sipCallId = request.headers.callId
    this.state = 'ringing'
    this.#invited = { key, request }
    this.#dialog = dialogFromRequest(request, this.localTag, 'early')
    this.heard = request.body
    this.log.push('INVITE')
  }

  /** 180, or 183 with SDP; with a `tag` as one of several devices behind the phone's address, which fork the INVITE. */
  ring(status = 180, options: { readonly sdp?: boolean; readonly tag?: string } = {}): void {
    if (this.state !== 'ringing') return
    this.#reply(status, { sdp: options.sdp === true ? this.#answer(this.heard) : undefined, tag: options.tag })
  }

  /** 200; with a `tag` as that device. */
  answer(tag?: string): void {
    if (this.state !== 'ringing' || this.#invited === undefined) return
    if (tag !== undefined) this.localTag = tag
    if (tag !== undefined) this.#dialog = dialogFromRequest(this.#invited.request, tag, 'early')
    this.answered.add(this.#invited.key)
    this.status = 200
    this.state = 'up'
    this.#reply(200, { sdp: this.#answer(this.heard) })
  }

  refuse(status: number, headers: readonly HeaderField[] = []): void {
    if (this.state !== 'ringing') return
    this.status = status
    this.#reply(status, { headers })
    this.#end(`refused ${status}`)
  }

  cancel(): void {
    if (this.state !== 'calling' || this.#inviteKey === undefined || this.#cancelled) return
    this.#cancelled = true
    this.log.push('cancel')
    this.#phone.cancel(this.#inviteKey)
  }

  bye(): void {
    if (this.state !== 'up') return
    this.state = 'leaving'
    this.#ask('BYE', undefined, {
      onResponse: (response) => response.status >= 200 && this.#end('left'),
      onFailed: () => this.#end('left'),
    })
  }

  /** A new offer in a re-INVITE or UPDATE. */
  reoffer(method: 'INVITE' | 'UPDATE', hold: boolean): void {
    if (this.state !== 'up' || this.#offering) return
    this.#offering = true
    const sdp = this.#sdp(hold ? 'sendonly' : 'sendrecv')
    this.#ask(method, sdp, {
      onResponse: (response, key, asked) => this.#onReofferResponse(response, key, hold, asked),
      onFailed: () => this.bye(),
    })
  }

  /** The same media from another address, in a re-INVITE. */
  moveTo(address: string): void {
    this.mediaAddress = address
    this.reoffer('INVITE', this.holding)
  }

  /** A re-INVITE without SDP: the gateway offers, the ACK answers. */
  reinviteLate(): void {
    if (this.state !== 'up' || this.#offering) return
    this.#offering = true
    this.#ask('INVITE', undefined, {
      onResponse: (response, key, asked) => this.#onReofferResponse(response, key, this.holding, asked),
      onFailed: () => this.bye(),
    })
  }

  /** UPDATE without SDP. */
  refresh(): void {
    if (this.state !== 'up') return
    this.#ask('UPDATE', undefined, {
      onResponse: (response) => this.#logFinal('UPDATE', response),
      onFailed: () => this.bye(),
    })
  }

  info(digit: string): void {
    if (this.state !== 'up' || this.#dialog === undefined) return
    const body = { type: 'application/dtmf-relay', content: `Signal=${digit}\r\nDuration=100\r\n` }
    const { request, dialog } = requestInDialog(this.#dialog, 'INFO', { body })
    this.#dialog = dialog
    this.#phone.ask(request, { onResponse: (response) => this.#logFinal('INFO', response), onFailed: () => {} })
  }

  onRequest(key: ServerKey, request: SipRequest): void {
    const reply = (status: number, sdp?: string): void => {
      const body = sdp === undefined ? undefined : { type: 'application/sdp', content: sdp }
      const headers = [{ name: 'Contact', value: `<${this.#phone.contact}>` }]
      this.#phone.respond(key, replyTo(request, status, { toTag: this.localTag, headers, body }))
    }
    if (this.#dialog === undefined || this.isOver) return reply(481)
    const order = acceptInDialog(this.#dialog, request)
    if (order.kind === 'refuse') return reply(order.status)
    this.#dialog = refreshTarget(order.dialog, request)
    this.log.push(request.method)
    if (request.method === 'BYE') {
      reply(200)
      this.reason = request.headers.get('Reason')
      return this.#end('BYE')
    }
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') return reply(200)
    if (this.state === 'leaving') return reply(481)
    if (this.#offering) return reply(491)
    if (request.body === '' && request.method === 'UPDATE') return reply(200)
    if (this.refusesOffers !== undefined) return reply(this.refusesOffers)
    this.heard = request.body
    if (request.method === 'INVITE') this.answered.add(key)
    reply(200, this.#answer(request.body))
  }

  onAck(ack: SipRequest): void {
    this.log.push('ACK')
    if (ack.body !== '') this.heard = ack.body
  }

  onAckMissing(status: number): void {
    if (status >= 200 && status < 300) this.bye()
  }

  onCancelled(key: ServerKey): void {
    if (this.#invited?.key !== key || this.state !== 'ringing') return
    this.log.push('CANCEL')
    this.refuse(487)
  }

  #onInviteResponse(response: SipResponse, key: ClientKey, request: SipRequest): void {
    this.log.push(String(response.status))
    if (response.body !== '') this.heard = response.body
    if (response.status < 200) return
    if (response.status >= 300) {
      this.status = response.status
      return this.#end(`refused ${response.status}`)
    }
    if (this.state !== 'calling') return
    this.status = 200
    this.#dialog = dialogFromResponse(request, response)
    this.state = 'up'
    const body = this.#options.late ? { type: 'application/sdp', content: this.#answer(response.body) } : undefined
    this.#phone.acknowledge(key, ackInDialog(this.#dialog, response.headers.cseq.sequence, { body }))
    if (this.#cancelled) this.bye() // The answer won the race.
  }

  #onReofferResponse(response: SipResponse, key: ClientKey, hold: boolean, asked: SipRequest): void {
    const { status } = response
    if (status < 200) return
    this.#offering = false
    this.#logFinal(response.headers.cseq.method, response)
    if (status >= 300) return status === 408 || status === 481 ? this.bye() : undefined
    this.holding = hold
    this.heard = response.body
    if (this.#dialog === undefined || response.headers.cseq.method !== 'INVITE') return
    this.#dialog = refreshTarget(this.#dialog, response)
    const body = asked.body === '' ? { type: 'application/sdp', content: this.#answer(response.body) } : undefined
    this.#phone.acknowledge(key, ackInDialog(this.#dialog, response.headers.cseq.sequence, { body }))
  }

  #ask(method: string, sdp: string | undefined, asking: Asking): void {
    if (this.#dialog === undefined) return
    const body = sdp === undefined ? undefined : { type: 'application/sdp', content: sdp }
    const contact = `<${this.#phone.contact}>`
    const { request, dialog } = requestInDialog(this.#dialog, method, { body, contact, headers: this.#options.headers })
    this.#dialog = dialog
    this.#phone.ask(request, {
      ...asking,
      onResent: (_, again) => {
        if (this.#dialog !== undefined) this.#dialog = { ...this.#dialog, localSequence: again.headers.cseq.sequence }
      },
    })
  }

  #reply(status: number, parts: ReplyParts = {}): void {
    if (this.#invited === undefined) return
    const { key, request } = this.#invited
    const { sdp, tag: toTag = this.localTag } = parts
    const body = sdp === undefined ? undefined : { type: 'application/sdp', content: sdp }
    const contact = { name: 'Contact', value: `<${this.#phone.contact}>` }
    const headers = [...(status < 300 ? [contact] : []), ...(parts.headers ?? [])]
    this.#phone.respond(key, replyTo(request, status, { toTag, headers, body }))
  }

  #logFinal(method: string, response: SipResponse): void {
    if (response.status >= 200) this.log.push(`${method} ${response.status}`)
  }

  #end(how: string): void {
    if (this.isOver) return
    this.state = 'ended'
    this.log.push(`ended: ${how}`)
  }

  #sdp(direction?: string, payloads?: readonly number[], setup?: string): string {
    const facts = {
      address: this.mediaAddress,
      version: ++this.#version,
      ...(direction && { direction }),
      ...(payloads && { payloads }),
    }
    return this.#phone.isBrowser ? browserSdp({ ...facts, ...(setup && { setup }) }) : phoneSdp(facts)
  }

  /** What of the offer this phone knows, in the direction that its hold leaves. */
  #answer(offer: string): string {
    if (offer === '') return this.#sdp()
    const audio = parseSdp(offer).media.find(({ kind }) => kind === 'audio')
    const known = this.#phone.isBrowser ? [111, 9, 0, 8, 101, 110] : [0, 8, 101]
    const payloads = known.filter((payload) => audio?.codecs.some((codec) => codec.payloadType === payload))
    const hears = audio?.direction === 'sendrecv' || audio?.direction === 'sendonly'
    const speaks = audio?.direction === 'sendrecv' || audio?.direction === 'recvonly'
    const receives = hears && !this.holding
    const direction = speaks ? (receives ? 'sendrecv' : 'sendonly') : receives ? 'recvonly' : 'inactive'
    return this.#sdp(direction, payloads, 'active')
  }
}

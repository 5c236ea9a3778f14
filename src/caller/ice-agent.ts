import { randomBytes } from 'node:crypto'
import {
  ATTRIBUTE,
  BINDING,
  buildStun,
  isAuthentic,
  parseStun,
  type StunMessage,
  xorMappedAddress,
} from '../media/engines/portable/stun/index.ts'

export interface RemoteIce {
  readonly ufrag: string
  readonly pwd: string
  readonly candidates: readonly { readonly host: string; readonly port: number }[]
}

export interface IceAgentOptions {
  readonly role: 'controlling' | 'controlled'
  send(data: Buffer, host: string, port: number): void
  /** A pair works; called again if another address is nominated. */
  onSelected(host: string, port: number): void
}

/**
 * As much of a full ICE agent (RFC 8445) as one socket with one host candidate needs: it checks every remote candidate
 * until one answers, nominates it, keeps consent fresh and answers checks. The caller paces it by `check`.
 */
export class IceAgent {
  readonly ufrag = randomBytes(6).toString('hex')
  readonly pwd = randomBytes(16).toString('hex')
  readonly #options: IceAgentOptions
  readonly #tieBreaker = randomBytes(8)
  readonly #checks = new Map<string, { host: string; port: number }>()
  #remote: RemoteIce | undefined
  #selected: { host: string; port: number } | undefined

  constructor(options: IceAgentOptions) {
    this.#options = options
  }

  get selected(): { readonly host: string; readonly port: number } | undefined {
    return this.#selected
  }

  setRemote(remote: RemoteIce): void {
    this.#remote = remote
  }

  /** Sends one round of checks: to all candidates until one works, then to that one as keep-alive (RFC 7675). */
  check(): void {
    const remote = this.#remote
    if (!remote) return
    for (const to of this.#selected ? [this.#selected] : remote.candidates) this.#sendCheck(to, remote)
  }

  handle(data: Buffer, host: string, port: number): void {
    const message = parseStun(data)
    if (!message || message.method !== BINDING) return
    if (message.class === 'request') this.#onCheck(message, host, port)
    if (message.class === 'success') this.#onAnswer(message)
  }

  #sendCheck(to: { host: string; port: number }, remote: RemoteIce): void {
    const transactionId = randomBytes(12)
    if (this.#checks.size > MAX_OUTSTANDING) this.#checks.clear()
    this.#checks.set(transactionId.toString('hex'), to)
    const priority = Buffer.alloc(4)
    priority.writeUInt32BE(HOST_PRIORITY)
    const controlling = this.#options.role === 'controlling'
    const attributes: (readonly [number, Buffer])[] = [
      [ATTRIBUTE.username, Buffer.from(`${remote.ufrag}:${this.ufrag}`)],
      [ATTRIBUTE.priority, priority],
      [controlling ? ATTRIBUTE.iceControlling : ATTRIBUTE.iceControlled, this.#tieBreaker],
    ]
    if (controlling) attributes.push([ATTRIBUTE.useCandidate, Buffer.alloc(0)])
    this.#options.send(buildStun({ class: 'request', transactionId, attributes, key: remote.pwd }), to.host, to.port)
  }

  #onCheck(message: StunMessage, host: string, port: number): void {
    if (!isAuthentic(message, this.pwd)) return
    const attributes = [[ATTRIBUTE.xorMappedAddress, xorMappedAddress(host, port, message.transactionId)]] as const
    this.#options.send(
      buildStun({ class: 'success', transactionId: message.transactionId, attributes, key: this.pwd }),
      host,
      port,
    )
    if (message.attributes.has(ATTRIBUTE.useCandidate)) this.#select(host, port)
  }

  #onAnswer(message: StunMessage): void {
    const id = message.transactionId.toString('hex')
    const to = this.#checks.get(id)
    if (!to || !this.#remote || !isAuthentic(message, this.#remote.pwd)) return
    this.#checks.delete(id)
    if (!this.#selected && this.#options.role === 'controlling') this.#select(to.host, to.port)
  }

  #select(host: string, port: number): void {
    if (this.#selected?.host === host && this.#selected.port === port) return
    this.#selected = { host, port }
    this.#options.onSelected(host, port)
  }
}

const MAX_OUTSTANDING = 256
/** RFC 8445 §5.1.2.1 for a host candidate: type preference 126, local preference 65535, component 1. */
const HOST_PRIORITY = 126 * 2 ** 24 + 65_535 * 2 ** 8 + 255

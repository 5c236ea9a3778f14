import { randomBytes } from 'node:crypto'
import {
  ATTRIBUTE,
  BINDING,
  buildStun,
  errorCode,
  isAuthentic,
  parseStun,
  type StunMessage,
  xorMappedAddress,
} from '../media/engines/portable/stun/index.ts'
import type { HostPort } from '../sip/index.ts'

export interface RemoteIce {
  readonly ufrag: string
  readonly pwd: string
  /** It only answers checks (RFC 8445 §2.5). */
  readonly lite: boolean
  readonly candidates: readonly HostPort[]
}

export type IceRole = 'controlling' | 'controlled'

export interface IceAgentOptions {
  readonly role: IceRole
  send(data: Buffer, host: string, port: number): void
  /** A pair works; called again if the other side nominates another address. */
  onSelected(host: string, port: number): void
}

/**
 * As much of a full ICE agent (RFC 8445) as one socket with one host candidate needs: it checks every remote candidate
 * until one answers, nominates it, keeps consent fresh, answers checks, learns peer-reflexive candidates and settles
 * role conflicts. It holds no timer: its owner paces it by `check`.
 */
export class IceAgent {
  readonly ufrag = randomBytes(6).toString('hex')
  readonly pwd = randomBytes(16).toString('hex')
  readonly #options: IceAgentOptions
  readonly #tieBreaker = randomBytes(8)
  readonly #checks = new Map<string, HostPort>()
  #role: IceRole
  #remote: RemoteIce | undefined
  #learned: HostPort[] = []
  #selected: HostPort | undefined

  constructor(options: IceAgentOptions) {
    this.#options = options
    this.#role = options.role
  }

  get selected(): HostPort | undefined {
    return this.#selected
  }

  /** Takes the other side's description and forgets what was found out with another one. */
  setRemote(remote: RemoteIce): void {
    this.#remote = remote
    this.#learned = []
    this.#selected = undefined
    this.#checks.clear()
  }

  /** Who answers: the offerer controls, unless the other one is lite (RFC 8445 §6.1.1). Before `setRemote`. */
  setRole(role: IceRole): void {
    this.#role = role
  }

  /** Sends one round of checks: to all candidates until one works, then to that one as keep-alive (RFC 7675). */
  check(): void {
    const remote = this.#remote
    if (!remote) return
    const targets = this.#selected ? [this.#selected] : [...remote.candidates, ...this.#learned]
    for (const to of targets) this.#sendCheck(to, remote)
  }

  handle(data: Buffer, host: string, port: number): void {
    const message = parseStun(data)
    if (message?.method !== BINDING) return
    if (message.class === 'request') this.#onCheck(message, { host, port })
    if (message.class === 'success' || message.class === 'error') this.#onAnswer(message, { host, port })
  }

  #sendCheck(to: HostPort, remote: RemoteIce): void {
    const transactionId = randomBytes(12)
    if (this.#checks.size >= MAX_OUTSTANDING) this.#checks.clear()
    this.#checks.set(transactionId.toString('hex'), to)
    const priority = Buffer.alloc(4)
    priority.writeUInt32BE(PRFLX_PRIORITY)
    const controlling = this.#role === 'controlling'
    const attributes: (readonly [number, Buffer])[] = [
      [ATTRIBUTE.username, Buffer.from(`${remote.ufrag}:${this.ufrag}`)],
      [ATTRIBUTE.priority, priority],
      [controlling ? ATTRIBUTE.iceControlling : ATTRIBUTE.iceControlled, this.#tieBreaker],
    ]
    // A lite agent is told with the first check; a full one once the pair is known to work (RFC 8445 §8.1.1).
    if (controlling && (remote.lite || this.#selected)) attributes.push([ATTRIBUTE.useCandidate, Buffer.alloc(0)])
    this.#options.send(buildStun({ class: 'request', transactionId, attributes, key: remote.pwd }), to.host, to.port)
  }

  #onCheck(message: StunMessage, from: HostPort): void {
    const username = message.attributes.get(ATTRIBUTE.username)?.toString('utf8') ?? ''
    if (!username.startsWith(`${this.ufrag}:`) || !isAuthentic(message, this.pwd)) return
    if (this.#mustGiveWay(message)) return this.#reply(message, from, 'error', [[ATTRIBUTE.errorCode, ROLE_CONFLICT]])
    const mapped = xorMappedAddress(from.host, from.port, message.transactionId)
    this.#reply(message, from, 'success', [[ATTRIBUTE.xorMappedAddress, mapped]])
    this.#learn(from)
    if (this.#role === 'controlled' && message.attributes.has(ATTRIBUTE.useCandidate)) this.#select(from)
  }

  /** RFC 8445 §7.3.1.1: whoever has the greater tie-breaker controls. `true`: the other side must give way. */
  #mustGiveWay(message: StunMessage): boolean {
    const theirs = message.attributes.get(
      this.#role === 'controlling' ? ATTRIBUTE.iceControlling : ATTRIBUTE.iceControlled,
    )
    if (!theirs) return false
    const oursIsGreater = this.#tieBreaker.compare(theirs) >= 0
    if (oursIsGreater === (this.#role === 'controlling')) return true
    this.#switchRole()
    return false
  }

  #switchRole(): void {
    this.#role = this.#role === 'controlling' ? 'controlled' : 'controlling'
  }

  /** A source that was not told to us is a peer-reflexive candidate: it is checked too (RFC 8445 §7.3.1.3). */
  #learn(from: HostPort): void {
    const remote = this.#remote
    if (!remote || this.#selected) return
    if (![...remote.candidates, ...this.#learned].some((each) => isSame(each, from))) {
      this.#learned = [...this.#learned, from].slice(-MAX_LEARNED)
    }
    this.#sendCheck(from, remote)
  }

  #onAnswer(message: StunMessage, from: HostPort): void {
    const id = message.transactionId.toString('hex')
    const to = this.#checks.get(id)
    if (!to || !this.#remote || !isAuthentic(message, this.#remote.pwd)) return
    this.#checks.delete(id)
    // An answer from elsewhere than was asked proves nothing (RFC 8445 §7.2.5.2.1).
    if (!isSame(to, from)) return
    if (message.class === 'success') return this.#selected ? undefined : this.#select(to)
    // The number; words may follow it.
    if (!message.attributes.get(ATTRIBUTE.errorCode)?.subarray(0, 4).equals(ROLE_CONFLICT)) return
    this.#switchRole()
    this.#sendCheck(to, this.#remote)
  }

  #reply(
    request: StunMessage,
    to: HostPort,
    kind: 'success' | 'error',
    attributes: readonly (readonly [number, Buffer])[],
  ): void {
    const { transactionId } = request
    this.#options.send(buildStun({ class: kind, transactionId, attributes, key: this.pwd }), to.host, to.port)
  }

  /** A working pair may carry media before it is nominated (RFC 8445 §12.1). */
  #select(to: HostPort): void {
    if (this.#selected && isSame(this.#selected, to)) return
    this.#selected = to
    if (this.#role === 'controlling' && this.#remote?.lite === false) this.#sendCheck(to, this.#remote)
    this.#options.onSelected(to.host, to.port)
  }
}

function isSame(a: HostPort, b: HostPort): boolean {
  return a.host === b.host && a.port === b.port
}

const MAX_OUTSTANDING = 256
const MAX_LEARNED = 16
const ROLE_CONFLICT = errorCode(487)
/** RFC 8445 §7.1.1: as if the candidate were peer-reflexive: type preference 110, local preference 65535, component 1. */
const PRFLX_PRIORITY = 110 * 2 ** 24 + 65_535 * 2 ** 8 + 255

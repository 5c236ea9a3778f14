import { LIMITS } from '../../base/index.ts'
import type { AddressTarget, TransportName } from '../flow.ts'
import { isIpAddress } from '../message/ip-address.ts'
import type { DnsFact, DnsQuestion, DnsRecords, DnsType, NaptrRecord } from './model.ts'
import { orderServices, shuffled } from './srv-order.ts'

/** What is known so far, and chance. */
export interface LocateInput {
  readonly fact: (question: DnsQuestion) => DnsFact | undefined
  /** Numbers from 0 to 1, without 1. */
  readonly random: () => number
  /** Transports we can send requests over. */
  readonly transports: readonly TransportName[]
}

/** Either the addresses in the order to try them (none: nobody can be reached), or what has to be asked first. */
export type Located =
  | { readonly kind: 'asks'; readonly questions: readonly DnsQuestion[] }
  | {
      readonly kind: 'targets'
      readonly targets: readonly AddressTarget[]
      /** A server could not tell: another time there may be more. */
      readonly uncertain: boolean
    }

/** A host to reach over a transport; its address is still to be found. */
interface Hop {
  readonly transport: TransportName
  readonly host: string
  readonly port: number
  /** Nothing said which transports it speaks. */
  readonly isOpen?: boolean
}

const DEFAULT_PORTS = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 } as const

/** Services of RFC 3263 §4.1 and the transport each stands for. */
const SERVICES: Readonly<Record<string, TransportName>> = { 'SIP+D2U': 'udp', 'SIP+D2T': 'tcp', 'SIPS+D2T': 'tls' }

/** Names of SRV records (RFC 3263 §4.2). */
const SRV_PREFIX: Partial<Record<TransportName, string>> = { udp: '_sip._udp', tcp: '_sip._tcp', tls: '_sips._tcp' }

/** Hosts one location may lead to: each costs two questions. */
const HOPS = 16

/**
 * Where requests to a target go (RFC 3263 §4), from facts of the DNS alone: call it, ask what it asks for, call it again
 * with the answers, until it gives the targets.
 */
export function locate(target: AddressTarget, input: LocateInput): Located {
  if (isIpAddress(target.to.host)) return { kind: 'targets', targets: [whole(target)], uncertain: false }
  const search = new Search(input)
  const hops = search.hops(target).slice(0, HOPS)
  const targets = search.complete ? search.addresses(hops, target) : []
  if (search.questions.length > 0) return { kind: 'asks', questions: search.questions }
  return { kind: 'targets', targets: targets.slice(0, LIMITS.locatedTargets), uncertain: search.uncertain }
}

/** An address is what it is (RFC 3263 §4.1); where the URI names no transport, large requests may take TCP. */
function whole({ leftOpen, ...target }: AddressTarget): AddressTarget {
  return target.transport === 'udp' && leftOpen !== undefined && leftOpen !== 'port'
    ? { ...target, large: target.to }
    : target
}

/** One look at the facts: what they lead to, and what is missing. */
class Search {
  readonly questions: DnsQuestion[] = []
  uncertain = false
  readonly #input: LocateInput

  constructor(input: LocateInput) {
    this.#input = input
  }

  get complete(): boolean {
    return this.questions.length === 0
  }

  /** RFC 3263 §4.1 (which transport) and §4.2 (which hosts and ports). */
  hops({ transport, to, leftOpen }: AddressTarget): readonly Hop[] {
    const host = to.host.toLowerCase().replace(/\.$/, '')
    const isOpen = transport === 'udp' && leftOpen !== undefined && leftOpen !== 'port'
    if (leftOpen === undefined || leftOpen === 'transport') return [{ transport, host, port: to.port, isOpen }]
    const fallback = { transport, host, port: DEFAULT_PORTS[transport], isOpen }
    if (leftOpen === 'port') return this.#byService([transport], fallback)
    const allowed = transport === 'tls' ? (['tls'] as const) : (['udp', 'tcp', 'tls'] as const) // sips: nothing else.
    const usable = allowed.filter((each) => this.#input.transports.includes(each))
    const pointers = this.#ask('NAPTR', host)
    if (pointers === undefined) return []
    const chosen = choosePointers(pointers === 'none' ? [] : pointers.pointers, usable)
    if (chosen.length > 0) return this.#byPointers(chosen)
    // A plain SIP URI has no service over TLS (§4.1): only a NAPTR record leads there.
    const plain = transport === 'tls' ? usable : usable.filter((each) => each !== 'tls')
    return this.#byService(plain, fallback)
  }

  /** The addresses of each host (RFC 3263 §4.2), all of one before those of the next. */
  addresses(hops: readonly Hop[], target: AddressTarget): readonly AddressTarget[] {
    const { leftOpen, ...kept } = target
    const found = hops.flatMap(({ transport, host, port, isOpen }) => {
      return this.#addressesOf(host).map((address): AddressTarget => {
        const to = { host: address, port }
        if (transport === 'tls') return { ...kept, transport, to, secure: kept.secure ?? { domain: target.to.host } }
        return isOpen === true ? { ...kept, transport, to, large: to } : { ...kept, transport, to }
      })
    })
    return leftOpen === 'both' ? withWayForLarge(found) : found
  }

  #addressesOf(host: string): readonly string[] {
    if (isIpAddress(host)) return [host]
    const v4 = this.#ask('A', host)
    const v6 = this.#ask('AAAA', host)
    const { random } = this.#input
    return [v4, v6].flatMap((found) => {
      return found === undefined || found === 'none' ? [] : shuffled(found.addresses, random)
    })
  }

  #byPointers(pointers: readonly NaptrRecord[]): readonly Hop[] {
    return pointers.flatMap(({ flags, service, replacement }) => {
      const transport = SERVICES[service.toUpperCase()] ?? 'udp'
      const host = replacement.toLowerCase()
      if (flags.toLowerCase() === 'a') return [{ transport, host, port: DEFAULT_PORTS[transport] }]
      return this.#ordered(this.#ask('SRV', host), transport)
    })
  }

  /** SRV records of the host for these transports; where there are none, the host itself. */
  #byService(transports: readonly TransportName[], fallback: Hop): readonly Hop[] {
    let isNamed = false
    const hops = transports.flatMap((transport) => {
      const prefix = SRV_PREFIX[transport]
      if (prefix === undefined) return [] // WebSocket servers are not found so.
      const found = this.#ask('SRV', `${prefix}.${fallback.host}`)
      if (found !== undefined && found !== 'none') isNamed = true
      return this.#ordered(found, transport)
    })
    return isNamed || !this.complete ? hops : [fallback]
  }

  #ordered(found: RecordsOf<'SRV'> | 'none' | undefined, transport: TransportName): readonly Hop[] {
    if (found === undefined || found === 'none') return []
    const offered = found.services.filter(({ target, port }) => target !== '' && port > 0)
    return orderServices(offered, this.#input.random).map(({ target, port }) => {
      return { transport, host: target.toLowerCase(), port }
    })
  }

  /** The records that are known; `undefined`: they have to be asked for first. */
  #ask<Type extends DnsType>(type: Type, name: string): RecordsOf<Type> | 'none' | undefined {
    const question = { name, type }
    const fact = this.#input.fact(question)
    if (fact === undefined) {
      if (!this.questions.some((each) => each.type === type && each.name === name)) this.questions.push(question)
      return undefined
    }
    if (fact === 'failed') this.uncertain = true
    if (fact === 'none' || fact === 'failed') return 'none'
    return isOfType(fact, type) ? fact : 'none'
  }
}

type RecordsOf<Type extends DnsType> = DnsRecords & { readonly type: Type }

function isOfType<Type extends DnsType>(records: DnsRecords, type: Type): records is RecordsOf<Type> {
  return records.type === type
}

/**
 * NAPTR records that we can follow, in their order (RFC 3403 §4.1). Those behind the first are kept: they lead on when
 * nobody answers there.
 */
function choosePointers(pointers: readonly NaptrRecord[], usable: readonly TransportName[]): readonly NaptrRecord[] {
  return pointers
    .filter(({ service, flags, regexp, replacement }) => {
      const transport = SERVICES[service.toUpperCase()]
      const isTerminal = /^[sa]$/i.test(flags) && regexp === '' && replacement !== ''
      return isTerminal && transport !== undefined && usable.includes(transport)
    })
    .sort((a, b) => a.order - b.order || a.preference - b.preference)
}

/**
 * RFC 3261 §18.1.1: a request that is too large for a datagram goes to the first target that speaks TCP. Where SRV
 * records were found, only they say who does.
 */
function withWayForLarge(targets: readonly AddressTarget[]): readonly AddressTarget[] {
  const large = targets.find(({ transport }) => transport === 'tcp')?.to
  if (large === undefined) return targets
  return targets.map((target) => (target.transport === 'udp' ? { ...target, large } : target))
}

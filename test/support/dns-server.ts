import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket as TcpSocket } from 'node:net'
import type { DnsQuestion, DnsRecords, DnsType, HostPort } from '../../src/sip/index.ts'

const TYPES: Readonly<Record<DnsType, number>> = { A: 1, AAAA: 28, SRV: 33, NAPTR: 35 }
const CNAME = 5
const SOA = 6

/** What stands at a name: records, another name, or how the server misbehaves when asked. */
export type ZoneEntry = (DnsRecords | { readonly type: 'CNAME'; readonly name: string }) & {
  readonly ttlSeconds?: number
}

export interface Zone {
  readonly entries: Record<string, readonly ZoneEntry[]>
  /** The last field of the SOA record. Default 60. */
  readonly negativeSeconds?: number
}

/** How a server treats questions: `truncating`: over UDP it only tells to come over TCP. */
export type Manner = 'answering' | 'silent' | 'truncating' | 'failing'

/** A DNS server on loopback with a zone that the test writes. */
export class DnsServer {
  readonly asked: (DnsQuestion & { readonly over: 'udp' | 'tcp' })[] = []
  manner: Manner = 'answering'
  readonly zone: Zone
  readonly #udp: Socket
  readonly #tcp: Server
  readonly #connections = new Set<TcpSocket>()

  private constructor(zone: Zone) {
    this.zone = zone
    this.#udp = createSocket('udp4')
    this.#tcp = createServer((socket) => this.#serve(socket))
  }

  static async start(zone: Zone): Promise<DnsServer> {
    for (;;) {
      const server = new DnsServer(zone)
      if (await server.#open()) return server
    }
  }

  get address(): HostPort {
    return { host: '127.0.0.1', port: this.#udp.address().port }
  }

  async stop(): Promise<void> {
    for (const socket of this.#connections) socket.destroy()
    const closed = [once(this.#udp, 'close'), once(this.#tcp, 'close')]
    this.#udp.close()
    this.#tcp.close()
    await Promise.all(closed)
  }

  /** The same port twice: the system picks one for UDP, which may be taken for TCP. */
  async #open(): Promise<boolean> {
    this.#udp.bind(0, '127.0.0.1')
    await once(this.#udp, 'listening')
    this.#udp.on('message', (data, from) => {
      const reply = this.#reply(data, 'udp')
      if (reply !== undefined) this.#udp.send(reply, from.port, from.address)
    })
    const opened = once(this.#tcp, 'listening').then(
      () => true,
      () => false,
    )
    this.#tcp.listen(this.address.port, '127.0.0.1')
    if (await opened) return true
    this.#udp.close()
    return false
  }

  #serve(socket: TcpSocket): void {
    this.#connections.add(socket)
    socket.on('close', () => this.#connections.delete(socket))
    socket.on('error', () => socket.destroy())
    let received = Buffer.alloc(0)
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      const reply = this.#reply(received.subarray(2), 'tcp')
      if (reply === undefined) return
      // In two pieces, as a network may deliver it.
      const framed = Buffer.concat([uint16(reply.length), reply])
      socket.write(framed.subarray(0, 3), () => socket.write(framed.subarray(3)))
    })
  }

  #reply(query: Buffer, over: 'udp' | 'tcp'): Buffer | undefined {
    const { question, end } = readQuestion(query)
    this.asked.push({ ...question, over })
    if (this.manner === 'silent') return undefined
    const isCut = this.manner === 'truncating' && over === 'udp'
    const answers = isCut || this.manner === 'failing' ? [] : this.#answers(question)
    const isKnown = this.zone.entries[question.name] !== undefined
    const code = this.manner === 'failing' ? 2 : isKnown || isCut || answers.length > 0 ? 0 : 3
    const authority = answers.length === 0 && code !== 2 && !isCut ? [this.#soa()] : []
    const header = Buffer.concat([
      query.subarray(0, 2),
      uint16(0x8180 | (isCut ? 0x0200 : 0) | code),
      uint16(1),
      uint16(answers.length),
      uint16(authority.length),
      uint16(0),
    ])
    return Buffer.concat([header, query.subarray(12, end), ...answers, ...authority])
  }

  #answers(question: DnsQuestion): readonly Buffer[] {
    const out: Buffer[] = []
    let { name } = question
    for (let step = 0; step < 10; step++) {
      const entries = this.zone.entries[name] ?? []
      const found = entries.find(({ type }) => type === question.type)
      if (found !== undefined && found.type !== 'CNAME') return [...out, ...recordsOf(name, found)]
      const alias = entries.find(({ type }) => type === 'CNAME')
      if (alias === undefined || alias.type !== 'CNAME') return out
      out.push(record(name, CNAME, alias.ttlSeconds ?? 60, writeName(alias.name)))
      name = alias.name
    }
    return out
  }

  #soa(): Buffer {
    const minimum = this.zone.negativeSeconds ?? 60
    const names = [writeName('ns.test'), writeName('hostmaster.test')]
    return record('test', SOA, 3_600, Buffer.concat([...names, ...[1, 2, 3, 4, minimum].map(uint32)]))
  }
}

function recordsOf(name: string, entry: Exclude<ZoneEntry, { readonly type: 'CNAME' }>): readonly Buffer[] {
  const write = (data: Buffer): Buffer => record(name, TYPES[entry.type], entry.ttlSeconds ?? 60, data)
  switch (entry.type) {
    case 'A':
      return entry.addresses.map((address) => write(Buffer.from(address.split('.').map(Number))))
    case 'AAAA':
      return entry.addresses.map((address) => write(ipv6(address)))
    case 'SRV':
      return entry.services.map(({ priority, weight, port, target }) =>
        write(Buffer.concat([uint16(priority), uint16(weight), uint16(port), writeName(target)])),
      )
    case 'NAPTR':
      return entry.pointers.map(({ order, preference, flags, service, regexp, replacement }) =>
        write(
          Buffer.concat([
            uint16(order),
            uint16(preference),
            ...[flags, service, regexp].map(text),
            writeName(replacement),
          ]),
        ),
      )
  }
}

function record(name: string, type: number, ttlSeconds: number, data: Buffer): Buffer {
  return Buffer.concat([writeName(name), uint16(type), uint16(1), uint32(ttlSeconds), uint16(data.length), data])
}

function readQuestion(query: Buffer): { readonly question: DnsQuestion; readonly end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.subarray(at + 1, at + 1 + length).toString('latin1'))
    at += 1 + length
  }
  const number = query.readUInt16BE(at + 1)
  const type = (Object.keys(TYPES) as DnsType[]).find((each) => TYPES[each] === number)
  if (type === undefined) throw new Error(`asked for type ${number}`)
  return { question: { name: labels.join('.').toLowerCase(), type }, end: at + 5 }
}

function writeName(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.').map(text)
  return Buffer.concat([...labels, Buffer.from([0])])
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')])
}

function ipv6(address: string): Buffer {
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = new Array<string>(8 - before.length - after.length).fill('0')
  return Buffer.concat([...before, ...zeros, ...after].map((group) => uint16(Number.parseInt(group, 16))))
}

function uint16(value: number): Buffer {
  const out = Buffer.alloc(2)
  out.writeUInt16BE(value)
  return out
}

function uint32(value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(value)
  return out
}

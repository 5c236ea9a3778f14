import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { DnsAnswer, DnsQuestion, HostPort } from '../../sip/index.ts'
import { type DnsReply, readReply, writeQuery } from './message.ts'

export interface Ask {
  readonly question: DnsQuestion
  readonly server: HostPort
  readonly timeoutMs: number
}

/** Asks one server: over UDP, and over TCP if its answer does not fit a datagram (RFC 7766 §5). Never fails otherwise than with `failed`. */
export async function query(ask: Ask): Promise<DnsAnswer> {
  const reply = await exchange(ask, overUdp)
  return reply.kind === 'truncated' ? answerOf(await exchange(ask, overTcp)) : answerOf(reply)
}

function answerOf(reply: DnsReply): DnsAnswer {
  return reply.kind === 'answer' ? reply.answer : { kind: 'failed', detail: 'the answer is cut off' }
}

interface Exchange {
  readonly id: number
  readonly ask: Ask
  readonly data: Buffer
  /** To be called once, with what came or went wrong. */
  readonly done: (reply: DnsReply) => void
}

/** Starts an exchange. @returns what ends it. */
type Way = (exchange: Exchange) => () => void

/** Each query has an id and, over UDP, a port nobody can guess (RFC 5452). */
function exchange(ask: Ask, way: Way): Promise<DnsReply> {
  return new Promise((settle) => {
    let end = (): void => {}
    let isDone = false
    const done = (reply: DnsReply): void => {
      if (isDone) return
      isDone = true
      clearTimeout(timer)
      end()
      settle(reply)
    }
    const timer = setTimeout(() => done(failed(`no answer within ${ask.timeoutMs} ms`)), ask.timeoutMs)
    try {
      const id = randomInt(65_536)
      end = way({ id, ask, data: writeQuery(id, ask.question), done })
    } catch (thrown) {
      done(failed(thrown instanceof Error ? thrown.message : String(thrown)))
    }
    if (isDone) end()
  })
}

function overUdp({ id, ask, data, done }: Exchange): () => void {
  const { host, port } = ask.server
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  let isClosed = false
  socket.on('error', (error) => done(failed(error.message)))
  socket.on('message', (message) => {
    const reply = readReply(message, id, ask.question)
    if (reply.kind !== 'other') done(reply)
  })
  // A connected socket takes packets of this server alone, and hears when nobody is there.
  socket.connect(port, host, () => {
    if (!isClosed) socket.send(data)
  })
  return () => {
    if (isClosed) return
    isClosed = true
    socket.close()
  }
}

function overTcp({ id, ask, data, done }: Exchange): () => void {
  const { host, port } = ask.server
  const socket = connect({ host, port })
  let received = Buffer.alloc(0)
  socket.on('error', (error) => done(failed(error.message)))
  socket.on('close', () => done(failed('the server hung up')))
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes])
    if (received.length < 2) return
    const length = received.readUInt16BE(0) // RFC 1035 §4.2.2.
    if (received.length < 2 + length) return
    const reply = readReply(received.subarray(2, 2 + length), id, ask.question)
    done(reply.kind === 'other' ? failed('the server answers something else') : reply)
  })
  const prefix = Buffer.alloc(2)
  prefix.writeUInt16BE(data.length)
  socket.write(Buffer.concat([prefix, data]))
  return () => socket.destroy()
}

function failed(detail: string): DnsReply {
  return { kind: 'answer', answer: { kind: 'failed', detail } }
}

import { createSocket, type Socket } from 'node:dgram'
import { Samples } from '../report/index.ts'
import { header, lines, sdp, statusOf, uriIn } from './sip-text.ts'

export const CALLER_HOST = '127.0.0.2'
export const CALLEE_HOST = '127.0.0.3'
const NUMBER = '+15550199'

/** A request is sent again after this long without an answer, and the call is lost after the second, in ms. */
const AGAIN_MS = 500
const LOST_MS = 10_000

interface Call {
  readonly id: string
  readonly begunAt: number
  sentAt: number
  /** The request that waits for its final answer. */
  request: string
  answeredAt: number
  leftAt: number
  stage: 'inviting' | 'talking' | 'leaving'
  ack: string
}

export interface LoadResult {
  readonly begun: number
  readonly complete: number
  readonly failed: number
  readonly repeated: number
  /** INVITE to 200; and to that the time from BYE to its 200, in ms. */
  readonly setupMs: Samples
  readonly wholeMs: Samples
}

/** Both ends of the calls: a carrier that calls `NUMBER` and the peer that answers at once. */
export interface Load {
  readonly calleePort: number
  /** Begins calls at `rate` per second for `seconds`; with rate 0 keeps `concurrent` calls going. */
  run(gatewayPort: number, how: RunOptions): Promise<LoadResult>
  close(): void
}

export interface RunOptions {
  readonly rate: number
  readonly seconds: number
  readonly concurrent: number
  /** From ACK to BYE. */
  readonly talkSeconds: number
}

export async function createLoad(): Promise<Load> {
  const caller = await bound(CALLER_HOST)
  const callee = await bound(CALLEE_HOST)
  answerCalls(callee)
  let generation = 0
  return {
    calleePort: callee.address().port,
    run: (port, how) => new Run(caller, port, how, ++generation).done,
    close() {
      caller.close()
      callee.close()
    },
  }
}

async function bound(host: string): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup: (name, _options, done) => done(null, name, 4) })
  await new Promise<void>((done) => socket.bind(0, host, done))
  socket.setRecvBufferSize(4_194_304)
  return socket
}

/** The called side: 180 and 200 to INVITE, 200 to the rest; it keeps no state. */
function answerCalls(socket: Socket): void {
  const { address, port } = socket.address()
  const body = sdp(address, 30_000)
  const contact = `Contact: <sip:${NUMBER}@${address}:${port}>`
  socket.on('message', (data, remote) => {
    const request = data.toString('latin1')
    if (request.startsWith('ACK ') || statusOf(request) > 0) return
    const reply = (status: string, extra: string, content: string): void => {
      const to = header(request, 'To')
      const tagged = to.includes(';tag=') ? to : `${to};tag=callee`
      socket.send(
        `SIP/2.0 ${status}\r\n${lines(request, 'Via')}\r\nFrom: ${header(request, 'From')}\r\nTo: ${tagged}\r\n` +
          `Call-ID: ${header(request, 'Call-ID')}\r\nCSeq: ${header(request, 'CSeq')}\r\n${extra}` +
          `Content-Length: ${content.length}\r\n\r\n${content}`,
        remote.port,
        remote.address,
      )
    }
    if (!request.startsWith('INVITE ')) return reply('200 OK', '', '')
    reply('180 Ringing', `${contact}\r\n`, '')
    reply('200 OK', `${contact}\r\nContent-Type: application/sdp\r\n`, body)
  })
}

class Run {
  readonly done: Promise<LoadResult>
  readonly #socket: Socket
  readonly #port: number
  readonly #how: RunOptions
  readonly #name: number
  readonly #calls = new Map<string, Call>()
  /** In the order in which they were answered. */
  #talking: Call[] = []
  readonly #result = { begun: 0, complete: 0, failed: 0, repeated: 0, setupMs: new Samples(), wholeMs: new Samples() }
  readonly #startedAt = performance.now()
  readonly #ticker: NodeJS.Timeout
  #finish: (result: LoadResult) => void = () => {}

  constructor(socket: Socket, port: number, how: RunOptions, name: number) {
    this.#socket = socket
    this.#port = port
    this.#how = how
    this.#name = name
    this.done = new Promise((done) => {
      this.#finish = done
    })
    socket.removeAllListeners('message')
    socket.on('message', (data) => this.#received(data.toString('latin1')))
    this.#ticker = setInterval(() => this.#tick(), 5)
    this.#tick()
  }

  #tick(): void {
    const now = performance.now()
    const elapsedS = (now - this.#startedAt) / 1_000
    const { rate, seconds, concurrent } = this.#how
    const isOver = elapsedS >= seconds
    const due =
      rate > 0 ? Math.floor(Math.min(elapsedS, seconds) * rate) - this.#result.begun : concurrent - this.#calls.size
    if (!isOver) for (let i = 0; i < due; i++) this.#begin(now)
    this.#hangUp(now)
    if (Math.floor(now / 100) !== Math.floor((now - 5) / 100)) this.#repeat(now)
    if (!isOver || this.#calls.size > 0) return
    clearInterval(this.#ticker)
    this.#finish(this.#result)
  }

  #begin(now: number): void {
    const { address, port } = this.#socket.address()
    const id = `${this.#name}-${++this.#result.begun}@bench`
    const body = sdp(address, 20_000)
    const request =
      `INVITE sip:${NUMBER}@127.0.0.1:${this.#port} SIP/2.0\r\nVia: SIP/2.0/UDP ${address}:${port};branch=z9hG4bK${id}i;rport\r\n` +
      `Max-Forwards: 70\r\nFrom: <sip:+15550100@${address}>;tag=${id}\r\nTo: <sip:${NUMBER}@127.0.0.1>\r\nCall-ID: ${id}\r\n` +
      `CSeq: 1 INVITE\r\nContact: <sip:caller@${address}:${port}>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n` +
      `User-Agent: bench\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    this.#calls.set(id, {
      id,
      begunAt: now,
      answeredAt: now,
      leftAt: now,
      sentAt: now,
      request,
      stage: 'inviting',
      ack: '',
    })
    this.#send(request)
  }

  #received(message: string): void {
    const status = statusOf(message)
    const call = this.#calls.get(header(message, 'Call-ID'))
    if (call === undefined || status < 200) return
    const method = header(message, 'CSeq').split(' ')[1]
    const now = performance.now()
    if (method === 'INVITE' && status === 200) {
      if (call.stage === 'inviting') this.#answered(call, message, now)
      else this.#send(call.ack) // A repeated 200.
    } else if (method === 'BYE' && status === 200) {
      this.#result.wholeMs.add(now - call.begunAt - (call.leftAt - call.answeredAt))
      this.#end(call, 'complete')
    } else {
      this.#end(call, 'failed')
    }
  }

  #answered(call: Call, message: string, now: number): void {
    const { address, port } = this.#socket.address()
    this.#result.setupMs.add(now - call.begunAt)
    const request = (method: string, sequence: number): string =>
      `${method} ${uriIn(header(message, 'Contact'))} SIP/2.0\r\n` +
      `Via: SIP/2.0/UDP ${address}:${port};branch=z9hG4bK${call.id}${method};rport\r\nMax-Forwards: 70\r\n` +
      `From: ${header(message, 'From')}\r\nTo: ${header(message, 'To')}\r\nCall-ID: ${call.id}\r\n` +
      `CSeq: ${sequence} ${method}\r\nContent-Length: 0\r\n\r\n`
    call.ack = request('ACK', 1)
    call.request = request('BYE', 2)
    call.stage = 'talking'
    call.answeredAt = now
    this.#send(call.ack)
    this.#talking.push(call)
    if (this.#how.talkSeconds === 0) this.#hangUp(now)
  }

  /** Whoever has talked long enough. */
  #hangUp(now: number): void {
    const until = now - this.#how.talkSeconds * 1_000
    const staying = this.#talking.findIndex((call) => call.answeredAt > until)
    for (const call of this.#talking.splice(0, staying < 0 ? this.#talking.length : staying)) {
      call.stage = 'leaving'
      call.sentAt = now
      call.leftAt = now
      this.#send(call.request)
    }
  }

  #repeat(now: number): void {
    for (const call of this.#calls.values()) {
      if (call.stage === 'talking') continue
      if (now - (call.stage === 'leaving' ? call.leftAt : call.begunAt) > LOST_MS) this.#end(call, 'failed')
      else if (now - call.sentAt > AGAIN_MS) {
        call.sentAt = now
        this.#result.repeated++
        this.#send(call.request)
      }
    }
  }

  #end(call: Call, how: 'complete' | 'failed'): void {
    this.#calls.delete(call.id)
    this.#result[how]++
  }

  #send(message: string): void {
    this.#socket.send(message, this.#port, '127.0.0.1')
  }
}

import { createConnection, type Socket } from 'node:net'
import { GatewayError } from '../../../base/index.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import { type Answer, type Hello, type Message, type Op, PROTOCOL, type Reply, type WireEvent } from './protocol.ts'
import { faultOf } from './wire.ts'

export interface ConnectionOptions {
  /** Path of the control socket. */
  readonly path: string
  /** Name for the engine's log. */
  readonly gateway: string
  /**
   * A relay answered our hello: the first one, or one that replaced it. What is given is said to it before anything
   * that still waits for an answer is said again.
   */
  readonly onRelay: (hello: Hello) => Op | undefined
  readonly onEvents: (events: readonly WireEvent[]) => void
  /** Nobody listens any more: keeper and relay are gone, and with them all sessions. */
  readonly onLost: (error: GatewayError) => void
  readonly onOddity: (problem: string) => void
}

interface Waiting {
  readonly op: Op
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: GatewayError) => void
  readonly timer: NodeJS.Timeout
}

/**
 * The way to one keeper and its relays, as long as one of them lives.
 *
 * The keeper holds the listening socket, so a new relay is reached at the same path at once. Commands without an answer
 * are then said again, in their order: they are idempotent. Only a connection that is refused says that nobody is left.
 */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  #socket: Socket | undefined
  /** Set once the relay at the other end answered our hello. */
  #isUp = false
  #failures = 0
  #retry: NodeJS.Timeout | undefined
  #ended: GatewayError | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#connect()
  }

  /**
   * Says a command, as soon as there is a relay to hear it.
   *
   * @throws GatewayError that of the engine; `MEDIA_DEADLINE_MISSED`: no answer in time; `MEDIA_ENGINE_LOST`.
   */
  call(op: Op, deadlineMs: number): Promise<Answer> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.reject(new GatewayError('MEDIA_DEADLINE_MISSED', `${MAX_WAITING} commands wait for an answer`))
    }
    return new Promise((resolve, reject) => {
      this.#lastId++
      const id = this.#lastId
      const timer = setTimeout(() => this.#expire(id), deadlineMs)
      this.#waiting.set(id, { op, resolve, reject, timer })
      if (this.#isUp) this.#say(id, op)
    })
  }

  /** Nothing is said or heard any more. */
  end(error: GatewayError): void {
    if (this.#ended !== undefined) return
    this.#ended = error
    this.#isUp = false
    clearTimeout(this.#retry)
    this.#socket?.destroy()
    for (const { timer, reject } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(error)
    }
    this.#waiting.clear()
  }

  #connect(): void {
    const socket = createConnection(this.#options.path)
    const reader = new FrameReader()
    this.#socket = socket
    let cause: NodeJS.ErrnoException | undefined
    let greeting: NodeJS.Timeout | undefined
    socket.on('connect', () => {
      greeting = setTimeout(() => socket.destroy(), GREETING_MS)
      const hello: Op = { op: 'hello', protocol: PROTOCOL, gateway: this.#options.gateway }
      this.#say(HELLO_ID, hello)
    })
    socket.on('data', (chunk) => {
      for (const frame of reader.push(chunk)) {
        if (frame.kind === 'value') this.#onMessage(frame.value as Message, () => clearTimeout(greeting))
        else this.#options.onOddity(frame.problem)
        if (frame.kind === 'broken') socket.destroy()
      }
    })
    socket.on('error', (error) => {
      cause = error
    })
    socket.on('close', () => {
      clearTimeout(greeting)
      if (this.#socket === socket) this.#onClosed(cause)
    })
  }

  #onClosed(cause: NodeJS.ErrnoException | undefined): void {
    this.#socket = undefined
    this.#isUp = false
    if (this.#ended !== undefined) return
    this.#failures++
    const nobodyListens = cause?.code === 'ECONNREFUSED' || cause?.code === 'ENOENT'
    if (nobodyListens && this.#failures >= REFUSALS) {
      const error = new GatewayError('MEDIA_ENGINE_LOST', 'keeper and relay of the media engine are gone', { cause })
      this.end(error)
      this.#options.onLost(error)
      return
    }
    for (const [id, { op }] of this.#waiting) if (!isRepeatable(op)) this.#settle(id)?.reject(notAgain(op))
    const delayMs = RETRY_MS[Math.min(this.#failures, RETRY_MS.length) - 1]
    this.#retry = setTimeout(() => this.#connect(), delayMs)
  }

  #onMessage(message: Message, greeted: () => void): void {
    if ('events' in message) this.#options.onEvents(message.events)
    else if (message.id === HELLO_ID) {
      greeted()
      this.#onHello(message)
    } else this.#onReply(message)
  }

  #onHello({ ok, fault }: Reply): void {
    if (ok?.kind !== 'hello' || ok.protocol !== PROTOCOL) {
      const why = fault?.message ?? `it speaks protocol ${ok?.kind === 'hello' ? ok.protocol : '?'}, not ${PROTOCOL}`
      const error = new GatewayError(
        'MEDIA_ENGINE_LOST',
        `the media engine at ${this.#options.path} is not ours: ${why}`,
      )
      this.end(error)
      this.#options.onLost(error)
      return
    }
    this.#failures = 0
    this.#isUp = true
    const first = this.#options.onRelay(ok)
    if (first !== undefined) this.#say(UNANSWERED_ID, first)
    for (const [id, { op }] of this.#waiting) this.#say(id, op)
  }

  #onReply({ id, ok, fault }: Reply): void {
    const waiting = this.#settle(id)
    if (waiting === undefined) return // Answered before, or given up.
    if (ok !== undefined) waiting.resolve(ok)
    else waiting.reject(faultOf(fault ?? { code: '', message: 'without a reason' }, waiting.op.op))
  }

  #expire(id: number): void {
    const waiting = this.#settle(id)
    waiting?.reject(
      new GatewayError('MEDIA_DEADLINE_MISSED', `the media engine did not answer ${waiting.op.op} in time`),
    )
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return undefined
    clearTimeout(waiting.timer)
    this.#waiting.delete(id)
    return waiting
  }

  #say(id: number, op: Op): void {
    const frame = encodeFrame({ id, ...op })
    if (frame !== undefined) this.#socket?.write(frame)
    else this.#settle(id)?.reject(new GatewayError('MEDIA_SPEC_INVALID', `${op.op} is too long for the media engine`))
  }
}

/** Said twice these would be done twice. */
function isRepeatable(op: Op): boolean {
  return op.op !== 'skip' && (op.op !== 'change' || op.change.kind !== 'send-dtmf')
}

function notAgain(op: Op): GatewayError {
  return new GatewayError('MEDIA_DEADLINE_MISSED', `the relay was replaced before it answered ${op.op}`)
}

/** Ids of commands begin after these. */
const HELLO_ID = 0
/** Of the command that goes first to a new relay; nobody waits for the answer. Above every id that is given. */
const UNANSWERED_ID = Number.MAX_SAFE_INTEGER
const MAX_WAITING = 50_000
/** Refused so often in a row, nobody is left. */
const REFUSALS = 3
/** Time a relay may take to answer hello before the connection is tried anew. */
const GREETING_MS = 5_000
/** Pauses between tries to connect: the first relay that is ready answers. */
const RETRY_MS = [1, 2, 5, 10, 20, 50, 100, 200]

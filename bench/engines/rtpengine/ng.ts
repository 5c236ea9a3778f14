import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type Bencode, decode, encode } from './bencode.ts'

type Dictionary = { readonly [key: string]: Bencode | undefined }

/** A request is repeated so often, in ms; rtpengine answers a repeated one with the same answer. */
const REPEAT_MS = 200
const ATTEMPTS = 25

/** Client of rtpengine's control protocol "ng" over UDP: a cookie, a blank, a bencoded dictionary. */
export class NgClient {
  readonly #socket: Socket
  readonly #waiting = new Map<string, (answer: Dictionary) => void>()
  #next = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (message) => this.#onMessage(message))
    socket.on('error', () => {}) // Refused while rtpengine starts: the question is repeated.
  }

  static async open(host: string, port: number): Promise<NgClient> {
    const socket = createSocket('udp4')
    socket.connect(port, host)
    await once(socket, 'connect')
    return new NgClient(socket)
  }

  /** @throws Error with rtpengine's reason, or if it does not answer. */
  async ask(command: string, fields: Dictionary): Promise<Dictionary> {
    const cookie = `bench-${this.#next++}`
    const message = `${cookie} ${encode({ command, ...fields })}`
    const answer = await new Promise<Dictionary>((resolve, reject) => {
      let attempts = 0
      const send = (): void => {
        if (attempts++ === ATTEMPTS) {
          stop()
          reject(new Error(`rtpengine does not answer "${command}"`))
        } else this.#socket.send(message)
      }
      const timer = setInterval(send, REPEAT_MS)
      const stop = (): void => {
        clearInterval(timer)
        this.#waiting.delete(cookie)
      }
      this.#waiting.set(cookie, (found) => {
        stop()
        resolve(found)
      })
      send()
    })
    if (answer.result === 'error') throw new Error(`rtpengine refuses "${command}": ${String(answer['error-reason'])}`)
    return answer
  }

  close(): void {
    this.#socket.close()
  }

  #onMessage(message: Buffer): void {
    const blank = message.indexOf(' ')
    const take = this.#waiting.get(message.toString('latin1', 0, blank))
    const answer = take === undefined ? undefined : decode(message.subarray(blank + 1))
    if (take !== undefined && typeof answer === 'object' && !Array.isArray(answer)) take(answer as Dictionary)
  }
}

import type { ByteString, FaultCode } from '../base/index.ts'
import type { SipOutput } from './endpoint-model.ts'
import type { Flow, SendTarget } from './flow.ts'
import type { SipMessage } from './message/model.ts'
import { rereadMessage } from './message/parse.ts'
import { writeMessage } from './message/write.ts'

export type RejectCode = FaultCode | 'SIP_STRAY_RESPONSE' | 'SIP_STRAY_ACK'

/** The endpoint's outputs in their order, and what is counted of them. */
export class Outbox {
  #queue: SipOutput[] = []
  #taken = 0
  #lastSendId = 0
  retransmissionsSent = 0
  retransmissionsReceived = 0
  stunIgnored = 0
  readonly rejected: Record<string, number> = {}

  put(output: SipOutput): void {
    this.#queue.push(output)
  }

  poll(): SipOutput | undefined {
    const output = this.#queue[this.#taken]
    if (output === undefined) return undefined
    this.#taken++
    if (this.#taken === this.#queue.length) {
      this.#queue = []
      this.#taken = 0
    }
    return output
  }

  /** Returns the bytes, for those who may have to repeat them, and the id of the sending. */
  send(target: SendTarget, message: SipMessage): { readonly data: ByteString; readonly sendId: number } {
    const data = writeMessage(message)
    const sendId = ++this.#lastSendId
    this.put({ kind: 'send', sendId, target, data, message, repeated: false })
    return { data, sendId }
  }

  /** The same bytes once more. Only they were kept, so the message is read from them. */
  repeat(target: SendTarget, data: ByteString): number {
    const sendId = ++this.#lastSendId
    this.retransmissionsSent++
    this.put({ kind: 'send', sendId, target, data, message: rereadMessage(data), repeated: true })
    return sendId
  }

  reject(code: RejectCode, detail: string, flow: Flow): void {
    this.rejected[code] = (this.rejected[code] ?? 0) + 1
    this.put({ kind: 'rejected', code, detail, flow })
  }
}

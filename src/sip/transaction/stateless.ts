import type { ByteString } from '../../base/index.ts'
import type { SendTarget } from '../flow.ts'
import { replyTo } from '../message/create.ts'
import type { HeaderField, SipRequest } from '../message/model.ts'
import type { TransactionContext } from './context.ts'

/**
 * Answers without a transaction (RFC 3261 §8.2.7): a repetition is answered again, in the same words. All such answers
 * of one endpoint have one To tag, which tells their ACK.
 */
export class StatelessReplies {
  readonly #context: TransactionContext
  readonly tag: ByteString

  constructor(context: TransactionContext) {
    this.#context = context
    this.tag = context.ids.token()
  }

  send(request: SipRequest, target: SendTarget, status: number, more: readonly HeaderField[] = []): void {
    const headers = [...more, { name: 'Server', value: this.#context.options.product }]
    const toTag = isReadable(request) ? this.tag : undefined
    this.#context.outbox.send(target, replyTo(request, status, { toTag, headers }))
  }
}

/** Whether To can carry a tag. Of a request that is refused for its To it goes back as it came. */
function isReadable({ headers }: SipRequest): boolean {
  try {
    return headers.to.uri !== ''
  } catch {
    return false
  }
}

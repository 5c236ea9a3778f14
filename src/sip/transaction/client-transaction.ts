import type { ByteString, Millis } from '../../base/index.ts'
import type { ClientKey } from '../endpoint-model.ts'
import type { SendTarget } from '../flow.ts'
import type { HeaderField } from '../message/model.ts'
import type { Sleeper } from './deadlines.ts'
import { type InviteClient, inviteClientDeadline, startInviteClient } from './invite-client.ts'
import { type NonInviteClient, nonInviteClientDeadline, startNonInviteClient } from './non-invite-client.ts'
import type { Timers } from './timers.ts'

/** What a client transaction starts with. */
export interface ClientParts {
  /** Absent: a CANCEL, which is ours and whose fate nobody asks for. */
  readonly key?: ClientKey | undefined
  /** Its place in the table: the branch, with the method for CANCEL. */
  readonly id: string
  readonly method: string
  readonly target: SendTarget
  readonly timers: Timers
  readonly data: ByteString
  /** Of the first sending. */
  readonly sendId: number
}

/** An INVITE of ours. Of messages only bytes are kept, and those only while they may be sent again. */
export class InviteClientTransaction implements Sleeper {
  readonly kind = 'invite'
  readonly key: ClientKey | undefined
  readonly id: string
  readonly method: string
  target: SendTarget
  readonly timers: Timers
  wakeAt: Millis | undefined
  sendId: number
  /** The connection an answer is awaited on. */
  flowId: string | undefined
  /** The request; after a failure its ACK; after a 2xx nothing. */
  data: ByteString
  tx: InviteClient
  /** Headers of the CANCEL to come. */
  cancelHeaders: readonly HeaderField[] = []
  /** The 2xx seen so far, one for each branch that answered. */
  readonly successes: Success[] = []

  constructor(parts: ClientParts, now: Millis) {
    this.key = parts.key
    this.id = parts.id
    this.method = parts.method
    this.target = parts.target
    this.timers = parts.timers
    this.sendId = parts.sendId
    this.data = parts.data
    this.tx = startInviteClient(now, parts.timers)
  }

  deadline(): Millis | undefined {
    return inviteClientDeadline(this.tx)
  }
}

/** One 2xx and, once the user gave it, what acknowledges it. */
export interface Success {
  readonly toTag: ByteString
  ack?: { readonly data: ByteString; readonly target: SendTarget }
}

/** Any other request of ours. */
export class NonInviteClientTransaction implements Sleeper {
  readonly kind = 'non-invite'
  readonly key: ClientKey | undefined
  readonly id: string
  readonly method: string
  target: SendTarget
  readonly timers: Timers
  wakeAt: Millis | undefined
  sendId: number
  flowId: string | undefined
  /** The request, until its final response. */
  data: ByteString
  tx: NonInviteClient

  constructor(parts: ClientParts, now: Millis) {
    this.key = parts.key
    this.id = parts.id
    this.method = parts.method
    this.target = parts.target
    this.timers = parts.timers
    this.sendId = parts.sendId
    this.data = parts.data
    this.tx = startNonInviteClient(now, parts.timers)
  }

  deadline(): Millis | undefined {
    return nonInviteClientDeadline(this.tx)
  }
}

export type ClientTransaction = InviteClientTransaction | NonInviteClientTransaction

/** Whether an answer may still come that the user waits for. */
export function isPending({ tx }: ClientTransaction): boolean {
  return tx.state === 'calling' || tx.state === 'trying' || tx.state === 'proceeding'
}

import type { ByteString, Millis } from '../../base/index.ts'
import type { ServerKey } from '../endpoint-model.ts'
import type { Flow, SendTarget } from '../flow.ts'
import type { SipRequest } from '../message/model.ts'
import type { Sleeper } from './deadlines.ts'
import { type InviteServer, inviteServerDeadline, startInviteServer } from './invite-server.ts'
import { type NonInviteServer, nonInviteServerDeadline, startNonInviteServer } from './non-invite-server.ts'
import type { Timers } from './timers.ts'

/** What a server transaction starts with. */
export interface ServerParts {
  readonly key: ServerKey
  /** Its place in the table of transactions, RFC 3261 §17.2.3. */
  readonly id: string
  /** Its place in the table of merged requests and of 2xx that wait for ACK; absent if it needs none. */
  readonly sequenceId: string | undefined
  readonly target: SendTarget
  /** IP address the request came from. */
  readonly source: string
  readonly timers: Timers
}

/** An INVITE of a peer. Of messages only the last response's bytes are kept once it is answered. */
export class InviteServerTransaction implements Sleeper {
  readonly kind = 'invite'
  readonly key: ServerKey
  readonly id: string
  readonly sequenceId: string | undefined
  readonly target: SendTarget
  readonly source: string
  readonly timers: Timers
  wakeAt: Millis | undefined
  tx: InviteServer
  /** Until the final response. */
  request: SipRequest | undefined
  /** The last response; '' before the first and after the ACK. */
  data: ByteString = ''
  status = 0
  /** Tag of To in our responses, once one was sent. */
  localTag: ByteString | undefined
  isCancelled = false

  constructor(parts: ServerParts, request: SipRequest, now: Millis) {
    this.key = parts.key
    this.id = parts.id
    this.sequenceId = parts.sequenceId
    this.target = parts.target
    this.source = parts.source
    this.timers = parts.timers
    this.request = request
    this.localTag = request.headers.toTag
    this.tx = startInviteServer(now)
  }

  deadline(): Millis | undefined {
    return inviteServerDeadline(this.tx)
  }
}

/** Any other request of a peer. */
export class NonInviteServerTransaction implements Sleeper {
  readonly kind = 'non-invite'
  readonly key: ServerKey
  readonly id: string
  readonly sequenceId: string | undefined
  readonly target: SendTarget
  readonly timers: Timers
  wakeAt: Millis | undefined
  tx: NonInviteServer
  data: ByteString = ''

  constructor(parts: ServerParts, now: Millis) {
    this.key = parts.key
    this.id = parts.id
    this.sequenceId = parts.sequenceId
    this.target = parts.target
    this.timers = parts.timers
    this.tx = startNonInviteServer(now, parts.timers)
  }

  deadline(): Millis | undefined {
    return nonInviteServerDeadline(this.tx)
  }
}

export type ServerTransaction = InviteServerTransaction | NonInviteServerTransaction

/** A request of a peer that came in, its source stamped, and how it came. */
export interface Incoming {
  readonly request: SipRequest
  readonly flow: Flow
  readonly target: SendTarget
}

import type { ByteString, FaultCode } from '../base/index.ts'
import type { Flow, HostPort, SendTarget, TransportName } from './flow.ts'
import type { HeaderField, SipMessage, SipRequest, SipResponse } from './message/model.ts'
import type { OwnAddress } from './own-addresses.ts'

/**
 * The transaction user's name for a client transaction. The user chooses it; unique while the transaction lives.
 */
export type ClientKey = string

/** The endpoint's name for a server transaction. Plain text, so that it may be kept in a call's state. */
export type ServerKey = string

/** What the endpoint is told. Data from the network first, then commands of the transaction user. */
export type SipInput =
  /** One whole message: a datagram, a WebSocket message, or a message framed out of a stream. */
  | {
      readonly kind: 'received'
      readonly flow: Flow
      readonly data: ByteString
      /** `data` is where a stream broke off: refused for this, whatever it says. */
      readonly broken?: StreamFault
    }
  /** The bytes of a `send` output could not be delivered. `sendId` is that output's. */
  | { readonly kind: 'send-failed'; readonly sendId: number; readonly cause: string }
  /** A connection is gone. Client transactions that wait on it fail with cause `transport`. */
  | { readonly kind: 'flow-closed'; readonly flowId: string }
  /**
   * The peer of a connection now uses `flow` instead (RFC 5626 §6): client transactions that wait on the old one go on
   * there, with their request sent once more. A peer that has it already sees a repetition.
   */
  | { readonly kind: 'flow-replaced'; readonly flowId: string; readonly flow: Flow }
  /**
   * Starts a client transaction. The endpoint adds Via (branch, rport), Content-Length and Max-Forwards if absent.
   * `branch`: of the transaction that this one goes on with after it `failed`.
   */
  | {
      readonly kind: 'request'
      readonly key: ClientKey
      readonly request: SipRequest
      readonly target: SendTarget
      readonly branch?: string | undefined
    }
  /**
   * Cancels the INVITE of `key` (RFC 3261 §9.1): sent at once after a provisional response, else as soon as one comes;
   * the INVITE is then still answered or given up (`failed`) within 64·T1. Harmless if it has already ended.
   */
  | { readonly kind: 'cancel'; readonly key: ClientKey; readonly headers?: readonly HeaderField[] }
  /**
   * Acknowledges a 2xx of the INVITE `key` (RFC 3261 §13.2.2.4). The endpoint repeats it for each repeated 2xx of the
   * same dialog for 64·T1.
   */
  | { readonly kind: 'ack'; readonly key: ClientKey; readonly ack: SipRequest; readonly target: SendTarget }
  /**
   * Answers a server transaction. A 2xx to INVITE is repeated until its ACK arrives (RFC 3261 §13.3.1.4), else
   * `ack-missing` is reported after 64·T1. `response` comes from `replyTo(request, …)`.
   *
   * `forget`: the transaction ends with this failure at once (RFC 3261 §8.2.7, §26.3.2.4), and a repetition comes to the
   * user as a new request. For answers to strangers, whom nobody should remember for 64·T1.
   */
  | { readonly kind: 'respond'; readonly key: ServerKey; readonly response: SipResponse; readonly forget?: boolean }
  /** Nothing; lets due timers run. */
  | { readonly kind: 'wake' }

/** What the endpoint wants done or has to report. */
export type SipOutput =
  | {
      readonly kind: 'send'
      readonly sendId: number
      readonly target: SendTarget
      readonly data: ByteString
      /** For the timeline and metrics: what these bytes are, and whether they are a repetition. */
      readonly message: SipMessage
      readonly repeated: boolean
    }
  /** A new request outside or inside a dialog; a server transaction waits for `respond`. Never ACK or CANCEL. */
  | { readonly kind: 'request'; readonly key: ServerKey; readonly request: SipRequest; readonly flow: Flow }
  /** ACK of a 2xx (its own transaction). `key` is that of the INVITE if it is known. */
  | { readonly kind: 'ack'; readonly key?: ServerKey; readonly request: SipRequest; readonly flow: Flow }
  /** CANCEL matched the INVITE of `key`; the CANCEL itself was answered 200. The user answers the INVITE with 487. */
  | { readonly kind: 'cancelled'; readonly key: ServerKey; readonly request: SipRequest }
  /** No ACK came for the 2xx or, harmlessly, for the failure response of `key`. */
  | { readonly kind: 'ack-missing'; readonly key: ServerKey; readonly status: number }
  /**
   * A response of client transaction `key`. Each provisional and each different 2xx (forking) is reported; repeated
   * 2xx are not. Responses ≥ 300 to INVITE are acknowledged by the transaction itself.
   */
  | { readonly kind: 'response'; readonly key: ClientKey; readonly response: SipResponse; readonly flow: Flow }
  /** The client transaction ended without a final response. */
  | {
      readonly kind: 'failed'
      readonly key: ClientKey
      readonly cause: 'timeout' | 'transport'
      readonly detail: string
      readonly branch: string
    }
  /** A message was refused or ignored before any transaction user saw it. For counters. */
  | {
      readonly kind: 'rejected'
      readonly code: FaultCode | 'SIP_STRAY_RESPONSE' | 'SIP_STRAY_ACK'
      readonly detail: string
      readonly flow: Flow
    }
  /** The answer to a keep-alive (RFC 5626 §3.5), to be written as it is. */
  | { readonly kind: 'pong'; readonly flow: Flow; readonly data: ByteString }
  /** The peer, known by its certificate, wants requests to this port of its address sent over `flow` (RFC 5923 §8.2). */
  | { readonly kind: 'alias'; readonly flow: Flow; readonly port: number }

/** Why a stream can be read no further. */
export interface StreamFault {
  readonly code: FaultCode
  readonly detail: string
}

export interface SipEndpointOptions {
  /** `sent-by` of the Via for each transport that is listened on. */
  readonly sentBy: Partial<Record<TransportName, HostPort>>
  /** Where a transport has several addresses: all of them, of which each peer is told the fitting one. */
  readonly own?: readonly OwnAddress[]
  /** Asks peers over TLS to send their requests over the connection we opened (RFC 5923): we have a certificate. */
  readonly aliases?: boolean
  /** Value of `Server` and `User-Agent`. */
  readonly product: string
  /** RFC 3261 T1, T2, T4 in ms. Default 500, 4000, 5000. */
  readonly timers?: { readonly t1Ms?: number; readonly t2Ms?: number; readonly t4Ms?: number }
  readonly maxTransactions?: number
}

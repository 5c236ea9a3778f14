import type { Millis } from '../../../../base/index.ts'
import { ClientHandshake } from './client-handshake.ts'
import { Flight } from './flight.ts'
import { ALERT, type Handshake, HandshakeFailure, type HandshakeOptions, type HandshakeStep } from './handshake.ts'
import { Reassembly } from './handshake-message.ts'
import type { SrtpKeys } from './key-schedule.ts'
import { CONTENT, type DtlsRecord, parseRecords, serializeRecord } from './record.ts'
import { type RecordProtection, ReplayWindow } from './record-protection.ts'
import { ServerHandshake } from './server-handshake.ts'
import { DecodeError } from './wire.ts'

export interface DtlsOptions extends HandshakeOptions {
  readonly role: 'client' | 'server'
}

export type DtlsOutput =
  | { readonly kind: 'send'; readonly datagram: Buffer }
  | { readonly kind: 'connected'; readonly keys: SrtpKeys }
  | { readonly kind: 'failed'; readonly reason: string }
  /** The peer said goodbye; only an authentic one counts. */
  | { readonly kind: 'closed' }

/**
 * A DTLS 1.2 association (RFC 6347) that exists to export SRTP keys (RFC 5764). No socket, no clock.
 *
 * Driving it: `start` once the path is validated, `handle` each datagram, `wake` when `deadline()` has passed; after
 * each of them `poll` until it gives nothing. A bad datagram is counted in `discarded` and changes nothing.
 */
export class DtlsEndpoint {
  readonly #handshake: Handshake
  readonly #flight = new Flight()
  readonly #reassembly = new Reassembly()
  readonly #outputs: DtlsOutput[] = []
  readonly #replay = new ReplayWindow()
  /** Records of epoch 1 that overtook the message with the keys. */
  readonly #early: DtlsRecord[] = []
  #protections: { readonly read: RecordProtection; readonly write: RecordProtection } | undefined
  #state: 'new' | 'connecting' | 'connected' | 'failed' | 'closed' = 'new'
  #giveUpAt: Millis | undefined
  #giveUpReason = 'the handshake took too long'
  #discarded = 0

  constructor(options: DtlsOptions) {
    this.#handshake = options.role === 'client' ? new ClientHandshake(options) : new ServerHandshake(options)
  }

  get state(): 'new' | 'connecting' | 'connected' | 'failed' | 'closed' {
    return this.#state
  }

  /** Records that were malformed, forged, repeated or out of place. */
  get discarded(): number {
    return this.#discarded
  }

  start(now: Millis): void {
    if (this.#state !== 'new') return
    this.#state = 'connecting'
    this.#giveUpAt = now + HANDSHAKE_MS
    this.#apply(this.#handshake.start(), now)
  }

  handle(datagram: Buffer, now: Millis): void {
    this.start(now)
    for (const record of parseRecords(datagram)) {
      if (this.#state === 'failed' || this.#state === 'closed') return
      this.#onRecord(record, now)
    }
  }

  poll(): DtlsOutput | undefined {
    return this.#outputs.shift()
  }

  deadline(): Millis | undefined {
    if (this.#state !== 'connecting') return undefined
    return Math.min(this.#giveUpAt ?? Number.POSITIVE_INFINITY, this.#flight.repeatAt ?? Number.POSITIVE_INFINITY)
  }

  wake(now: Millis): void {
    if (this.#state !== 'connecting') return
    if (this.#giveUpAt !== undefined && now >= this.#giveUpAt) this.#fail(this.#giveUpReason, ALERT.handshakeFailure)
    else if (this.#flight.repeatAt !== undefined && now >= this.#flight.repeatAt) this.#transmit(now)
  }

  /** Says goodbye, if there is anybody to hear it. */
  close(): void {
    if (this.#state === 'connected') this.#sendAlert(ALERT.closeNotify)
    this.#state = 'closed'
  }

  #onRecord(record: DtlsRecord, now: Millis): void {
    try {
      const content = this.#open(record)
      if (content === undefined) return
      if (record.type === CONTENT.handshake) this.#onHandshake(content, record.epoch, now)
      else if (record.type === CONTENT.alert) this.#onAlert(content, record.epoch, now)
    } catch (error) {
      if (error instanceof HandshakeFailure) this.#fail(error.message, error.alert)
      else if (error instanceof DecodeError) this.#discarded++
      else throw error
    }
  }

  /** The plain content of a record; `undefined` when it is dropped or has to wait for the keys. */
  #open(record: DtlsRecord): Buffer | undefined {
    if (record.epoch === 0 && this.#state === 'connecting') return record.fragment
    if (record.epoch === 0) return record.type === CONTENT.handshake ? record.fragment : undefined
    if (record.epoch !== 1) throw new DecodeError('an epoch that does not exist')
    if (this.#protections === undefined) {
      if (this.#early.length < MAX_EARLY_RECORDS)
        this.#early.push({ ...record, fragment: Buffer.from(record.fragment) })
      return undefined
    }
    if (!this.#replay.isNew(record.sequence)) throw new DecodeError('a repeated record')
    const content = this.#protections.read.open(record.header, record.fragment)
    if (content === undefined) throw new DecodeError('a forged record')
    this.#replay.accept(record.sequence)
    return content
  }

  #onHandshake(content: Buffer, epoch: number, now: Millis): void {
    const repeated = this.#reassembly.add(content, epoch)
    if (repeated && this.#flight.mayRepeat(now)) this.#transmit(now)
    for (let message = this.#reassembly.take(); message !== undefined; message = this.#reassembly.take()) {
      try {
        this.#apply(this.#handshake.onMessage(message), now)
      } catch (error) {
        if (error instanceof DecodeError) this.#reassembly.retract(message)
        throw error
      }
    }
  }

  #apply(step: HandshakeStep, now: Millis): void {
    if (step.protections !== undefined) this.#protections = step.protections
    if (step.flight !== undefined) {
      this.#flight.replace(step.flight)
      this.#transmit(now)
    }
    if (step.connected !== undefined) {
      this.#state = 'connected'
      this.#outputs.push({ kind: 'connected', keys: step.connected })
    }
    if (step.protections === undefined) return
    for (const record of this.#early.splice(0)) this.#onRecord(record, now)
  }

  #transmit(now: Millis): void {
    for (const datagram of this.#flight.transmit(now, this.#protections?.write)) {
      this.#outputs.push({ kind: 'send', datagram })
    }
  }

  #onAlert(content: Buffer, epoch: number, now: Millis): void {
    if (content.length < 2) throw new DecodeError('half an alert')
    const [level, description] = content
    if (epoch === 1) {
      if (level !== FATAL && description !== ALERT.closeNotify) return
      if (this.#state === 'connecting') {
        this.#fail(`the peer ended the handshake with alert ${description}`)
      } else {
        this.#state = 'closed'
        this.#outputs.push({ kind: 'closed' })
      }
    } else if (level === FATAL && this.#giveUpAt !== undefined) {
      // Anybody can forge this one: the right peer gets a while to prove that it lives.
      this.#giveUpAt = Math.min(this.#giveUpAt, now + AFTER_ALERT_MS)
      this.#giveUpReason = `the peer refused the handshake with alert ${description}`
    }
  }

  #fail(reason: string, alert?: number): void {
    if (alert !== undefined) this.#sendAlert(alert)
    this.#state = 'failed'
    this.#outputs.push({ kind: 'failed', reason })
  }

  #sendAlert(description: number): void {
    const epoch = this.#state === 'connected' ? 1 : 0
    const level = description === ALERT.closeNotify ? WARNING : FATAL
    const content = Buffer.from([level, description])
    const sequence = this.#flight.nextSequence(epoch)
    const protection = epoch === 0 ? undefined : this.#protections?.write
    const datagram = serializeRecord({ type: CONTENT.alert, epoch, content }, sequence, protection)
    this.#outputs.push({ kind: 'send', datagram })
  }
}

const WARNING = 1
const FATAL = 2
const HANDSHAKE_MS = 30_000
const AFTER_ALERT_MS = 2_000
const MAX_EARLY_RECORDS = 4

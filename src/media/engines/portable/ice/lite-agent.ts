import type { IdSource, Millis } from '../../../../base/index.ts'

export interface IceCredentials {
  readonly ufrag: string
  readonly pwd: string
}

/** What a check changed. */
export type IceChange = 'first-path' | 'path-changed' | 'resumed' | 'none'

/**
 * The state of one ICE-lite side (RFC 8445 §2.5): its credentials, the path in use and the peer's consent.
 *
 * `Path` is whatever names a pair of addresses; the same pair has to be the same value.
 */
export class LiteAgent<Path> {
  readonly #ids: IdSource
  readonly #consentMs: number
  #current: IceCredentials
  #previous: IceCredentials | undefined
  #selected: Path | undefined
  #lastCheckAt: Millis | undefined
  #lost = false

  /** @param consentMs Time without an authentic check after which we may not send (RFC 7675 §5.1). */
  constructor(ids: IdSource, consentMs: number) {
    this.#ids = ids
    this.#consentMs = consentMs
    this.#current = newCredentials(ids)
  }

  get credentials(): IceCredentials {
    return this.#current
  }

  /** Where to send. `undefined` before the first authentic check and while consent is missing. */
  get sendPath(): Path | undefined {
    return this.#lost ? undefined : this.#selected
  }

  get state(): 'new' | 'connected' | 'disconnected' {
    if (this.#selected === undefined) return 'new'
    return this.#lost ? 'disconnected' : 'connected'
  }

  /**
   * New credentials. The old ones stay good until the peer uses the new ones (RFC 8445 §9).
   *
   * @returns Those that are no longer good now: there are never more than two.
   */
  restart(): IceCredentials | undefined {
    const expired = this.#previous
    this.#previous = this.#current
    this.#current = newCredentials(this.#ids)
    return expired
  }

  /**
   * An authentic check arrived on `path`.
   *
   * The nominated pair is used, and a later nomination is followed at once; until there is one, the first pair is.
   */
  onCheck(path: Path, nominated: boolean, now: Millis): IceChange {
    this.#lastCheckAt = now
    const before = this.#selected
    const wasLost = this.#lost
    this.#lost = false
    // While consent was missing the old path was dead: any that works is better.
    if (before === undefined || nominated || wasLost) this.#selected = path
    if (before === undefined) return 'first-path'
    if (wasLost) return 'resumed'
    return this.#selected === before ? 'none' : 'path-changed'
  }

  /** The peer used these credentials: after a restart, the first use of the new ones ends the old ones. */
  retireBefore(ufrag: string): IceCredentials | undefined {
    if (ufrag !== this.#current.ufrag || this.#previous === undefined) return undefined
    const retired = this.#previous
    this.#previous = undefined
    return retired
  }

  /** When `onWakeup` has something to say. */
  deadline(): Millis | undefined {
    return this.#lost || this.#lastCheckAt === undefined ? undefined : this.#lastCheckAt + this.#consentMs
  }

  /** Returns `true` once per loss of consent. Early calls are harmless. */
  onWakeup(now: Millis): boolean {
    const at = this.deadline()
    if (at === undefined || now < at) return false
    this.#lost = true
    return true
  }
}

/** RFC 8445 §5.3 asks for 24 and 128 bits. */
function newCredentials(ids: IdSource): IceCredentials {
  return { ufrag: ids.token(48), pwd: ids.token(160) }
}

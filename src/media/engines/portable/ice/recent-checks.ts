/** Enough for the checks of more than an hour: a browser repeats its choice every few seconds. */
const REMEMBERED = 2_048

/**
 * Transactions of authentic checks under one password.
 *
 * A check stays authentic for ever, so whoever saw one could send it again from any address: without this, our media
 * would follow (a full agent would check back first; RFC 8445 §7.3.1.4).
 */
export class RecentChecks {
  readonly #seen = new Set<string>()

  /** Whether this transaction was not seen before; from now on it was. */
  isNew(transactionId: Buffer): boolean {
    const id = transactionId.toString('latin1')
    if (this.#seen.has(id)) return false
    const [oldest] = this.#seen
    if (this.#seen.size >= REMEMBERED && oldest !== undefined) this.#seen.delete(oldest)
    this.#seen.add(id)
    return true
  }
}

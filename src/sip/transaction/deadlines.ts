import { insertTimed, type Millis, removeEarliest } from '../../base/index.ts'

/** Something that wants to be woken. */
export interface Sleeper {
  /** When it is to be woken at the earliest as far as the queue knows; the queue alone writes it. */
  wakeAt: Millis | undefined
  deadline(): Millis | undefined
}

interface Entry {
  readonly at: Millis
  readonly sleeper: Sleeper
}

/**
 * The deadlines of many transactions: a binary heap with one entry each, mostly.
 *
 * A deadline that moves later leaves its entry where it is; when the entry surfaces, it is put back at the new time. So a
 * transaction that is answered at once, as nearly all are, costs one insertion in its life, and none if it ended before
 * anybody asked for a deadline: what a stranger sent leaves nothing here.
 */
export class Deadlines {
  readonly #heap: Entry[] = []
  #changed: Sleeper[] = []

  /** To be called whenever a sleeper's deadline may have changed. */
  update(sleeper: Sleeper): void {
    this.#changed.push(sleeper) // Twice does no harm, and a Set costs more than that.
  }

  /** The earliest time at which something may be due. */
  next(): Millis | undefined {
    this.#takeChanges()
    return this.#heap[0]?.at
  }

  /** Takes out one sleeper whose deadline has come. */
  due(now: Millis): Sleeper | undefined {
    this.#takeChanges()
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      removeEarliest(this.#heap)
      const { sleeper } = first
      if (sleeper.wakeAt !== first.at) continue // It had asked for an earlier time since; that entry was served.
      sleeper.wakeAt = undefined
      const deadline = sleeper.deadline()
      if (deadline !== undefined && deadline <= now) return sleeper
      this.#enter(sleeper)
    }
    return undefined
  }

  #takeChanges(): void {
    if (this.#changed.length === 0) return
    for (const sleeper of this.#changed) this.#enter(sleeper)
    this.#changed = []
  }

  #enter(sleeper: Sleeper): void {
    const at = sleeper.deadline()
    if (at === undefined || (sleeper.wakeAt !== undefined && sleeper.wakeAt <= at)) return
    sleeper.wakeAt = at
    insertTimed(this.#heap, { at, sleeper })
  }
}

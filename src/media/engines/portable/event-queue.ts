import type { MediaEvent } from '../../events.ts'

/**
 * Events on their way to their one reader, in order and bounded.
 *
 * A session's newer `quality` replaces one that still waits. When the queue is full, `quality` is dropped first: it
 * comes again; then anything else is dropped and counted.
 */
export class EventQueue implements AsyncIterable<MediaEvent> {
  readonly #limit: number
  readonly #waiting: MediaEvent[] = []
  #wake: (() => void) | undefined
  #ended = false
  #dropped = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Events that found the queue full. */
  get dropped(): number {
    return this.#dropped
  }

  push(event: MediaEvent): void {
    if (this.#ended) return
    if (event.kind === 'quality') {
      const at = this.#waiting.findIndex((each) => each.kind === 'quality' && each.session === event.session)
      if (at >= 0) {
        this.#waiting[at] = event
        return
      }
    }
    if (this.#waiting.length >= this.#limit && !this.#makeRoom(event)) {
      this.#dropped++
      return
    }
    this.#waiting.push(event)
    this.#wake?.()
  }

  /** The reader gets what still waits, then the end. */
  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<MediaEvent, void, void> {
    for (;;) {
      const event = this.#waiting.shift()
      if (event !== undefined) {
        yield event
      } else {
        if (this.#ended) return
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
    }
  }

  #makeRoom(event: MediaEvent): boolean {
    if (event.kind === 'quality') return false
    const at = this.#waiting.findIndex((each) => each.kind === 'quality')
    if (at < 0) return false
    this.#waiting.splice(at, 1)
    this.#dropped++
    return true
  }
}

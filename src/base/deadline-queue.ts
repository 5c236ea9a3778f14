import { insertTimed, removeEarliest } from './heap.ts'
import type { Millis } from './time.ts'

interface Entry {
  readonly key: string
  readonly at: Millis
}

/** Who wants to be woken when, for many machines. A new time for a key replaces the old one. */
export interface DeadlineQueue {
  /** `undefined`: no wake-up is wanted. */
  set(key: string, at: Millis | undefined): void
  /** The earliest time. */
  next(): Millis | undefined
  /** Takes out one key whose time has come. */
  due(now: Millis): string | undefined
}

/** A binary heap. Replaced entries stay in it and are skipped when they surface, or swept out when they are most of it. */
export function createDeadlineQueue(): DeadlineQueue {
  const wanted = new Map<string, Millis>()
  let heap: Entry[] = []
  const isCurrent = ({ key, at }: Entry): boolean => wanted.get(key) === at
  const top = (): Entry | undefined => {
    for (let first = heap[0]; first !== undefined; first = heap[0]) {
      if (isCurrent(first)) return first
      removeEarliest(heap)
    }
    return undefined
  }
  return {
    set(key, at) {
      if (at === undefined) {
        wanted.delete(key)
        return
      }
      if (wanted.get(key) === at) return
      wanted.set(key, at)
      insertTimed(heap, { key, at })
      if (heap.length > 2 * wanted.size + SLACK) heap = sweep(heap, isCurrent)
    },
    next: () => top()?.at,
    due(now) {
      const first = top()
      if (first === undefined || first.at > now) return undefined
      removeEarliest(heap)
      wanted.delete(first.key)
      return first.key
    },
  }
}

/** Replaced entries that are tolerated before a sweep. */
const SLACK = 64

/** A sorted array is a heap. */
function sweep(heap: readonly Entry[], isCurrent: (entry: Entry) => boolean): Entry[] {
  return heap.filter(isCurrent).sort((a, b) => a.at - b.at)
}

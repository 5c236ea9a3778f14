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
      removeTop(heap)
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
      insert(heap, { key, at })
      if (heap.length > 2 * wanted.size + SLACK) heap = sweep(heap, isCurrent)
    },
    next: () => top()?.at,
    due(now) {
      const first = top()
      if (first === undefined || first.at > now) return undefined
      removeTop(heap)
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

function insert(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1
  while (at > 0) {
    const above = (at - 1) >> 1
    const parent = heap[above]
    if (parent === undefined || parent.at <= entry.at) break
    heap[at] = parent
    at = above
  }
  heap[at] = entry
}

function removeTop(heap: Entry[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    const child = smallerChild(heap, at)
    const below = heap[child]
    if (below === undefined || below.at >= last.at) break
    heap[at] = below
    at = child
  }
  heap[at] = last
}

function smallerChild(heap: readonly Entry[], at: number): number {
  const left = 2 * at + 1
  const right = left + 1
  const [l, r] = [heap[left], heap[right]]
  return l !== undefined && r !== undefined && r.at < l.at ? right : left
}

import type { Millis } from './time.ts'

/** Something with a time, kept in a binary heap: an array in which no entry is later than the two below it. */
export interface Timed {
  readonly at: Millis
}

export function insertTimed<T extends Timed>(heap: T[], entry: T): void {
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

/** Removes `heap[0]`, the earliest. */
export function removeEarliest<T extends Timed>(heap: T[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    const child = earlierChild(heap, at)
    const below = heap[child]
    if (below === undefined || below.at >= last.at) break
    heap[at] = below
    at = child
  }
  heap[at] = last
}

function earlierChild(heap: readonly Timed[], at: number): number {
  const left = 2 * at + 1
  const l = heap[left]
  const r = heap[left + 1]
  return l !== undefined && r !== undefined && r.at < l.at ? left + 1 : left
}

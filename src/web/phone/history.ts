import type { RecentCall } from './model.ts'

/** Calls that are over, kept across visits. Browser storage may be full or forbidden: then nothing is kept. */
export interface History {
  readonly read: () => readonly RecentCall[]
  readonly write: (calls: readonly RecentCall[]) => void
}

/** How many calls are remembered. */
export const HISTORY_LENGTH = 12

/** The history of one account (`alice@example.test`) in the browser's storage. */
export function historyOf(account: string, storage: Pick<Storage, 'getItem' | 'setItem'>): History {
  const key = `trunkline.recent.${account}`
  return {
    read: () => {
      try {
        const value: unknown = JSON.parse(storage.getItem(key) ?? '[]')
        return Array.isArray(value) ? value.filter(isRecentCall).slice(0, HISTORY_LENGTH) : []
      } catch {
        return [] // Not ours, or not allowed: an empty history is right.
      }
    },
    write: (calls) => {
      try {
        storage.setItem(key, JSON.stringify(calls.slice(0, HISTORY_LENGTH)))
      } catch {
        return // Storage is full or forbidden; the list lives until the page closes.
      }
    },
  }
}

function isRecentCall(value: unknown): value is RecentCall {
  if (typeof value !== 'object' || value === null) return false
  const call = value as Partial<RecentCall>
  return (
    typeof call.id === 'string' &&
    typeof call.peer === 'string' &&
    typeof call.redial === 'string' &&
    typeof call.startedAt === 'number' &&
    typeof call.talkedMs === 'number' &&
    (call.direction === 'incoming' || call.direction === 'outgoing') &&
    typeof call.outcome?.words === 'string'
  )
}

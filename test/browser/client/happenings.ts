import type { Happening } from './model.ts'

/** What happened to a client, in order, with a way to wait for the next of a kind. */
export interface Happenings {
  readonly tell: (happening: Happening) => void
  /** Forgets what was not taken yet: a new test begins. */
  readonly forget: () => void
  readonly next: (what: Happening['what'], timeoutMs: number) => Promise<Happening>
}

export function createHappenings(): Happenings {
  const untaken: Happening[] = []
  const all: Happening[] = []
  const watchers = new Set<() => void>()
  const take = (what: Happening['what']): Happening | undefined => {
    const index = untaken.findIndex((happening) => happening.what === what)
    return index < 0 ? undefined : untaken.splice(index, 1)[0]
  }
  return {
    tell: (happening) => {
      all.push(happening)
      untaken.push(happening)
      for (const watcher of [...watchers]) watcher()
    },
    forget: () => {
      untaken.length = 0
      all.length = 0
    },
    next: (what, timeoutMs) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void): void => {
          clearTimeout(timer)
          watchers.delete(look)
          act()
        }
        const look = (): void => {
          const found = take(what)
          if (found !== undefined) settle(() => resolve(found))
        }
        const late = (): void =>
          settle(() => reject(new Error(`no ${what} within ${timeoutMs} ms; there was ${JSON.stringify(all)}`)))
        const timer = setTimeout(late, timeoutMs)
        watchers.add(look)
        look()
      }),
  }
}

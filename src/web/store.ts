import { useEffect, useState } from 'preact/hooks'

/** A value that changes, and those who want to know. Listeners run at once, in the order they came. */
export interface Store<T> {
  readonly get: () => T
  /** Replaces the value by what `change` makes of it; says nothing to anybody if that is the same object. */
  readonly update: (change: (before: T) => T) => void
  /** Returns the way to unsubscribe. */
  readonly subscribe: (listener: () => void) => () => void
}

/** Makes a store that holds `initial`. */
export function createStore<T>(initial: T): Store<T> {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    update: (change) => {
      const next = change(value)
      if (Object.is(next, value)) return
      value = next
      for (const listener of [...listeners]) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** The store's value inside a component, which renders again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState<T>(store.get())
  useEffect(() => {
    const read = (): void => setValue(() => store.get())
    read() // It may have changed between the first rendering and this effect.
    return store.subscribe(read)
  }, [store])
  return value
}

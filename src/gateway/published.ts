import type { ApiEvent } from '../api/index.ts'
import type { Core, CoreOutput } from './core-model.ts'

type Publishable = Extract<CoreOutput, { readonly kind: 'call-changed' | 'timeline' | 'quality' }>

/** What happens, for those who listen. Nothing is made readable while nobody does. */
export interface Published {
  subscribe(listener: (event: ApiEvent) => void): () => void
  publish(output: Publishable): void
}

export function createPublished(core: Pick<Core, 'view'>, onError: (error: unknown) => void): Published {
  const listeners = new Set<(event: ApiEvent) => void>()
  const tell = (event: ApiEvent): void => {
    for (const listener of listeners) {
      try {
        listener(event)
      } catch (thrown) {
        onError(thrown)
      }
    }
  }
  return {
    subscribe(listener) {
      const own = (event: ApiEvent): void => listener(event) // The same function may be given twice.
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    publish(output) {
      if (listeners.size === 0) return
      if (output.kind === 'timeline') {
        tell({ event: 'timeline', data: { call: output.call, entry: output.entry() } })
        return
      }
      const view = core.view(output.call)
      if (view === undefined) return
      if (output.kind === 'call-changed') tell({ event: 'call', data: view })
      else tell({ event: 'quality', data: { call: output.call, legs: view.legs } })
    },
  }
}

import { createStore, type Store } from '../store.ts'
import type { DigitTransport, MicrophoneChoice } from './model.ts'

export interface Settings {
  readonly microphone: MicrophoneChoice
  /** Device id; empty for the browser's default. */
  readonly speaker: string
  readonly digits: DigitTransport
}

const KEY = 'trunkline.settings'
const DEFAULTS: Settings = { microphone: 'default', speaker: '', digits: 'rtp' }

/** The settings of this browser, written back at each change. */
export function openSettings(storage: Pick<Storage, 'getItem' | 'setItem'>): Store<Settings> {
  const store = createStore(readSettings(storage))
  store.subscribe(() => {
    try {
      storage.setItem(KEY, JSON.stringify(store.get()))
    } catch {
      return // Storage is forbidden; the settings live until the page closes.
    }
  })
  return store
}

function readSettings(storage: Pick<Storage, 'getItem'>): Settings {
  try {
    const value = JSON.parse(storage.getItem(KEY) ?? '{}') as Partial<Record<keyof Settings, unknown>>
    return {
      microphone: typeof value.microphone === 'string' ? value.microphone : DEFAULTS.microphone,
      speaker: typeof value.speaker === 'string' ? value.speaker : DEFAULTS.speaker,
      digits: value.digits === 'info' ? 'info' : DEFAULTS.digits,
    }
  } catch {
    return DEFAULTS // Not ours, or not allowed.
  }
}

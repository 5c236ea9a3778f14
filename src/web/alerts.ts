import { playCadence, RING, RINGBACK } from './media/ring.ts'
import type { PhoneState } from './phone/model.ts'
import type { Store } from './store.ts'

type Sound = 'ring' | 'ringback' | 'none'

const FLASH_MS = 1_000

/** Rings, plays ringback, and lets the title of the tab blink while a call comes in. */
export function startAlerts(state: Store<PhoneState>): void {
  const title = document.title
  let playing: Sound = 'none'
  let stopSound = (): void => undefined
  let flash: ReturnType<typeof setInterval> | undefined

  const onChange = (): void => {
    const wanted = soundOf(state.get())
    if (wanted === playing) return
    stopSound()
    clearInterval(flash)
    document.title = title
    playing = wanted
    stopSound = wanted === 'none' ? () => undefined : playCadence(wanted === 'ring' ? RING : RINGBACK)
    if (wanted !== 'ring') return
    const peer = state.get().calls.find(({ phase }) => phase === 'incoming')?.peer ?? ''
    flash = setInterval(() => {
      document.title = document.title === title ? `☎ ${peer} calls` : title
    }, FLASH_MS)
  }
  state.subscribe(onChange)
}

/** What should sound: nothing rings over a call that is talked in. */
export function soundOf({ calls }: PhoneState): Sound {
  if (calls.some(({ phase, heldByUs }) => phase === 'talking' && !heldByUs)) return 'none'
  if (calls.some(({ phase }) => phase === 'incoming')) return 'ring'
  return calls.some(({ phase, earlyMedia }) => phase === 'ringing' && !earlyMedia) ? 'ringback' : 'none'
}

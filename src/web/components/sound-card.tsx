import { useEffect, useState } from 'preact/hooks'
import { type Device, type Devices, listDevices, watchDevices } from '../media/devices.ts'
import { TEST_TONE_HZ } from '../media/microphone.ts'
import { canChooseSpeaker } from '../media/player.ts'
import type { Settings } from '../phone/settings.ts'
import { type Store, useStore } from '../store.ts'

/** Which microphone and speaker, and how digits travel. `calls` makes the list fresh: a call may have unlocked names. */
export function SoundCard(props: { readonly settings: Store<Settings>; readonly calls: number }) {
  const settings = useStore(props.settings)
  const devices = useDevices(props.calls)
  const set = (change: Partial<Settings>): void => props.settings.update((before) => ({ ...before, ...change }))
  return (
    <details class="card sound">
      <summary>Sound</summary>
      <label>
        Microphone
        <select
          id="microphone"
          value={settings.microphone}
          onChange={(event) => set({ microphone: event.currentTarget.value })}
        >
          <option value="default">The browser’s microphone</option>
          <Options devices={devices.microphones} chosen={settings.microphone} known={['default', 'tone', 'silence']} />
          <option value="tone">Test tone ({TEST_TONE_HZ} Hz)</option>
          <option value="silence">Silence</option>
        </select>
      </label>
      {canChooseSpeaker() && (
        <label>
          Speaker
          <select
            id="speaker"
            value={settings.speaker}
            onChange={(event) => set({ speaker: event.currentTarget.value })}
          >
            <option value="">The browser’s speaker</option>
            <Options devices={devices.speakers} chosen={settings.speaker} known={['']} />
          </select>
        </label>
      )}
      <label>
        Digits in a call
        <select
          id="digits"
          value={settings.digits}
          onChange={(event) => set({ digits: event.currentTarget.value === 'info' ? 'info' : 'rtp' })}
        >
          <option value="rtp">In the audio stream (telephone-event)</option>
          <option value="info">As SIP INFO</option>
        </select>
      </label>
    </details>
  )
}

/** A chosen device that is not there now stays in the list, so that the choice is not lost silently. */
function Options(props: {
  readonly devices: readonly Device[]
  readonly chosen: string
  readonly known: readonly string[]
}) {
  const { devices, chosen, known } = props
  const missing = !known.includes(chosen) && !devices.some(({ id }) => id === chosen)
  return (
    <>
      {devices.map(({ id, label }) => (
        <option key={id} value={id}>
          {label}
        </option>
      ))}
      {missing && <option value={chosen}>Not connected now</option>}
    </>
  )
}

function useDevices(calls: number): Devices {
  const [devices, setDevices] = useState<Devices>({ microphones: [], speakers: [] })
  // Names of devices appear once a call had the microphone.
  useEffect(() => {
    const read = (): void => {
      listDevices().then(setDevices, () => undefined) // Forbidden by policy: the browser's own device is used.
    }
    read()
    return watchDevices(read)
  }, [calls])
  return devices
}

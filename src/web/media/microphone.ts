import type { MicrophoneChoice } from '../phone/model.ts'
import { audioContext } from './audio-context.ts'

/** What is sent into a call. */
export interface Microphone {
  readonly stream: MediaStream
  readonly close: () => void
}

/** Why there is no microphone; `message` is for people. */
export class MicrophoneError extends Error {
  override readonly name = 'MicrophoneError'
}

/** Frequency of the test tone that may replace a microphone. */
export const TEST_TONE_HZ = 620

/**
 * Opens the chosen microphone, or what replaces it.
 *
 * @throws MicrophoneError if the browser gives none.
 */
export async function openMicrophone(choice: MicrophoneChoice): Promise<Microphone> {
  if (choice === 'tone') return generated(0.2)
  if (choice === 'silence') return generated(0)
  if (navigator.mediaDevices === undefined) {
    throw new MicrophoneError(
      'The browser gives a microphone only to pages of https:// or localhost. Open the page that way, or choose the test tone under Sound.',
    )
  }
  try {
    const audio = choice === 'default' ? true : { deviceId: { exact: choice } }
    const stream = await navigator.mediaDevices.getUserMedia({ audio, video: false })
    return { stream, close: () => stopTracks(stream) }
  } catch (error) {
    throw new MicrophoneError(microphoneWords(error), { cause: error })
  }
}

/** What a refusal of `getUserMedia` means for people. */
export function microphoneWords(error: unknown): string {
  const name = error instanceof Error ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') {
    return 'The microphone is blocked for this page: allow it beside the address, or choose the test tone under Sound.'
  }
  if (name === 'NotFoundError' || name === 'OverconstrainedError') {
    return 'No such microphone is connected: choose another one, or the test tone, under Sound.'
  }
  if (name === 'NotReadableError' || name === 'AbortError') {
    return 'The microphone cannot be used: another program may have it.'
  }
  return `The microphone could not be opened (${name === '' ? 'unknown reason' : name}).`
}

function generated(volume: number): Microphone {
  const context = audioContext()
  const oscillator = new OscillatorNode(context, { frequency: TEST_TONE_HZ })
  const gain = new GainNode(context, { gain: volume })
  const destination = context.createMediaStreamDestination()
  oscillator.connect(gain).connect(destination)
  oscillator.start()
  return {
    stream: destination.stream,
    close: () => {
      oscillator.stop()
      stopTracks(destination.stream)
    },
  }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}

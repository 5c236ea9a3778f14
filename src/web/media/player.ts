/** Plays the far end of one call. */
export interface Player {
  readonly play: (stream: MediaStream) => void
  /** Sends the sound to another device. Empty: the browser's default. */
  readonly useSpeaker: (deviceId: string) => void
  readonly close: () => void
}

/** Whether this browser lets a page choose the speaker. */
export const canChooseSpeaker = (): boolean => 'setSinkId' in HTMLMediaElement.prototype

/**
 * Makes a player with its own audio element.
 *
 * @param onBlocked Told when the browser wants a click on the page before it plays anything.
 */
export function createPlayer(speaker: string, onBlocked: () => void): Player {
  const element = document.createElement('audio')
  element.autoplay = true
  const useSpeaker = (deviceId: string): void => {
    // A device that is gone leaves the sound where it was.
    if (canChooseSpeaker()) element.setSinkId(deviceId).catch(() => undefined)
  }
  if (speaker !== '') useSpeaker(speaker)
  return {
    play: (stream) => {
      element.srcObject = stream
      element.play().catch((error: unknown) => {
        if (error instanceof Error && error.name === 'NotAllowedError') onBlocked()
      })
    },
    useSpeaker,
    close: () => {
      element.pause()
      element.srcObject = null
    },
  }
}

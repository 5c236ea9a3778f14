let shared: AudioContext | undefined

/**
 * The page's one audio context. A browser keeps it suspended until somebody touched the page; `resume()` may then stay
 * pending for good, so nobody awaits it.
 */
export function audioContext(): AudioContext {
  shared ??= new AudioContext()
  if (shared.state === 'suspended') shared.resume().catch(() => undefined) // Tried again at the next use.
  return shared
}

export interface Devices {
  readonly microphones: readonly Device[]
  readonly speakers: readonly Device[]
}

export interface Device {
  readonly id: string
  readonly label: string
}

/** The sound devices the browser tells of. Names stay hidden until the microphone was allowed once. */
export async function listDevices(): Promise<Devices> {
  if (navigator.mediaDevices === undefined) return { microphones: [], speakers: [] }
  const all = await navigator.mediaDevices.enumerateDevices()
  return { microphones: named(all, 'audioinput', 'Microphone'), speakers: named(all, 'audiooutput', 'Speaker') }
}

/** Calls `listener` when devices come or go; returns the way to stop. */
export function watchDevices(listener: () => void): () => void {
  const devices = navigator.mediaDevices
  if (devices === undefined) return () => undefined
  devices.addEventListener('devicechange', listener)
  return () => devices.removeEventListener('devicechange', listener)
}

function named(all: readonly MediaDeviceInfo[], kind: MediaDeviceKind, word: string): readonly Device[] {
  const real = all.filter((device) => device.kind === kind && device.deviceId !== '' && device.deviceId !== 'default')
  return real.map((device, index) => ({
    id: device.deviceId,
    label: device.label === '' ? `${word} ${index + 1}` : device.label,
  }))
}

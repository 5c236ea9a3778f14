import type { CallPart } from './call-part.ts'
import { createHappenings } from './happenings.ts'
import { createJsSipClient } from './jssip-client.ts'
import type { Client } from './model.ts'
import { createSipJsClient } from './sipjs-client.ts'
import { createSound, type Sound } from './sound.ts'

declare global {
  interface Window {
    client: Client
  }
}

const REGISTER_MS = 10_000

/** One client per page; `register` decides which. */
function createClient(): Client {
  const happenings = createHappenings()
  let sound: Sound | undefined
  let stack: CallPart | undefined
  const made = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('this page has not registered')
    return value
  }
  return {
    register: async (registration) => {
      sound = createSound(registration.toneHz)
      const create = registration.stack === 'jssip' ? createJsSipClient : createSipJsClient
      stack = create(registration, sound, happenings)
      await sound.ready
      await stack.register(registration)
      const refused = happenings.next('registration-failed', REGISTER_MS).then(
        ({ status, detail }) => Promise.reject(new Error(`not registered: ${status ?? ''} ${detail ?? ''}`)),
        () => undefined, // No refusal: then the other one decides.
      )
      await Promise.race([happenings.next('registered', REGISTER_MS), refused])
    },
    reset: () => {
      stack?.drop()
      happenings.forget()
    },
    call: (target) => made(stack).call(target),
    answer: () => made(stack).answer(),
    reject: (status) => made(stack).reject(status),
    cancel: () => made(stack).cancel(),
    hangUp: () => made(stack).hangUp(),
    hold: () => made(stack).hold(),
    resume: () => made(stack).resume(),
    digit: (digit, by) => made(stack).digit(digit, by),
    next: happenings.next,
    hears: (hz, timeoutMs) => made(sound).hears(hz, timeoutMs),
    hearsNothing: (timeoutMs) => made(sound).hearsNothing(timeoutMs),
    codec: () => receivedCodec(made(stack).connection()),
    close: () => made(stack).close(),
  }
}

async function receivedCodec(connection: RTCPeerConnection | undefined): Promise<string> {
  const stats = new Map<string, Record<string, unknown>>()
  const report = await connection?.getStats()
  report?.forEach((entry: { readonly id: string }) => {
    stats.set(entry.id, entry as unknown as Record<string, unknown>)
  })
  for (const entry of stats.values()) {
    if (entry.type !== 'inbound-rtp') continue
    const codec = stats.get(String(entry.codecId))
    return String(codec?.mimeType ?? '').replace(/^audio\//i, '')
  }
  return ''
}

window.client = createClient()

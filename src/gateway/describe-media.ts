import type { MediaEvent, SideStats, SilenceCause } from '../media/index.ts'

interface Description {
  readonly summary: string
  readonly facts: Readonly<Record<string, string | number | boolean>>
}

/** A media event in words, with its numbers beside. */
export function describeMedia(event: MediaEvent): Description {
  switch (event.kind) {
    case 'ice-connected':
      return { summary: `ICE connected with ${event.remote}`, facts: { remote: event.remote } }
    case 'ice-disconnected':
      return { summary: 'ICE lost: no consent for 30 s', facts: {} }
    case 'dtls-connected':
      return { summary: `DTLS connected, ${event.suite}`, facts: { suite: event.suite } }
    case 'failed':
      return { summary: `media failed: ${event.detail}`, facts: { code: event.code } }
    case 'first-packet':
      return { summary: `first packet from ${event.remote}`, facts: { remote: event.remote } }
    case 'silent':
      return {
        summary: `silent for ${event.forMs} ms: ${SILENCE[event.cause]}`,
        facts: { forMs: event.forMs, cause: event.cause },
      }
    case 'resumed':
      return { summary: 'packets again', facts: {} }
    case 'ended':
      return { summary: 'the peer ended its media', facts: {} }
    case 'dtmf':
      return {
        summary: `DTMF ${event.digit}, ${event.durationMs} ms`,
        facts: { digit: event.digit, durationMs: event.durationMs },
      }
    case 'quality':
      return { summary: event.sides.map(describeSide).join('; '), facts: {} }
    case 'closed':
      return { summary: `closed by the media engine: ${event.reason}`, facts: { reason: event.reason } }
    case 'recovered':
      return { summary: `the relay was replaced, ${event.gapMs} ms without media`, facts: { gapMs: event.gapMs } }
    case 'engine-lost':
      return { summary: `the media engine is gone: ${event.detail}`, facts: {} }
  }
}

const SILENCE: Readonly<Record<SilenceCause, string>> = {
  'never-heard': 'nothing ever came',
  'no-consent': 'ICE consent is lost',
  'wrong-source': 'packets come from an address that may not',
  'not-authentic': 'packets come that are not authentic',
  stopped: 'no packets any more',
}

function describeSide({ side, media }: SideStats): string {
  const streams = media.map(
    (stream) =>
      `${stream.kind} ${stream.packetsReceived} in, ${stream.packetsSent} out, ${stream.packetsLost} lost, ` +
      `jitter ${stream.jitterMs.toFixed(1)} ms`,
  )
  return `${side}: ${streams.join(', ')}`
}

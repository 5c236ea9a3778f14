import type { EndPlace, EndWish, Key } from '../../load/index.ts'

/** The offer or answer of an end: one G.711 stream. */
export function sdpOf({ at, key }: EndWish): string {
  return [
    'v=0',
    `o=- 1 1 IN IP4 ${at.address}`,
    's=-',
    `c=IN IP4 ${at.address}`,
    't=0 0',
    `m=audio ${at.port} ${key === undefined ? 'RTP/AVP' : 'RTP/SAVP'} 0`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtcp-mux',
    ...(key === undefined ? [] : [`a=crypto:1 ${key.suite} inline:${key.key}`]),
    'a=sendrecv',
    '',
  ].join('\r\n')
}

/**
 * Where the writer of an SDP wants media, and the key it sends under.
 *
 * @throws Error if it names no place.
 */
export function placeOf(sdp: string): EndPlace {
  const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1]
  const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1])
  if (address === undefined || !(port > 0)) throw new Error(`no place for media in:\n${sdp}`)
  const relay = { address, port }
  const key = keyOf(sdp)
  return key === undefined ? { relay } : { relay, key }
}

function keyOf(sdp: string): Key | undefined {
  const [, suite, key] = /^a=crypto:\d+ (\S+) inline:([^|\s]+)/m.exec(sdp) ?? []
  return suite === undefined || key === undefined ? undefined : { suite, key }
}

/** The value of a parameter in `a=fmtp`, names in any case; '' if it has none. */
export function fmtpParameter(fmtp: string | undefined, name: string): string | undefined {
  return parametersOf(fmtp ?? '').find(([key]) => key.toLowerCase() === name)?.[1]
}

/**
 * What of an `a=fmtp` may go on to the other leg: parameters that the codec's RFC defines, with values of their kind.
 * `undefined` if nothing is left. A codec that is not listed has none that we know.
 */
export function knownFormat(codecName: string, fmtp: string | undefined): string | undefined {
  if (fmtp === undefined) return undefined
  const name = codecName.toLowerCase()
  if (name === 'telephone-event') return eventList(fmtp)
  const known = KNOWN.get(name)
  if (known === undefined) return undefined
  const kept = parametersOf(fmtp).filter(([key, value]) => known.has(key.toLowerCase()) && VALUE.test(value))
  return kept.length === 0 ? undefined : kept.map(([key, value]) => `${key}=${value}`).join(';')
}

/** `0-15` or `0-11,16` (RFC 4733 §2.4.1), also where it is written as `events=0-15`. */
function eventList(fmtp: string): string | undefined {
  const list = fmtp.trim().replace(/^events=/i, '')
  return /^\d{1,3}(?:-\d{1,3})?(?:,\d{1,3}(?:-\d{1,3})?){0,31}$/.test(list) ? list : undefined
}

function parametersOf(fmtp: string): readonly (readonly [name: string, value: string])[] {
  return fmtp.split(';').map((part) => {
    const equals = part.indexOf('=')
    return equals < 0 ? [part.trim(), ''] : [part.slice(0, equals).trim(), part.slice(equals + 1).trim()]
  })
}

const VALUE = /^[A-Za-z0-9+/=,.-]{1,512}$/

const KNOWN: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  // RFC 7587 §6.1; `minptime` is what browsers say.
  [
    'opus',
    new Set([
      ...['maxplaybackrate', 'sprop-maxcapturerate', 'maxaveragebitrate', 'stereo', 'sprop-stereo'],
      ...['cbr', 'useinbandfec', 'usedtx', 'minptime', 'maxptime', 'ptime'],
    ]),
  ],
  ['vp8', new Set(['max-fr', 'max-fs'])], // RFC 7741 §6.1.
  ['vp9', new Set(['profile-id', 'max-fr', 'max-fs'])], // RFC 9628 §6.
  ['av1', new Set(['profile', 'level-idx', 'tier'])],
  // RFC 6184 §8.1.
  [
    'h264',
    new Set([
      ...['profile-level-id', 'packetization-mode', 'level-asymmetry-allowed', 'sprop-parameter-sets'],
      ...['max-mbps', 'max-smbps', 'max-fs', 'max-cpb', 'max-dpb', 'max-br', 'max-rcmd-nalu-size'],
    ]),
  ],
])

/** A whole number in a range, or nothing: hostile and odd values are as if they were not there. */
export function whole(value: unknown, least: number, most: number): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number)) return undefined
  return number >= least && number <= most ? number : undefined
}

export function isMediaPort(port: number): boolean {
  return whole(port, 0, 65_535) !== undefined
}

/** Numbers of 7 bits; those that RTCP types would be confused with come only from broken peers (RFC 5761 §4). */
export function isPayloadType(payloadType: number): boolean {
  return whole(payloadType, 0, 127) !== undefined
}

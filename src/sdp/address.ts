/** An IP address as it may stand in `c=`; a name is none: nothing here is ever resolved. */
export function isIpAddress(text: string): boolean {
  return isV4(text) || (text.includes(':') && /^[0-9a-fA-F:]{2,39}(?:[0-9.]{0,15})$/.test(text))
}

/** An address that media can be sent to. A name would have to be resolved, a group of receivers is no peer. */
export function isPeer(address: string): boolean {
  return isIpAddress(address) && !isMulticast(address)
}

/** `0.0.0.0` and `::` say "nowhere": the old way to hold (RFC 3264 §8.4). */
export function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || /^[0:]+$/.test(address)
}

/** An address that one packet takes to many: no peer of a call lives there. */
function isMulticast(address: string): boolean {
  if (!isV4(address)) return /^ff[0-9a-f]{2}:/i.test(address)
  const first = Number(address.split('.')[0])
  return (first >= 224 && first <= 239) || address === '255.255.255.255'
}

function isV4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)
}

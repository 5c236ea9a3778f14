/** An IP address as eight groups of 16 bits; IPv4 is mapped (`::ffff:a.b.c.d`), so that both forms are equal. */
type Groups = readonly number[]

/** A block of addresses: those whose first `bits` are the network's. */
export interface AddressBlock {
  readonly network: Groups
  readonly bits: number
}

/** Reads `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`; `undefined` for anything else, names included. */
export function parseBlock(text: string): AddressBlock | undefined {
  const [address, length, more] = text.split('/')
  const network = parseAddress(address ?? '')
  if (network === undefined || more !== undefined) return undefined
  const isV4 = !(address ?? '').includes(':')
  const most = isV4 ? 32 : 128
  if (length === undefined) return { network, bits: 128 }
  if (!/^\d{1,3}$/.test(length) || Number(length) > most) return undefined
  return { network, bits: Number(length) + (isV4 ? 96 : 0) }
}

export function parseAddress(text: string): Groups | undefined {
  if (!text.includes(':')) {
    const v4 = parseV4(text)
    return v4 && [0, 0, 0, 0, 0, 0xffff, ...v4]
  }
  return parseV6(text)
}

/** The first `bits` of an address, as a key. */
export function prefixOf(address: Groups, bits: number): string {
  return address
    .map((group, i) => {
      const left = Math.min(16, Math.max(0, bits - 16 * i))
      return group & ((0xffff << (16 - left)) & 0xffff)
    })
    .join('.')
}

function parseV4(text: string): readonly number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number)
  return [a * 256 + b, c * 256 + d]
}

/** RFC 4291 §2.2, with an IPv4 tail and a zone that is ignored. */
function parseV6(text: string): Groups | undefined {
  const [head, tail, more] = (text.split('%')[0] ?? '').split('::')
  if (more !== undefined) return undefined
  const left = groupsOf(head ?? '')
  const right = tail === undefined ? [] : groupsOf(tail)
  if (left === undefined || right === undefined) return undefined
  const missing = 8 - left.length - right.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  return [...left, ...Array.from({ length: missing }, () => 0), ...right]
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [at, part] of parts.entries()) {
    const v4 = at === parts.length - 1 && part.includes('.') ? parseV4(part) : undefined
    if (v4) groups.push(...v4)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}

import { isIP, isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'

/** The machine's own addresses that peers can use; loopback only if there is nothing else. */
export function machineAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const usable = all.filter(({ address, internal }) => !internal && !isLinkLocal(address)).map(({ address }) => address)
  return usable.length > 0 ? usable : ['127.0.0.1']
}

/** Whether a socket of this machine can be bound to the address. */
export function isLocal(address: string): boolean {
  if (isLoopback(address)) return true
  return Object.values(networkInterfaces()).some((list) => list?.some((each) => each.address === address))
}

export function isLoopback(address: string): boolean {
  return address === '::1' || /^127\./.test(address)
}

function isLinkLocal(address: string): boolean {
  return /^(169\.254\.|fe80:)/i.test(address)
}

/**
 * The advertised address to tell a peer that is thought to be at `towards`.
 *
 * Same family; loopback to loopback; and nobody outside is told a loopback address while there is another one.
 */
export function localAddressTowards(advertised: readonly string[], towards: string | undefined): string {
  const first = advertised[0] ?? '127.0.0.1'
  const family = towards === undefined ? 0 : isIP(towards)
  const sameFamily = family === 0 ? advertised : advertised.filter((address) => isIP(address) === family)
  const candidates = sameFamily.length > 0 ? sameFamily : advertised
  const toLoopback = towards !== undefined && isLoopback(towards)
  if (toLoopback && advertised.every((address) => !isLoopback(address)) && advertised.every(isLocal)) {
    return isIPv4(towards) ? '127.0.0.1' : '::1'
  }
  return candidates.find((address) => isLoopback(address) === toLoopback) ?? candidates[0] ?? first
}

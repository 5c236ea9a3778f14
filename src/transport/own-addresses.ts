import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isWildcard, type OwnAddress } from '../sip/index.ts'
import type { BoundAddress, TransportOptions } from './model.ts'

/**
 * What peers are told of the listeners: what the operator says of each, else an address told for all of them, else what
 * is bound; where that is every address of the machine, its first one that others can reach.
 *
 * @param bound In the order of `listen`.
 */
export function ownAddresses(
  bound: readonly BoundAddress[],
  { listen, advertise = [] }: Pick<TransportOptions, 'listen' | 'advertise'>,
): readonly OwnAddress[] {
  return bound.flatMap(({ transport, host, port }, at): readonly OwnAddress[] => {
    const told = listen[at]?.advertise
    const local = { host, port }
    if (told !== undefined) return [{ transport, local, advertised: { host: told.host, port: told.port ?? port } }]
    return hostsFor(host, advertise).map((each) => ({ transport, local, advertised: { host: each, port } }))
  })
}

/** One for each family that comes in there. */
function hostsFor(host: string, advertise: readonly string[]): readonly string[] {
  if (isLoopback(host)) return [host]
  const [v4, v6] = [advertise.find((each) => !isIPv6(each)), advertise.find((each) => isIPv6(each))]
  if (host === '::') return defined(v4 ?? machineAddress('IPv4'), v6 ?? machineAddress('IPv6'))
  if (host === '0.0.0.0') return [v4 ?? machineAddress('IPv4') ?? '127.0.0.1']
  return [(isIPv6(host) ? v6 : v4) ?? host]
}

function defined(...hosts: readonly (string | undefined)[]): readonly string[] {
  const known = hosts.flatMap((host) => host ?? [])
  return known.length > 0 ? known : ['::1']
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

function machineAddress(family: 'IPv4' | 'IPv6'): string | undefined {
  return machineAddresses().find((address) => isIPv6(address) === (family === 'IPv6') && isForOthers(address))
}

/** Link-local addresses mean nothing without their interface. */
function isForOthers(address: string): boolean {
  return !isLoopback(address) && !/^(?:169\.254\.|fe80:)/i.test(address)
}

/** This machine's addresses, IPv4 first. */
export function machineAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return [...all.filter(({ family }) => family === 'IPv4'), ...all.filter(({ family }) => family === 'IPv6')].map(
    ({ address }) => address,
  )
}

/** Every name and address that a bound one is reached by. */
export function namesOf({ local, advertised }: OwnAddress): readonly string[] {
  return [...(isWildcard(local.host) ? machineAddresses() : [local.host]), advertised.host]
}

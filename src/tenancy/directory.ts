import { parseAddress, parseBlock, prefixOf } from './address.ts'
import type { NumberRule, Tenant, Trunk, User } from './model.ts'
import { plainNumber } from './number.ts'

/** Who is known to us. Built once from the configuration; every look-up is a map's, but for trunks given as networks. */
export interface Directory {
  readonly tenants: readonly Tenant[]
  /** By domain or alias, without case and trailing dot. */
  tenantOf(host: string): Tenant | undefined
  /** Whether the host is a tenant's domain or one of our own names and addresses. */
  isOurs(host: string): boolean
  user(tenant: string, name: string): User | undefined
  trunk(tenant: string, name: string): Trunk | undefined
  /** The trunks whose `accept` has this IP address, those of the narrowest network first. */
  trunksAt(address: string): readonly TrunkOfTenant[]
  /** The trunks that are known by one of these names of a client certificate. */
  trunksNamed(identities: readonly string[]): readonly TrunkOfTenant[]
  /** What `dialled`, a number without marks between its digits, means to callers on trunks of that tenant. */
  number(tenant: string, dialled: string): NumberRule | undefined
}

export interface TrunkOfTenant {
  readonly tenant: Tenant
  readonly trunk: Trunk
}

export function createDirectory(tenants: readonly Tenant[], ownHosts: readonly string[] = []): Directory {
  const byName = new Map(tenants.flatMap((t) => [t.domain, ...t.aliases].map((name) => [normalHost(name), t] as const)))
  const own = new Set(ownHosts.map(normalHost))
  const users = indexed(tenants, (tenant) => tenant.users)
  const trunks = indexed(tenants, (tenant) => tenant.trunks)
  const networks = sources(tenants)
  const certificates = namedTrunks(tenants)
  const numbers = indexed(tenants, numbersOf)
  return {
    tenants,
    tenantOf: (host) => byName.get(normalHost(host)),
    isOurs: (host) => byName.has(normalHost(host)) || own.has(normalHost(host)),
    user: (tenant, name) => users.get(keyOf(tenant, name)),
    trunk: (tenant, name) => trunks.get(keyOf(tenant, name)),
    trunksAt: (address) => {
      const groups = parseAddress(address)
      if (groups === undefined) return []
      return networks.flatMap(({ bits, found }) => found.get(prefixOf(groups, bits)) ?? [])
    },
    trunksNamed: (identities) => identities.flatMap((name) => certificates.get(name) ?? []),
    number: (tenant, dialled) => numbers.get(keyOf(tenant, dialled))?.rule,
  }
}

function indexed<T extends { readonly name: string }>(
  tenants: readonly Tenant[],
  list: (tenant: Tenant) => readonly T[],
): ReadonlyMap<string, T> {
  return new Map(
    tenants.flatMap((tenant) => list(tenant).map((item) => [keyOf(tenant.domain, item.name), item] as const)),
  )
}

/** The first rule for a number is the one that counts. */
function numbersOf(tenant: Tenant): readonly { readonly name: string; readonly rule: NumberRule }[] {
  return tenant.numbers.map((rule) => ({ name: plainNumber(rule.number), rule })).toReversed()
}

/** Trunks by network, the networks by their length: one look-up for each length in use, the narrowest first. */
function sources(tenants: readonly Tenant[]): readonly Sources[] {
  const lengths = new Map<number, Map<string, TrunkOfTenant[]>>()
  for (const tenant of tenants) {
    for (const trunk of tenant.trunks) {
      for (const { bits, network } of trunk.accept.flatMap((text) => parseBlock(text) ?? [])) {
        const found = entry(lengths, bits, () => new Map<string, TrunkOfTenant[]>())
        entry(found, prefixOf(network, bits), () => []).push({ tenant, trunk })
      }
    }
  }
  return [...lengths].map(([bits, found]) => ({ bits, found })).toSorted((a, b) => b.bits - a.bits)
}

function namedTrunks(tenants: readonly Tenant[]): ReadonlyMap<string, readonly TrunkOfTenant[]> {
  const found = new Map<string, TrunkOfTenant[]>()
  for (const tenant of tenants) {
    for (const trunk of tenant.trunks) {
      for (const name of trunk.tls?.accept ?? []) entry(found, name, () => []).push({ tenant, trunk })
    }
  }
  return found
}

interface Sources {
  readonly bits: number
  readonly found: ReadonlyMap<string, readonly TrunkOfTenant[]>
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** A domain never has a blank in it, so the two parts stay apart. */
function keyOf(tenant: string, name: string): string {
  return `${tenant} ${name}`
}

function normalHost(host: string): string {
  const lower = host.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

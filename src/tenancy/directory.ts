import { type AddressBlock, contains, parseAddress, parseBlock } from './address.ts'
import type { Tenant, Trunk, User } from './model.ts'

/** Who is known to us. Built once from the configuration; every look-up is a map's, but for trunks given as networks. */
export interface Directory {
  readonly tenants: readonly Tenant[]
  /** By domain or alias, without case and trailing dot. */
  tenantOf(host: string): Tenant | undefined
  /** Whether the host is a tenant's domain or one of our own names and addresses. */
  isOurs(host: string): boolean
  user(tenant: string, name: string): User | undefined
  trunk(tenant: string, name: string): Trunk | undefined
  /** The trunks whose `accept` has this IP address, in the order of the configuration. */
  trunksAt(address: string): readonly TrunkOfTenant[]
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
  const { exact, blocks } = sources(tenants)
  return {
    tenants,
    tenantOf: (host) => byName.get(normalHost(host)),
    isOurs: (host) => byName.has(normalHost(host)) || own.has(normalHost(host)),
    user: (tenant, name) => users.get(keyOf(tenant, name)),
    trunk: (tenant, name) => trunks.get(keyOf(tenant, name)),
    trunksAt: (address) => {
      const groups = parseAddress(address)
      if (groups === undefined) return []
      const inBlocks = blocks.filter((each) => contains(each.block, groups)).map((each) => each.found)
      return [...(exact.get(groups.join('.')) ?? []), ...inBlocks]
    },
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

function sources(tenants: readonly Tenant[]) {
  const exact = new Map<string, TrunkOfTenant[]>()
  const blocks: { readonly block: AddressBlock; readonly found: TrunkOfTenant }[] = []
  for (const tenant of tenants) {
    for (const trunk of tenant.trunks) {
      for (const block of trunk.accept.flatMap((text) => parseBlock(text) ?? [])) {
        if (block.bits < 128) {
          blocks.push({ block, found: { tenant, trunk } })
          continue
        }
        const key = block.network.join('.')
        exact.set(key, [...(exact.get(key) ?? []), { tenant, trunk }])
      }
    }
  }
  return { exact, blocks }
}

/** A domain never has a blank in it, so the two parts stay apart. */
function keyOf(tenant: string, name: string): string {
  return `${tenant} ${name}`
}

function normalHost(host: string): string {
  const lower = host.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

import type { RegistrationView } from '../api/index.ts'
import { type ByteString, decodeUtf8, type Millis } from '../base/index.ts'
import { type Binding, type ContactsChanged, type ReachableContact, Registrar } from '../registrar/index.ts'
import { calledUser, redirected, route } from '../routing/index.ts'
import { parseUri } from '../sip/index.ts'
import { createDirectory } from '../tenancy/index.ts'
import type { CoreOptions } from './core-model.ts'
import type { Decisions } from './decisions.ts'

/** Tenancy, registrar and routing joined to what the core asks. */
export function createDecisions(options: CoreOptions, changed?: ContactsChanged): Decisions {
  const directory = createDirectory(options.tenants, options.ownHosts)
  const { registrations } = options.limits ?? {}
  const config = { ...options.registrar, ...(registrations === undefined ? {} : { registrations }) }
  const registrar = new Registrar(config, changed)
  const wall = options.wallClock ?? ((now: Millis) => now)
  return {
    tenantOf: directory.tenantOf,
    isOurs: directory.isOurs,
    trunksAt(flow) {
      if (isWebSocket(flow.transport)) return []
      const named = flow.identities === undefined ? [] : directory.trunksNamed(flow.identities)
      return named.length > 0 ? named : directory.trunksAt(flow.remote.host)
    },
    isUser: ({ domain }, name) => directory.user(domain, name) !== undefined,
    isNumber: ({ domain }, number) => directory.number(domain, number) !== undefined,
    route: ({ user, caller, tenant }, now) =>
      route({
        directory,
        tenant,
        caller,
        user,
        contactsOf: (domain, name) => registrar.toRing(domain, name, now),
      }),
    calledUser: (asked) => calledUser(directory, asked),
    contacts: ({ tenant, user }, now) => registrar.contacts(tenant, user, now),
    bindings: ({ tenant, user }, now) => registrar.bindings(tenant, user, now),
    register: (request, flow, { tenant, user }, now) =>
      registrar.register(request, flow, { tenant: tenant.domain, user }, now),
    isRegisteredOn: (flowId, { tenant, user }, now) => registrar.isRegisteredOn(flowId, tenant, user, now),
    wayTo(uri, target, { tenant, user }, now) {
      if (target.kind !== 'flow' || !isWebSocket(target.flow.transport)) return { kind: 'open', target }
      const contacts = registrar.contacts(tenant, user, now)
      const isOpen = contacts.some((each) => isOn(each, target.flow.id))
      const found = isOpen ? target : contacts.find((each) => isSameDevice(each.uri, uri))?.target
      if (found !== undefined) return { kind: 'open', target: found }
      const away = registrar.away(tenant, user, now).find((each) => isSameDevice(each.uri, uri))
      return away === undefined ? { kind: 'open', target } : { kind: 'away', until: away.goneAt }
    },
    redirect(party, contacts, now) {
      const tenant = directory.tenantOf(party.tenant)
      const contactsOf = (domain: string, name: string) => registrar.toRing(domain, name, now)
      return tenant === undefined ? [] : redirected({ directory, tenant, party, contacts, contactsOf })
    },
    pageOn: (flowId, { tenant, user }, now) =>
      registrar.contacts(tenant, user, now).find((each) => each.profile === 'webrtc' && isOn(each, flowId))?.uri,
    flowClosed: (flowId, now) => registrar.flowClosed(flowId, now),
    registrations: (now) => registrar.list(now).map((binding) => viewOf(binding, wall)),
    count: () => registrar.count,
    wake: (now) => registrar.expire(now),
    deadline: () => registrar.deadline(),
  }
}

/** Only a page opens a WebSocket; a carrier does not. */
function isWebSocket(transport: string): boolean {
  return transport === 'ws' || transport === 'wss'
}

function isOn({ target }: ReachableContact, flowId: string): boolean {
  return target.kind === 'flow' && target.flow.id === flowId
}

/** A page makes up a user and a host for its Contact and keeps them while it lives; parameters come and go. */
function isSameDevice(registered: ByteString, uri: ByteString): boolean {
  const [a, b] = [parseUri(registered), parseUri(uri)]
  return a.user !== undefined && a.user === b.user && a.host === b.host
}

function viewOf(binding: Binding, wall: (now: Millis) => Millis): RegistrationView {
  const { tenant, user, uri, flow, expiresAt, userAgent } = binding
  return {
    tenant,
    user,
    contact: decodeUtf8(uri),
    transport: flow.transport,
    remote: `${flow.remote.host}:${flow.remote.port}`,
    expiresAt: wall(expiresAt),
    ...(userAgent === undefined ? {} : { userAgent: decodeUtf8(userAgent) }),
  }
}

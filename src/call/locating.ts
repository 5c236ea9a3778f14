import { isIpAddress, type LocatedTarget, type SendTarget } from '../sip/index.ts'
import type { CallEvent, Destination } from './model.ts'
import type { Turn } from './turn.ts'

/**
 * Whether the next destination is a domain, whose servers are to be found before it can be called (RFC 3263 §4): asks for
 * them if so, and they come as `located`.
 */
export function locateNext(turn: Turn): boolean {
  const target = nextDomain(turn)
  if (target === undefined) return false
  turn.emit({ kind: 'locate', target })
  return true
}

/**
 * Puts the servers of a domain in its place, each as a group of its own: a call goes from one to the next as it goes from
 * one target of a trunk to the next. Those that did not serve lately are tried behind everything else.
 *
 * @returns whether there is anybody; `undefined`: nobody asked.
 */
export function takeLocated(turn: Turn, { targets, problem }: CallEvent & { kind: 'located' }): boolean | undefined {
  const asked = nextDomain(turn)
  const [group, ...others] = turn.call.groups
  const [destination] = group ?? []
  if (asked === undefined || destination === undefined) return undefined
  const groupsOf = (avoided: boolean): readonly (readonly Destination[])[] =>
    targets.filter((each) => each.avoided === avoided).map(({ target }) => [{ ...destination, target }])
  turn.update({ groups: [...groupsOf(false), ...others, ...groupsOf(true)] })
  const { host } = asked.to
  const facts = { domain: host, servers: targets.length }
  turn.note('routing', problem ?? `Servers of ${host}: ${targets.map(described).join(', ')}`, { facts })
  return targets.length > 0
}

/** `udp 192.0.2.1:5060`. */
export function targetText(target: SendTarget): string {
  const { transport, to } =
    target.kind === 'flow' ? { transport: target.flow.transport, to: target.flow.remote } : target
  return `${transport} ${to.host.includes(':') ? `[${to.host}]` : to.host}:${to.port}`
}

function described({ target, avoided }: LocatedTarget): string {
  return avoided ? `${targetText(target)} (avoided)` : targetText(target)
}

function nextDomain({ call }: Turn) {
  const target = call.groups[0]?.[0]?.target
  return target?.kind === 'address' && !isIpAddress(target.to.host) ? target : undefined
}

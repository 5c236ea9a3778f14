import type { GatewayControl } from './control.ts'
import type { ApiEvent, CallDetail, CallView } from './model.ts'

/** A gateway that holds what a test puts in. */
export interface FakeControl extends GatewayControl {
  add(call: CallDetail): void
  emit(event: ApiEvent): void
  readonly ended: string[]
  readonly followers: () => number
  stopping: boolean
}

export function fakeControl(): FakeControl {
  const calls = new Map<string, CallDetail>()
  const listeners = new Set<(event: ApiEvent) => void>()
  const ended: string[] = []
  const fake: FakeControl = {
    add: (call) => void calls.set(call.id, call),
    emit: (event) => {
      for (const listener of listeners) listener(event)
    },
    ended,
    followers: () => listeners.size,
    stopping: false,
    authenticateUser: ({ user, password }) => password === `${user}-password`,
    calls: () => [...calls.values()].map(viewOf),
    call: (id) => calls.get(id),
    endCall: (id) => {
      if (!calls.has(id)) return false
      ended.push(id)
      return true
    },
    registrations: () => [],
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    status: () => ({
      status: fake.stopping ? 'stopping' : 'ok',
      engine: 'fake',
      calls: calls.size,
      registrations: 0,
      connections: 0,
    }),
  }
  return fake
}

export function callOf(id: string, tenant: string, parties: readonly string[]): CallDetail {
  return {
    id,
    tenant,
    state: 'talking',
    from: 'sip:a@a.test',
    to: 'sip:b@a.test',
    startedAt: 1,
    legs: parties.map((party, index) => ({ id: `leg${index}`, party, profile: 'webrtc', state: 'talking' })),
    timeline: [],
    timelineDropped: 0,
  }
}

function viewOf({ timeline: _timeline, timelineDropped: _dropped, ...view }: CallDetail): CallView {
  return view
}

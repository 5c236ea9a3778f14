// A gateway with the fake media engine as a process of its own, so that its CPU time is its own. Talks to its parent
// over the channel of child_process.fork.
import { Secret, seededIds } from '../../src/base/index.ts'
import { createGateway } from '../../src/gateway/index.ts'
import { createFakeEngine } from '../../src/media/engines/fake/index.ts'
import type { Tenant, Trunk } from '../../src/tenancy/index.ts'

export interface GatewayOrder {
  readonly callerHost: string
  readonly calleeHost: string
  readonly calleePort: number
}

/** CPU time since its start, in µs, and memory. */
export interface GatewayUsage {
  readonly cpuUs: number
  /** Of `cpuUs`, in the kernel: sockets, for the most part. */
  readonly systemUs: number
  readonly rssMiB: number
  readonly calls: number
  readonly transactions: number
}

const SILENT = {
  debug() {},
  info() {},
  warn() {},
  error: (fields: object, text: string) => console.error(text, fields),
}

async function main(order: GatewayOrder): Promise<void> {
  const gateway = await createGateway({
    listen: { sip: [{ transport: 'udp', host: '127.0.0.1', port: 0 }] },
    tenants: [tenant(order)],
    engine: createFakeEngine({ ids: seededIds(1), portPairs: 5_000 }),
    log: SILENT,
    product: 'Trunkline-bench',
  })
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    const { calls, transactions } = gateway.counts()
    const rssMiB = process.memoryUsage().rss / 1_048_576
    process.send?.({ cpuUs: user + system, systemUs: system, rssMiB, calls, transactions } satisfies GatewayUsage)
  })
  process.on('disconnect', () => process.exit())
  process.send?.({ port: gateway.addresses[0]?.port })
}

function tenant({ callerHost, calleeHost, calleePort }: GatewayOrder): Tenant {
  const trunk = (name: string, host: string, port: number): Trunk => ({
    name,
    targets: [`sip:${host}:${port}`],
    accept: [host],
    auth: { username: 'none', password: new Secret('none') },
    srtp: 'never',
  })
  return {
    domain: 'bench.test',
    aliases: [],
    users: [],
    trunks: [trunk('caller', callerHost, 5060), trunk('callee', calleeHost, calleePort)],
    routes: [],
    numbers: [{ number: '+15550199', to: { kind: 'trunk', name: 'callee' } }],
    limits: { concurrentCalls: 100_000, maxCallDurationMs: 3_600_000, ringTimeoutMs: 60_000 },
  }
}

process.once('message', (order: GatewayOrder) => {
  main(order).catch((thrown) => {
    console.error(thrown)
    process.exit(1)
  })
})

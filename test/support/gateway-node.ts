import { createHash } from 'node:crypto'
import { asGatewayError, type Millis, Secret, seededIds } from '../../src/base/index.ts'
import type { CallRecord } from '../../src/call/index.ts'
import { type Core, type CoreInput, type CoreOutput, createCore } from '../../src/gateway/index.ts'
import { createFakeEngine } from '../../src/media/engines/fake/index.ts'
import type { DigestAlgorithm, Flow, SendTarget, TransportName } from '../../src/sip/index.ts'
import type { Tenant } from '../../src/tenancy/index.ts'
import { CALL_CONFIG } from './call-rig.ts'
import type { Node, World } from './world.ts'

export const GATEWAY = '192.0.2.1'
export const DOMAIN = 'example.test'

/** Addresses of the carrier's two targets. */
export const CARRIER = ['198.51.100.50', '198.51.100.51'] as const

export function hash(algorithm: DigestAlgorithm, data: string): string {
  return createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(data, 'latin1')
    .digest('hex')
}

const TENANT: Tenant = {
  domain: DOMAIN,
  aliases: [],
  users: ['alice', 'bob'].map((name) => ({ name, password: new Secret(`password of ${name}`) })),
  trunks: [
    {
      name: 'carrier',
      targets: CARRIER.map((host) => `sip:${host}:5060`),
      accept: CARRIER,
      auth: { username: 'trunkline', password: new Secret('password of the trunk') },
      srtp: 'never',
    },
  ],
  routes: [{ prefix: '+', trunk: 'carrier', strip: 0, prepend: '' }],
  numbers: [{ number: '+15550100', to: { kind: 'user', name: 'alice' } }],
  limits: { concurrentCalls: 100, maxCallDurationMs: 3_600_000, ringTimeoutMs: 60_000 },
}

/** The whole gateway but its sockets, with the fake media engine, in a world of virtual time. */
export class GatewayNode implements Node {
  readonly address = GATEWAY
  readonly core: Core
  readonly engine
  readonly ended: CallRecord[] = []
  readonly errors: string[] = []
  readonly #world: World
  readonly #transports = new Map<string, TransportName>()
  #work: Promise<void> = Promise.resolve()
  #pending = 0

  constructor(world: World, seed = 1) {
    this.#world = world
    const ids = seededIds(seed)
    this.engine = createFakeEngine({ ids, now: () => world.now })
    this.core = createCore({
      endpoint: {
        sentBy: { udp: { host: GATEWAY, port: 5060 }, ws: { host: GATEWAY, port: 5060 } },
        product: 'Trunkline/test',
      },
      call: CALL_CONFIG,
      tenants: [TENANT],
      ownHosts: [GATEWAY],
      ids,
      hash,
    })
  }

  /** What a peer's packets come over; `udp` if it was never said. */
  connect(address: string, transport: TransportName): void {
    this.#transports.set(address, transport)
  }

  receive(data: string, from: string, now: Millis): void {
    this.handle({ kind: 'received', flow: this.#flow(from), data }, now)
  }

  wake(now: Millis): void {
    this.handle({ kind: 'wake' }, now)
  }

  deadline(): Millis | undefined {
    return this.core.deadline()
  }

  async idle(): Promise<void> {
    while (this.#pending > 0) await this.#work
  }

  handle(input: CoreInput, now: Millis): void {
    this.core.handle(input, now)
    for (let output = this.core.poll(); output !== undefined; output = this.core.poll()) this.#carryOut(output)
  }

  #carryOut(output: CoreOutput): void {
    switch (output.kind) {
      case 'send':
        this.#world.send(GATEWAY, hostOf(output.target), output.data, this.#isReliable(output.target))
        break
      case 'media-open':
      case 'media-change':
      case 'media-close':
        this.#media(output)
        break
      case 'call-ended':
        this.ended.push(output.record)
        break
      case 'log':
        if (output.level === 'error') this.errors.push(`${output.message} ${JSON.stringify(output.fields)}`)
        break
      default:
    }
  }

  #media(command: Extract<CoreOutput, { readonly kind: `media-${string}` }>): void {
    this.#pending++
    this.#work = this.#work
      .then(() => this.#execute(command))
      .then((input) => {
        this.#pending--
        this.handle(input, this.#world.now)
      })
  }

  async #execute(command: Extract<CoreOutput, { readonly kind: `media-${string}` }>): Promise<CoreInput> {
    const { call } = command
    try {
      if (command.kind === 'media-open') {
        return { kind: 'media-opened', call, op: command.op, opened: await this.engine.open(command.spec) }
      }
      if (command.kind === 'media-close') {
        return { kind: 'media-closed', call, summary: await this.engine.close(command.session) }
      }
      const result = await this.engine.change(command.session, command.change)
      return { kind: 'media-changed', call, op: command.op, result }
    } catch (thrown) {
      const { message: detail, code } = asGatewayError(thrown)
      if (command.kind === 'media-close') return { kind: 'media-closed', call, summary: { id: call, sides: [] } }
      if (!detail.startsWith('the test wants')) this.errors.push(`engine: ${detail}`)
      return { kind: 'media-failed', call, op: command.op, code, detail }
    }
  }

  #flow(from: string): Flow {
    const transport = this.#transports.get(from) ?? 'udp'
    const here = { host: GATEWAY, port: 5060 }
    return { id: `${transport}:${from}`, transport, local: here, remote: { host: from, port: 5060 } }
  }

  #isReliable(target: SendTarget): boolean {
    return (target.kind === 'flow' ? target.flow.transport : target.transport) !== 'udp'
  }
}

function hostOf(target: SendTarget): string {
  return target.kind === 'flow' ? target.flow.remote.host : target.to.host
}

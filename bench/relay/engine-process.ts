// The portable engine as a process of its own, so that its CPU time is its own. Talks to its parent over the channel of
// child_process.fork: a request names a method of the engine, or `usage`.
import { randomBytes } from 'node:crypto'
import { createPortableEngine, type PortRange } from '../../src/media/engines/portable/index.ts'
import type { MediaEngine } from '../../src/media/index.ts'

export interface EngineOrder {
  readonly webrtcPorts: PortRange
  readonly rtpPorts: PortRange
}

export type EngineRequest =
  | { readonly id: number; readonly method: 'open'; readonly args: Parameters<MediaEngine['open']> }
  | { readonly id: number; readonly method: 'change'; readonly args: Parameters<MediaEngine['change']> }
  | { readonly id: number; readonly method: 'stats'; readonly args: Parameters<MediaEngine['stats']> }
  | { readonly id: number; readonly method: 'usage'; readonly args: readonly [] }

/** CPU time since the start of the process, in µs, and memory. */
export interface EngineUsage {
  readonly cpuUs: number
  readonly rssMiB: number
}

export interface EngineReply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

async function main(order: EngineOrder): Promise<void> {
  const ids = { token: (bits = 64) => randomBytes(Math.ceil(bits / 8)).toString('hex') }
  const engine = await createPortableEngine({ advertise: ['127.0.0.1'], ids, ...order })
  process.on('message', (request: EngineRequest) => {
    answer(engine, request).then(
      (result) => process.send?.({ id: request.id, result } satisfies EngineReply),
      (error) => process.send?.({ id: request.id, error: String(error) } satisfies EngineReply),
    )
  })
  process.on('disconnect', () => process.exit())
  process.send?.({ id: 0 } satisfies EngineReply)
}

async function answer(engine: MediaEngine, request: EngineRequest): Promise<unknown> {
  switch (request.method) {
    case 'open':
      return engine.open(...request.args)
    case 'change':
      return engine.change(...request.args)
    case 'stats':
      return engine.stats(...request.args)
    case 'usage': {
      const { user, system } = process.cpuUsage()
      return { cpuUs: user + system, rssMiB: process.memoryUsage().rss / 1_048_576 } satisfies EngineUsage
    }
  }
}

process.once('message', (order: EngineOrder) => {
  main(order).catch((thrown) => {
    console.error(thrown)
    process.exit(1)
  })
})

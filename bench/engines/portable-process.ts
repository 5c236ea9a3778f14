// The portable engine as a process of its own, so that its CPU time is its own and it can live elsewhere. Talks to its
// parent over the channel of child_process: calls are opened one after the other.
import { randomBytes } from 'node:crypto'
import { createPortableEngine, type PortRange } from '../../src/media/engines/portable/index.ts'
import type { CallWish, OpenCall, PortPolicy } from '../load/index.ts'
import { openCall } from './media-engine.ts'

export interface PortableOrder {
  readonly address: string
  readonly rtpPorts: PortRange
  readonly ports: PortPolicy
}

/** Answer to the order (`undefined`), or to a call. */
export interface PortableReply {
  readonly opened?: OpenCall
  readonly error?: string
}

async function main({ address, rtpPorts, ports }: PortableOrder): Promise<void> {
  const ids = { token: (bits = 64) => randomBytes(Math.ceil(bits / 8)).toString('hex') }
  const webrtcPorts = { from: 0, to: 0 }
  const engine = await createPortableEngine({ advertise: [address], bind: address, ids, webrtcPorts, rtpPorts })
  process.on('message', (wish: CallWish) => {
    openCall(engine, wish, ports).then(
      (opened) => reply({ opened }),
      (error) => reply({ error: String(error) }),
    )
  })
  process.on('disconnect', () => process.exit())
  reply({})
}

function reply(reply: PortableReply): void {
  process.send?.(reply)
}

process.once('message', (order: PortableOrder) => {
  main(order).catch((thrown) => {
    console.error(thrown)
    process.exit(1)
  })
})

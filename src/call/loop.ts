import type { Flow } from '../sip/index.ts'

const HERE = { host: '127.0.0.1', port: 0 }

/**
 * The way from one call of ours to another one. What is sent over it never leaves the process, and nothing from outside
 * comes over it: who hands messages to the core names its flows otherwise.
 */
export const LOOP: Flow = { id: 'loop', transport: 'tcp', local: HERE, remote: HERE }

export function isLoop(flow: Flow): boolean {
  return flow.id === LOOP.id
}

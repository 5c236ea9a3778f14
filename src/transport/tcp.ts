import { createServer, type Server, type Socket } from 'node:net'
import { GatewayError } from '../base/index.ts'
import type { BoundAddress, SipListen } from './model.ts'
import { resolve } from './resolve.ts'
import { adopt, type StreamContext } from './stream.ts'

export interface StreamListener {
  readonly address: BoundAddress
  close(): Promise<void>
}

/** @throws GatewayError `LISTEN_FAILED`. */
export function openTcp(listen: SipListen, context: StreamContext): Promise<StreamListener> {
  return listenOn(
    createServer((socket) => admit(socket, context)),
    listen,
    context,
  )
}

/** Binds a server for connections. @throws GatewayError `LISTEN_FAILED`. */
export async function listenOn(server: Server, listen: SipListen, context: StreamContext): Promise<StreamListener> {
  const host = await resolve(listen.host)
  const port = await bind(server, listen, host)
  server.on('error', (error) => context.handler.dropped('socket-error', error.message))
  return {
    address: { transport: listen.transport, host, port },
    close: () => new Promise((done) => server.close(() => done())),
  }
}

function admit(socket: Socket, context: StreamContext): void {
  const address = socket.remoteAddress
  if (address === undefined || !context.connections.admits(address)) {
    if (address !== undefined) context.handler.dropped('connections-exhausted', address)
    socket.destroy()
    return
  }
  adopt(socket, context, { transport: 'tcp', openedBy: 'peer' })
}

function bind(server: Server, listen: SipListen, host: string): Promise<number> {
  return new Promise((done, fail) => {
    server.once('error', (error) => {
      const where = `${listen.transport}:${listen.host}:${listen.port}`
      fail(new GatewayError('LISTEN_FAILED', `${where}: ${error.message}`, { cause: error }))
    })
    server.listen({ port: listen.port, host }, () => {
      server.removeAllListeners('error')
      const address = server.address()
      done(typeof address === 'object' && address !== null ? address.port : listen.port)
    })
  })
}

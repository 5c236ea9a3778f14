import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, test } from 'node:test'
import { type Config, demoConfig } from '../config/index.ts'
import { withFreePorts } from './ports.ts'

const server = createServer().listen(0, '127.0.0.1')
const socket = createSocket('udp4').bind(0, '127.0.0.1')
after(() => {
  server.close()
  socket.close()
})
const ready = Promise.all([once(server, 'listening'), once(socket, 'listening')])

test('default ports that are taken give way to the next free ones, and it is said', async () => {
  await ready
  const address = server.address()
  const httpPort = typeof address === 'object' && address !== null ? address.port : 0
  const sipPort = socket.address().port
  const { config, notes } = await withFreePorts(configWith(httpPort, sipPort))
  assert.ok(config.listen.http.port > httpPort)
  assert.equal(notes.length, 2)
  assert.match(notes[0] ?? '', new RegExp(`port ${httpPort} is taken, the page is on ${config.listen.http.port}`))
  const ports = config.listen.sip.map((listen) => listen.port)
  assert.ok(
    ports.every((port) => port > sipPort && port === ports[0]),
    'UDP and TCP keep one port',
  )
})

function configWith(httpPort: number, sipPort: number): Config {
  const config = demoConfig('127.0.0.1', () => 'password')
  return {
    ...config,
    listen: {
      http: { ...config.listen.http, port: httpPort },
      sip: config.listen.sip.map((listen) => ({ ...listen, port: sipPort })),
    },
    media: { ...config.media, webrtcPorts: { from: 48_480, to: 48_487 } },
  }
}

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { freePairs } from '../test/support/port-range.ts'
import { Secret } from './base/index.ts'
import { startTrunkline, type Trunkline } from './compose.ts'
import { type Config, demoConfig } from './config/index.ts'
import { findMediaProgram } from './media/engines/native/index.ts'
import { createLog } from './telemetry/index.ts'

const log = createLog({ level: 'silent', format: 'json' })
const operatorToken = new Secret('operator-token')

interface Wanted {
  readonly http?: number
  readonly sip?: number
  readonly engine?: Config['media']['engine']
}

async function configOn(ports: Wanted): Promise<Config> {
  const config = demoConfig('127.0.0.1', () => 'password')
  return {
    ...config,
    listen: {
      http: { host: '127.0.0.1', port: ports.http ?? 0 },
      sip: [{ transport: 'udp', host: '127.0.0.1', port: ports.sip ?? 0 }],
    },
    media: {
      ...config.media,
      engine: ports.engine ?? 'portable',
      advertise: ['127.0.0.1'],
      webrtcPorts: await freePairs(2),
      rtpPorts: await freePairs(50),
    },
  }
}

async function start(ports: Wanted = {}): Promise<Trunkline> {
  return startTrunkline(await configOn(ports), { log, operatorToken })
}

test('everything is up after a start and gone after a stop', async () => {
  const trunkline = await start()
  const base = `127.0.0.1:${trunkline.http.port}`
  const health = await fetch(`http://${base}/healthz`)
  assert.deepEqual([health.status, trunkline.engine], [200, 'portable'])
  const calls = await fetch(`http://${base}/v1/calls`, { headers: { authorization: 'Bearer operator-token' } })
  assert.deepEqual(await calls.json(), { calls: [] })

  const socket = new WebSocket(`ws://${base}/sip`, 'sip')
  await once(socket, 'open')
  const closed = once(socket, 'close')
  await trunkline.stop()
  await closed
  await assert.rejects(fetch(`http://${base}/healthz`))
})

const noProgram = findMediaProgram() === undefined ? 'there is no native engine here: npm run build' : false
test('auto takes the native engine where its program is; what it counts is in the metrics', {
  skip: noProgram,
}, async () => {
  const trunkline = await start({ engine: 'auto' })
  assert.equal(trunkline.engine, 'native')
  assert.match(trunkline.media, /^native, \d+ threads?, io \w+ \(.+\)$/)
  const metrics = await (await fetch(`http://127.0.0.1:${trunkline.http.port}/metrics`)).text()
  assert.match(metrics, /^trunkline_media_relayed_packets_total\{direction="in"\} 0$/m)
  assert.match(metrics, /^trunkline_media_latency_seconds_count 0$/m)
  await trunkline.stop()
})

test('the page gets the demo accounts, and a demo password signs in', async () => {
  const trunkline = await start()
  const base = `http://127.0.0.1:${trunkline.http.port}`
  const page = (await (await fetch(`${base}/page.json`)).json()) as { demo: { user: string; domain: string }[] }
  assert.deepEqual(
    page.demo.map(({ user }) => user),
    ['alice', 'bob', 'carol'],
  )
  const signIn = await fetch(`${base}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'alice', domain: page.demo[0]?.domain, password: 'password' }),
  })
  assert.equal(signIn.status, 200)
  await trunkline.stop()
})

test('SIP is answered over UDP at the address that is told', async () => {
  const trunkline = await start()
  const [sip] = trunkline.sip
  const phone = createSocket('udp4').bind(0, '127.0.0.1')
  await once(phone, 'listening')
  const { port } = phone.address()
  const options = [
    'OPTIONS sip:demo.trunkline.test SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKping;rport`,
    'From: <sip:ping@demo.trunkline.test>;tag=1',
    'To: <sip:demo.trunkline.test>',
    'Call-ID: ping',
    'CSeq: 1 OPTIONS',
    'Max-Forwards: 70',
    'Content-Length: 0',
  ]
  phone.send(`${options.join('\r\n')}\r\n\r\n`, sip?.port ?? 0, '127.0.0.1')
  const [reply] = (await once(phone, 'message')) as [Buffer]
  assert.match(reply.toString(), /^SIP\/2\.0 \d{3} /)
  phone.close()
  await trunkline.stop()
})

test('a start that fails names the address and leaves nothing open', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const http = typeof address === 'object' && address !== null ? address.port : 0
  const free = createSocket('udp4').bind(0, '127.0.0.1')
  await once(free, 'listening')
  const sip = free.address().port
  await new Promise<void>((done) => free.close(done))

  await assert.rejects(start({ http, sip }), { code: 'LISTEN_FAILED', message: new RegExp(`127\\.0\\.0\\.1:${http}`) })
  const again = createSocket('udp4').bind(sip, '127.0.0.1')
  await once(again, 'listening')
  again.close()
  taken.close()
})

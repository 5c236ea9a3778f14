import assert from 'node:assert/strict'
import { get, type IncomingMessage } from 'node:http'
import { after, before, test } from 'node:test'
import { LIMITS, Secret } from '../base/index.ts'
import { createLog, createMetrics } from '../telemetry/index.ts'
import { callOf, type FakeControl, fakeControl } from './fake-control.test-support.ts'
import { type ApiServer, createApiServer } from './server.ts'

let api: ApiServer
let control: FakeControl
let port = 0
let now = 1_000_000

before(async () => {
  control = fakeControl()
  api = await createApiServer({
    control,
    metrics: createMetrics(),
    log: createLog({ level: 'silent', format: 'json' }),
    operatorToken: new Secret('operator-token'),
    page: { version: '0', engine: 'fake', sipPath: '/sip', domains: [], builtins: [] },
    webRoot: '/nonexistent',
    now: () => now,
  })
  port = (await api.listen({ host: '127.0.0.1', port: 0 })).port
})
after(() => api.stop())

/** An open event stream: `next()` gives its next event, in order. */
async function follow(
  token: string,
  query = '',
): Promise<{ next(): Promise<string>; close(): void; response: IncomingMessage }> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await new Promise<IncomingMessage>((done, failed) => {
    get({ host: '127.0.0.1', port, path: `/v1/events${query}`, headers }, done).on('error', failed)
  })
  response.setEncoding('utf8')
  const chunks = response[Symbol.asyncIterator]()
  let text = ''
  const next = async (): Promise<string> => {
    while (!text.includes('\n\n')) {
      const chunk = await chunks.next()
      if (chunk.done === true) return ''
      text += chunk.value
    }
    const end = text.indexOf('\n\n')
    const event = text.slice(0, end)
    text = text.slice(end + 2)
    return event
  }
  assert.equal(await next(), 'retry: 2000')
  return { next, close: () => response.destroy(), response }
}

async function tokenOf(user: string): Promise<string> {
  const reply = await fetch(`http://127.0.0.1:${port}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, domain: 'a.test', password: `${user}-password` }),
  })
  return ((await reply.json()) as { token: string }).token
}

function note(call: string, summary: string) {
  return {
    event: 'timeline',
    data: { call, entry: { seq: 1, at: 1, kind: 'note', topic: 'state', summary } },
  } as const
}

test('a user follows their own calls and hears nothing of others', async () => {
  control.add(callOf('mine', 'a.test', ['user:alice', 'user:bob']))
  control.add(callOf('theirs', 'a.test', ['user:bob', 'user:carol']))
  const stream = await follow(await tokenOf('alice'))
  control.emit(note('theirs', 'hidden'))
  control.emit({ event: 'call', data: callOf('theirs', 'a.test', ['user:bob']) })
  control.emit(note('mine', 'seen'))
  assert.match(await stream.next(), /^event: timeline\ndata: \{"call":"mine".*seen/)
  stream.close()
})

test('a call becomes visible when the follower joins it', async () => {
  const stream = await follow(await tokenOf('alice'))
  control.emit({ event: 'call', data: callOf('later', 'a.test', ['user:bob']) })
  control.emit({ event: 'call', data: callOf('later', 'a.test', ['user:bob', 'user:alice']) })
  control.emit(note('later', 'now'))
  assert.match(await stream.next(), /^event: call\n.*user:alice/)
  assert.match(await stream.next(), /now/)
  stream.close()
})

test('?call= restricts to one call', async () => {
  const stream = await follow('operator-token', '?call=c1')
  control.emit(note('c2', 'other'))
  control.emit(note('c1', 'wanted'))
  assert.match(await stream.next(), /wanted/)
  stream.close()
})

test('a follower that does not read is cut off instead of kept in memory', async () => {
  const stream = await follow('operator-token')
  stream.response.pause()
  const followers = control.followers()
  const big = 'x'.repeat(256 * 1024)
  for (let n = 0; n < 400 && control.followers() === followers; n++) {
    control.emit(note('c1', big))
    await new Promise((done) => setImmediate(done))
  }
  assert.ok(control.followers() < followers)
  stream.close()
})

test('one user has a bounded number of streams, and leaves room for others', async () => {
  const token = await tokenOf('dave')
  const streams = await Promise.all(Array.from({ length: LIMITS.eventStreamsPerUser }, () => follow(token)))
  const url = `http://127.0.0.1:${port}/v1/events`
  const refused = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  assert.equal(refused.status, 429)
  const other = await follow(await tokenOf('erin'))
  for (const stream of [...streams, other]) stream.close()
})

test('a stream ends with the session of its token', async () => {
  const stream = await follow(await tokenOf('frank'))
  now += 3_600_000
  control.emit(note('c1', 'too late'))
  assert.equal(await stream.next(), '')
})

test('stopping the server ends the streams', async () => {
  const stream = await follow('operator-token')
  await api.stop()
  assert.equal(await stream.next(), '')
})

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { LIMITS, Secret } from '../base/index.ts'
import { createLog, createMetrics } from '../telemetry/index.ts'
import { callOf, type FakeControl, fakeControl } from './fake-control.test-support.ts'
import type { PageInfo } from './model.ts'
import { type ApiServer, createApiServer } from './server.ts'

const OPERATOR = { authorization: 'Bearer operator-token' }
let api: ApiServer
let control: FakeControl
let now = 1_000_000
let webRoot = ''

before(() => {
  webRoot = mkdtempSync(join(tmpdir(), 'trunkline-web-'))
  mkdirSync(join(webRoot, 'assets'))
  writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>the page</title>')
  writeFileSync(join(webRoot, 'assets', 'main-abc.js'), '1')
})
after(() => rmSync(webRoot, { recursive: true }))
beforeEach(async () => {
  control = fakeControl()
  now = 1_000_000
  api = await serverWith({})
})

interface Settings extends Pick<PageInfo, 'demo'> {
  readonly webRoot?: string
  readonly sessionsPerMinute?: number
}

function serverWith({ demo, ...more }: Settings): Promise<ApiServer> {
  const page = { version: '0', engine: 'fake', sipPath: '/sip', domains: ['a.test'], builtins: [] }
  return createApiServer({
    control,
    metrics: createMetrics(),
    log: createLog({ level: 'silent', format: 'json' }),
    operatorToken: new Secret('operator-token'),
    page: demo === undefined ? page : { ...page, demo },
    webRoot,
    now: () => now,
    ...more,
  })
}

async function signIn(user: string): Promise<{ authorization: string }> {
  const reply = await api.inject({
    method: 'POST',
    url: '/v1/session',
    payload: { user, domain: 'a.test', password: `${user}-password` },
  })
  assert.equal(reply.statusCode, 200, reply.body)
  return { authorization: `Bearer ${reply.json().token}` }
}

describe('signing in', () => {
  test('a right password gives a token for an hour', async () => {
    const headers = await signIn('alice')
    assert.equal((await api.inject({ url: '/v1/calls', headers })).statusCode, 200)
    now += 3_600_000
    assert.equal((await api.inject({ url: '/v1/calls', headers })).statusCode, 401)
  })

  for (const [what, payload, status] of [
    ['a wrong password', { user: 'alice', domain: 'a.test', password: 'no' }, 401],
    ['an unknown user', { user: 'mallory', domain: 'a.test', password: 'no' }, 401],
    ['a missing field', { user: 'alice', domain: 'a.test' }, 400],
    ['a further field', { user: 'alice', domain: 'a.test', password: 'no', admin: true }, 400],
    ['a body that is too large', { user: 'alice', domain: 'a.test', password: 'x'.repeat(LIMITS.apiBodyBytes) }, 400],
  ] as const) {
    test(`${what} is answered ${status}`, async () => {
      const reply = await api.inject({ method: 'POST', url: '/v1/session', payload })
      assert.equal(reply.statusCode, status)
      assert.equal(reply.json().error.code, status === 401 ? 'API_UNAUTHORIZED' : 'API_BAD_REQUEST')
    })
  }

  test('too many attempts of one address are answered 429', async () => {
    api = await serverWith({ sessionsPerMinute: 3 })
    const attempt = () =>
      api.inject({ method: 'POST', url: '/v1/session', payload: { user: 'a', domain: 'a.test', password: 'x' } })
    for (let n = 0; n < 3; n++) assert.equal((await attempt()).statusCode, 401)
    const reply = await attempt()
    assert.equal(reply.statusCode, 429)
    assert.equal(reply.json().error.code, 'API_OVERLOADED')
  })
})

describe('who sees which calls', () => {
  beforeEach(() => {
    control.add(callOf('c1', 'a.test', ['user:alice', 'user:bob']))
    control.add(callOf('c2', 'a.test', ['user:carol', 'builtin:echo']))
    control.add(callOf('c3', 'b.test', ['user:alice', 'builtin:echo']))
  })

  for (const token of [undefined, 'Bearer', 'Bearer wrong', 'Basic operator-token', 'operator-token']) {
    test(`with ${token ?? 'no token'} nobody sees anything`, async () => {
      for (const url of ['/v1/calls', '/v1/calls/c1', '/v1/registrations', '/v1/events']) {
        const reply = await api.inject({ url, headers: token === undefined ? {} : { authorization: token } })
        assert.equal(reply.statusCode, 401, url)
        assert.equal(reply.headers['www-authenticate'], 'Bearer')
      }
    })
  }

  test('the operator sees all, newest first as the gateway gives them', async () => {
    const reply = await api.inject({ url: '/v1/calls', headers: OPERATOR })
    assert.deepEqual(ids(reply.json()), ['c1', 'c2', 'c3'])
  })

  test('a user sees the calls in which they take part, in their own domain only', async () => {
    const headers = await signIn('alice')
    assert.deepEqual(ids((await api.inject({ url: '/v1/calls', headers })).json()), ['c1'])
    assert.equal((await api.inject({ url: '/v1/calls/c1', headers })).json().timeline.length, 0)
    assert.equal((await api.inject({ url: '/v1/calls/c2', headers })).statusCode, 404)
    assert.equal((await api.inject({ url: '/v1/calls/c3', headers })).statusCode, 404)
  })

  test('a user can neither end calls nor see registrations', async () => {
    const headers = await signIn('alice')
    assert.equal((await api.inject({ method: 'DELETE', url: '/v1/calls/c1', headers })).statusCode, 401)
    assert.equal((await api.inject({ url: '/v1/registrations', headers })).statusCode, 401)
    assert.deepEqual(control.ended, [])
  })

  test('the operator ends a call; one that is not there is 404', async () => {
    assert.equal((await api.inject({ method: 'DELETE', url: '/v1/calls/c1', headers: OPERATOR })).statusCode, 202)
    assert.equal((await api.inject({ method: 'DELETE', url: '/v1/calls/c9', headers: OPERATOR })).statusCode, 404)
    assert.deepEqual(control.ended, ['c1'])
  })

  test('the list can be restricted', async () => {
    const active = await api.inject({ url: '/v1/calls?state=active&limit=2', headers: OPERATOR })
    assert.deepEqual(ids(active.json()), ['c1', 'c2'])
    assert.deepEqual(ids((await api.inject({ url: '/v1/calls?state=ended', headers: OPERATOR })).json()), [])
    assert.equal((await api.inject({ url: '/v1/calls?state=odd', headers: OPERATOR })).statusCode, 400)
  })
})

describe('demo accounts', () => {
  const demo = [{ user: 'alice', domain: 'a.test', password: 'made for this run', displayName: 'Alice' }]
  beforeEach(async () => {
    api = await serverWith({ demo })
  })

  for (const [who, request] of [
    ['a browser on this machine', {}],
    ['a browser on this machine, by address', { headers: { host: '127.0.0.1:8080' } }],
    ['the same over IPv6', { remoteAddress: '::1', headers: { host: '[::1]:8080' } }],
    ['a browser in the private network', { remoteAddress: '::ffff:10.1.2.3', headers: { host: '10.0.0.1:8080' } }],
  ] as const) {
    test(`${who} gets them`, async () => {
      assert.deepEqual((await api.inject({ url: '/page.json', ...request })).json().demo, demo)
    })
  }

  for (const [who, request] of [
    ['somebody from elsewhere', { remoteAddress: '192.0.2.7', headers: { host: '192.0.2.1:8080' } }],
    ['somebody from elsewhere who names us localhost', { remoteAddress: '2001:db8::7' }],
    ['somebody behind a proxy on this machine', { headers: { 'x-forwarded-for': '192.0.2.7' } }],
    ['a site whose name was pointed at this machine', { headers: { host: 'evil.test:8080' } }],
  ] as const) {
    test(`${who} does not get them`, async () => {
      const page = (await api.inject({ url: '/page.json', ...request })).json()
      assert.deepEqual([page.demo, page.domains], [undefined, ['a.test']])
    })
  }
})

describe('what is open to all', () => {
  test('the page, with headers that confine it', async () => {
    const reply = await api.inject('/')
    assert.match(reply.body, /the page/)
    assert.match(String(reply.headers['content-security-policy']), /default-src 'self'.*frame-ancestors 'none'/)
    assert.equal(reply.headers['x-content-type-options'], 'nosniff')
    assert.match(String((await api.inject('/assets/main-abc.js')).headers['cache-control']), /immutable/)
  })

  test('files outside of the page are not served', async () => {
    for (const url of ['/../package.json', '/%2e%2e/package.json', '/assets/..%2f..%2fpackage.json']) {
      assert.ok((await api.inject(url)).statusCode >= 400, url)
    }
  })

  test('a page that is not built says how to build it', async () => {
    api = await serverWith({ webRoot: join(webRoot, 'nowhere') })
    const reply = await api.inject('/')
    assert.equal(reply.statusCode, 503)
    assert.match(reply.body, /npm run build/)
  })

  test('health is 503 while stopping', async () => {
    assert.equal((await api.inject('/healthz')).statusCode, 200)
    control.stopping = true
    assert.equal((await api.inject('/healthz')).statusCode, 503)
  })

  test('metrics are text for Prometheus', async () => {
    const reply = await api.inject('/metrics')
    assert.match(String(reply.headers['content-type']), /^text\/plain/)
    assert.match(reply.body, /^trunkline_calls_started_total 0$/m)
  })

  test('what does not exist is a JSON error without echoing at length', async () => {
    const reply = await api.inject(`/${'x'.repeat(5_000)}`)
    assert.equal(reply.statusCode, 404)
    assert.equal(reply.json().error.code, 'API_NOT_FOUND')
    assert.ok(reply.body.length < 300)
  })
})

function ids(body: { readonly calls: readonly { readonly id: string }[] }): readonly string[] {
  return body.calls.map((call) => call.id)
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../base/index.ts'
import { createDirectory } from './directory.ts'
import type { Tenant, Trunk } from './model.ts'

const trunk = (name: string, ...accept: string[]): Trunk => ({ name, targets: [], accept, srtp: 'never' })

const tenant = (domain: string, ...trunks: Trunk[]): Tenant => ({
  domain,
  aliases: [`alias.${domain}`],
  users: [{ name: 'alice', password: new Secret('x') }],
  trunks,
  routes: [],
  numbers: [],
  limits: { concurrentCalls: 10, maxCallDurationMs: 1, ringTimeoutMs: 1 },
})

const directory = createDirectory(
  [
    tenant('one.test', trunk('carrier', '192.0.2.7', '198.51.100.0/24'), trunk('six', '2001:db8::/32')),
    tenant('two.test', trunk('pbx', '192.0.2.7', '10.1.2.3/0')),
  ],
  ['gateway.example', '127.0.0.1'],
)

for (const host of ['one.test', 'ONE.test', 'one.test.', 'alias.one.test']) {
  test(`${host} names the tenant one.test`, () => assert.equal(directory.tenantOf(host)?.domain, 'one.test'))
}

test('a host of ours is ours without naming a tenant; a stranger is neither', () => {
  assert.equal(directory.isOurs('127.0.0.1'), true)
  assert.equal(directory.tenantOf('127.0.0.1'), undefined)
  assert.equal(directory.isOurs('elsewhere.test'), false)
})

const trunksAt: readonly (readonly [address: string, names: readonly string[]])[] = [
  ['192.0.2.7', ['carrier', 'pbx', 'pbx']],
  ['::ffff:192.0.2.7', ['carrier', 'pbx', 'pbx']],
  ['198.51.100.255', ['carrier', 'pbx']],
  ['198.51.101.0', ['pbx']],
  ['2001:db8:ffff::1', ['six']],
  ['2001:db9::1', []],
  ['not an address', []],
  ['1.2.3', []],
]

for (const [address, names] of trunksAt) {
  test(`${address} may call as ${names.join(', ') || 'nobody'}`, () => {
    assert.deepEqual(
      directory.trunksAt(address).map((found) => found.trunk.name),
      names,
    )
  })
}

test('users belong to their tenant', () => {
  assert.equal(directory.user('one.test', 'alice')?.name, 'alice')
  assert.equal(directory.user('one.test', 'bob'), undefined)
  assert.equal(directory.user('three.test', 'alice'), undefined)
})

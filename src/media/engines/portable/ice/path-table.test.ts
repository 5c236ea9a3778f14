import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PathTable } from './path-table.ts'

const ports = (count: number): number[] => Array.from({ length: count }, (_, n) => 1_000 + n)

test('a path that is still checked outlives many others of its peer', () => {
  const table = new PathTable<string, string>()
  const used = table.claim('alice', 'socket', '192.0.2.1', 999)
  for (const port of ports(100)) {
    table.claim('alice', 'socket', '192.0.2.1', port)
    assert.equal(table.claim('alice', 'socket', '192.0.2.1', 999), used)
  }
  const kept = ports(100).filter((port) => table.claims(port).length > 0)
  assert.deepEqual(kept, ports(100).slice(-15))
})

test('two peers may claim one place; what one releases stays the other’s', () => {
  const table = new PathTable<string, string>()
  table.claim('alice', 'socket', '192.0.2.1', 999)
  table.claim('bob', 'socket', '192.0.2.1', 999)
  table.release('alice')
  assert.deepEqual(
    table.claims(999).map(({ peer }) => peer),
    ['bob'],
  )
  table.release('bob')
  assert.equal(table.claims(999).length, 0)
})

test('a place is claimed by a few peers at most', () => {
  const table = new PathTable<string, string>()
  for (const port of ports(50)) table.claim(`peer ${port}`, 'socket', '192.0.2.1', 999)
  assert.equal(table.claims(999).length, 4)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededIds } from '../../../../base/index.ts'
import { hostCandidates } from './candidates.ts'
import { LiteAgent } from './lite-agent.ts'

const agent = (): LiteAgent<string> => new LiteAgent<string>(seededIds(1), 30_000)

test('before nomination the first validated pair is used, then each nomination at once', () => {
  const ice = agent()
  assert.equal(ice.sendPath, undefined)
  assert.equal(ice.onCheck('wifi', false, 0), 'first-path')
  assert.equal(ice.onCheck('vpn', false, 10), 'none')
  assert.equal(ice.sendPath, 'wifi')
  assert.equal(ice.onCheck('vpn', true, 20), 'path-changed')
  assert.equal(ice.onCheck('wifi', false, 30), 'none')
  assert.equal(ice.sendPath, 'vpn')
  assert.equal(ice.onCheck('mobile', true, 40), 'path-changed')
  assert.equal(ice.sendPath, 'mobile')
})

test('RFC 7675: 30 s without a check end consent once, and a check brings it back', () => {
  const ice = agent()
  ice.onCheck('wifi', true, 1_000)
  ice.onCheck('wifi', true, 5_000)
  assert.equal(ice.deadline(), 35_000)
  assert.equal(ice.onWakeup(34_999), false)
  assert.equal(ice.onWakeup(35_000), true)
  assert.equal(ice.onWakeup(36_000), false)
  assert.equal(ice.state, 'disconnected')
  assert.equal(ice.sendPath, undefined)
  assert.equal(ice.onCheck('mobile', false, 40_000), 'resumed')
  assert.equal(ice.sendPath, 'mobile')
  assert.equal(ice.deadline(), 70_000)
})

test('a restart makes new credentials, and the first use of them retires the old ones', () => {
  const ice = agent()
  const old = ice.credentials
  ice.onCheck('wifi', true, 0)
  assert.equal(ice.restart(), undefined)
  assert.notEqual(ice.credentials.ufrag, old.ufrag)
  assert.notEqual(ice.credentials.pwd, old.pwd)
  assert.equal(ice.retireBefore(old.ufrag), undefined)
  assert.equal(ice.sendPath, 'wifi', 'media goes on where it went')
  assert.deepEqual(ice.retireBefore(ice.credentials.ufrag), old)
  assert.equal(ice.retireBefore(ice.credentials.ufrag), undefined)
})

test('RFC 8445 §5.3: enough entropy in what the peer is told', () => {
  const { ufrag, pwd } = agent().credentials
  assert.ok(ufrag.length >= 4 && pwd.length >= 22)
  assert.match(ufrag + pwd, /^[a-z0-9]+$/)
})

test('candidates have distinct foundations and falling priorities of host candidates', () => {
  const candidates = hostCandidates(['192.0.2.1', '2001:db8::1', '198.51.100.1'], 3480)
  assert.equal(new Set(candidates.map((candidate) => candidate.foundation)).size, 3)
  const priorities = candidates.map((candidate) => candidate.priority)
  assert.deepEqual(
    [...priorities].sort((a, b) => b - a),
    priorities,
  )
  assert.ok(priorities.every((priority) => priority < 2 ** 31 && Math.floor(priority / 2 ** 24) === 126))
})

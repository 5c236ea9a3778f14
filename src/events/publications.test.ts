import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seededIds } from '../base/index.ts'
import { Publications, type PublishRequest } from './index.ts'

const HOUR_MS = 3_600_000
const open = (limits = { perUser: 3, overall: 5 }) => new Publications<string>(seededIds(3), limits)

/** The entity tag of a publication that must succeed. */
function publish(all: Publications<string>, request: Partial<PublishRequest<string>>, now = 0, user = 'bob'): string {
  const result = all.publish(user, { expiresMs: HOUR_MS, ...request }, now)
  assert.ok(result.status === 200)
  return result.etag
}

describe('RFC 3903 §4: publications', () => {
  test('initial, refresh, modification, removal; the tag is new each time', () => {
    const all = open()
    const first = publish(all, { value: 'here' })
    const second = publish(all, { ifMatch: first })
    assert.deepEqual(all.of('bob', 0), ['here'])
    const third = publish(all, { ifMatch: second, value: 'away' })
    assert.deepEqual(all.of('bob', 0), ['away'])
    publish(all, { ifMatch: third, expiresMs: 0 })
    assert.deepEqual([all.of('bob', 0), all.count, all.deadline()], [[], 0, undefined])
    assert.equal(new Set([first, second, third]).size, 3)
  })

  test('a tag that was replaced, expired, or is another user’s matches nothing: 412', () => {
    const all = open()
    const first = publish(all, { value: 'here', expiresMs: 1_000 })
    const second = publish(all, { ifMatch: first, expiresMs: 1_000 })
    for (const [ifMatch, user, now] of [
      [first, 'bob', 0],
      [second, 'alice', 0],
      [second, 'bob', 1_000],
    ] as const) {
      assert.deepEqual(all.publish(user, { ifMatch, expiresMs: HOUR_MS }, now), { status: 412 })
    }
  })

  test('nothing to publish: 400', () => {
    assert.deepEqual(open().publish('bob', { expiresMs: HOUR_MS }, 0), { status: 400 })
  })

  test('what expired is told to nobody, and whose it was is told once', () => {
    const all = open()
    publish(all, { value: 'here', expiresMs: 1_000 })
    publish(all, { value: 'there', expiresMs: 2_000 })
    assert.deepEqual(all.of('bob', 1_500), ['there'])
    assert.equal(all.deadline(), 1_000)
    assert.deepEqual(all.expire(1_500), ['bob'])
    assert.deepEqual(all.expire(1_500), [])
    assert.equal(all.count, 1)
  })

  test('a page that is reloaded again and again pushes its oldest out', () => {
    const all = open()
    for (let n = 1; n <= 5; n++) publish(all, { value: `${n}` }, n)
    assert.deepEqual(all.of('bob', 5), ['5', '4', '3'])
  })

  test('the whole is bounded: 503', () => {
    const all = open()
    for (const user of ['a', 'b', 'c', 'd', 'e']) publish(all, { value: 'x' }, 0, user)
    assert.deepEqual(all.publish('f', { value: 'x', expiresMs: 1 }, 0), { status: 503 })
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LIMITS } from '../../base/index.ts'
import { targetOf } from '../dialog/target.ts'
import type { AddressTarget } from '../flow.ts'
import { AvoidedTargets } from './avoided-targets.ts'
import { DnsCache } from './dns-cache.ts'
import { Locator } from './locator.ts'
import type { DnsAnswer } from './model.ts'

const A = { name: 'h', type: 'A' } as const
const AAAA = { name: 'h', type: 'AAAA' } as const
const NONE: DnsAnswer = { kind: 'none', ttlSeconds: 60 }
const FAILED: DnsAnswer = { kind: 'failed', detail: 'no answer' }
const address = (host: string, ttlSeconds = 60): DnsAnswer => {
  return { kind: 'found', records: { type: 'A', addresses: [host] }, ttlSeconds }
}

describe('what the DNS said is remembered', () => {
  const fact = (answer: DnsAnswer) => (answer.kind === 'found' ? answer.records : answer.kind)

  test('as long as it says', () => {
    const cache = new DnsCache()
    cache.learn(A, address('192.0.2.1', 30), 0)
    assert.deepEqual(cache.fact(A, 29_999), fact(address('192.0.2.1')))
    assert.equal(cache.fact(A, 30_000), undefined)
    assert.equal(cache.fact(AAAA, 0), undefined)
  })

  test('not at all with a TTL of 0', () => {
    const cache = new DnsCache()
    assert.deepEqual(cache.learn(A, address('192.0.2.1', 0), 5), fact(address('192.0.2.1')))
    assert.equal(cache.fact(A, 5), undefined)
    assert.equal(cache.size, 0)
  })

  test('RFC 2308: that there is nothing, for five minutes at most', () => {
    const cache = new DnsCache()
    cache.learn(A, { kind: 'none', ttlSeconds: 86_400 }, 0)
    assert.equal(cache.fact(A, 299_999), 'none')
    assert.equal(cache.fact(A, 300_000), undefined)
  })

  test('that nobody could tell, for a moment', () => {
    const cache = new DnsCache()
    assert.equal(cache.learn(A, FAILED, 0), 'failed')
    assert.equal(cache.fact(A, 4_999), 'failed')
    assert.equal(cache.fact(A, 5_000), undefined)
  })

  test('RFC 8767: while no server can tell, what was true last goes on being used for an hour', () => {
    const cache = new DnsCache()
    const before = fact(address('192.0.2.1'))
    cache.learn(A, address('192.0.2.1', 60), 0)
    assert.deepEqual(cache.learn(A, FAILED, 100_000), before)
    assert.deepEqual(cache.fact(A, 104_999), before)
    assert.equal(cache.fact(A, 105_000), undefined)
    assert.equal(cache.learn(A, FAILED, 60_000 + 3_600_000), 'failed')
  })

  test('up to a bound; the oldest is forgotten', () => {
    const cache = new DnsCache()
    for (let n = 0; n <= LIMITS.dnsCacheEntries; n++) cache.learn({ name: `h${n}`, type: 'A' }, NONE, 0)
    assert.equal(cache.size, LIMITS.dnsCacheEntries)
    assert.equal(cache.fact({ name: 'h0', type: 'A' }, 0), undefined)
    assert.equal(cache.fact({ name: `h${LIMITS.dnsCacheEntries}`, type: 'A' }, 0), 'none')
  })
})

describe('targets that did not serve are avoided', () => {
  const target = (host: string): AddressTarget => ({ kind: 'address', transport: 'udp', to: { host, port: 5060 } })

  test('until their time is over, or until they serve again', () => {
    const avoided = new AvoidedTargets()
    assert.equal(avoided.avoid(target('a'), 1_000, 0), true)
    assert.equal(avoided.avoid(target('a'), 1_000, 500), false)
    assert.equal(avoided.has(target('a'), 1_499), true)
    assert.equal(avoided.has({ ...target('a'), transport: 'tcp' }, 0), false)
    assert.equal(avoided.has(target('a'), 1_500), false)
    assert.equal(avoided.size, 0)
    avoided.avoid(target('b'), 1_000, 0)
    avoided.forgive(target('b'))
    assert.equal(avoided.has(target('b'), 0), false)
  })

  test('a second failure does not shorten the time', () => {
    const avoided = new AvoidedTargets()
    avoided.avoid(target('a'), 100_000, 0)
    avoided.avoid(target('a'), 1_000, 0)
    assert.equal(avoided.has(target('a'), 99_999), true)
  })

  test('up to a bound: the one whose time is over first makes room', () => {
    const avoided = new AvoidedTargets()
    for (let n = 0; n < LIMITS.avoidedTargets; n++) avoided.avoid(target(`h${n}`), n === 7 ? 10 : 1_000, 0)
    avoided.avoid(target('one more'), 1_000, 5)
    assert.equal(avoided.size, LIMITS.avoidedTargets)
    assert.equal(avoided.has(target('h7'), 5), false)
    assert.equal(avoided.has(target('h0'), 5), true)
  })
})

describe('a locator', () => {
  const locator = () => new Locator({ random: () => 0, transports: ['udp', 'tcp'] })
  /** All it has to say, in short. */
  const said = (from: Locator): readonly string[] => {
    const out: string[] = []
    for (let output = from.poll(); output !== undefined; output = from.poll()) {
      if (output.kind === 'asks') out.push(`${output.question.type} ${output.question.name}`)
      else {
        const hosts = output.found.targets.map(({ target, avoided }) => `${target.to.host}${avoided ? ' avoided' : ''}`)
        out.push(`${output.id}: ${hosts.join(', ') || output.found.problem}`)
      }
    }
    return out
  }
  const H = targetOf('sip:h:5060;transport=udp')

  test('asks once for what several want to know, and never again while it is known', () => {
    const all = locator()
    all.start('one', H, 0)
    all.start('two', H, 0)
    assert.deepEqual(said(all), ['A h', 'AAAA h'])
    all.answered(A, address('192.0.2.1'), 0)
    assert.deepEqual(said(all), [])
    all.answered(AAAA, NONE, 0)
    assert.deepEqual(said(all), ['one: 192.0.2.1', 'two: 192.0.2.1'])
    all.start('three', H, 59_999)
    assert.deepEqual(said(all), ['three: 192.0.2.1'])
    all.start('four', H, 60_000)
    assert.deepEqual(said(all), ['A h', 'AAAA h'])
    assert.equal(all.searches, 1)
  })

  test('uses an answer that may not be kept, for those who asked', () => {
    const all = locator()
    all.start('one', H, 0)
    said(all)
    all.answered(A, address('192.0.2.1', 0), 0)
    all.answered(AAAA, { kind: 'none', ttlSeconds: 0 }, 0)
    assert.deepEqual(said(all), ['one: 192.0.2.1'])
  })

  test('says why there is nobody', () => {
    const all = locator()
    all.start('one', H, 0)
    said(all)
    all.answered(A, FAILED, 0)
    all.answered(AAAA, NONE, 0)
    assert.deepEqual(said(all), ['one: the DNS could not tell of h'])
    all.start('two', targetOf('sip:x:5060'), 0)
    said(all)
    for (const type of ['A', 'AAAA'] as const) all.answered({ name: 'x', type }, NONE, 0)
    assert.deepEqual(said(all), ['two: the DNS knows no server of x'])
  })

  test('a search that nobody waits for gives nothing, and leaves nothing', () => {
    const all = locator()
    all.start('one', H, 0)
    said(all)
    all.forget('one')
    for (const question of [A, AAAA]) all.answered(question, NONE, 0)
    assert.deepEqual(said(all), [])
    assert.equal(all.searches, 0)
  })

  test('targets that are avoided come last', () => {
    const all = locator()
    const records = { type: 'A', addresses: ['192.0.2.1', '192.0.2.2'] } as const
    all.avoided.avoid({ ...H, to: { host: '192.0.2.1', port: 5060 } }, 1_000, 0)
    all.start('one', H, 0)
    said(all)
    all.answered(A, { kind: 'found', records, ttlSeconds: 60 }, 0)
    all.answered(AAAA, NONE, 0)
    assert.deepEqual(said(all), ['one: 192.0.2.2, 192.0.2.1 avoided'])
  })

  test('more searches than the bound find nothing', () => {
    const all = locator()
    for (let n = 0; n < LIMITS.dnsSearches; n++) all.start(`search ${n}`, H, 0)
    said(all)
    all.start('one more', H, 0)
    assert.deepEqual(said(all), ['one more: too many searches'])
  })
})
